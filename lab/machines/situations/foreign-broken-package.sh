# shellcheck shell=bash
# On an instance: a package that has nothing to do with Docker cannot be configured, so dpkg fails whatever apt installs.
# Argument: `with-docker`, where Docker and Compose are there before it.
# Source: https://github.com/geerlingguy/internet-pi/issues/209 ("Sub-process /usr/bin/dpkg returned an error code (1)")
[[ ${1-} != with-docker ]] || install_docker
folder=$(mktemp -d)
mkdir -p "$folder/theirs/DEBIAN"
cat >"$folder/theirs/DEBIAN/control" <<'CONTROL'
Package: acme-agent
Version: 1.0
Architecture: all
Maintainer: Acme <acme@example.invalid>
Description: an agent whose configuration fails
CONTROL
printf '#!/bin/sh\necho "acme-agent: licence server not found" >&2\nexit 1\n' >"$folder/theirs/DEBIAN/postinst"
chmod 0755 "$folder/theirs/DEBIAN/postinst"
dpkg-deb --build "$folder/theirs" "$folder/theirs.deb" >/dev/null
dpkg --install "$folder/theirs.deb" >/dev/null 2>&1 || true
rm -r "$folder"
dpkg-query --show --showformat='${db:Status-Abbrev}' acme-agent | grep -q iF
