# shellcheck shell=bash
# dpkg-interrupted.sh start | end: kills dpkg while it configures a package, as a power cut does. The package is left
# half configured, and what dpkg had written down in /var/lib/dpkg/updates.
name=gcelab-interrupted
kill_next=/run/$name

if dpkg --status "$name" >/dev/null 2>&1; then
  rm -f "$kill_next"
  dpkg --configure -a
  dpkg --purge "$name"
fi
[[ $1 == start ]] || exit 0

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/$name/DEBIAN"
cat >"$folder/$name/DEBIAN/control" <<CONTROL
Package: $name
Version: 1
Architecture: all
Maintainer: lab <lab@example.invalid>
Description: a package whose installation is interrupted
CONTROL
cat >"$folder/$name/DEBIAN/postinst" <<POSTINST
#!/bin/sh
[ ! -e $kill_next ] || { rm $kill_next; kill -KILL "\$PPID"; }
POSTINST
chmod 0755 "$folder/$name/DEBIAN/postinst"
dpkg-deb --build "$folder/$name" "$folder/$name.deb"
touch "$kill_next"
dpkg --install "$folder/$name.deb" || true
[[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' "$name") == iF* ]]
compgen -G '/var/lib/dpkg/updates/[0-9]*'
