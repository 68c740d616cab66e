# shellcheck shell=sh disable=SC2154
#
# Lets this machine, Debian or Ubuntu, pull from the registry: Docker, Podman and containerd trust its certificate
# authority, and Docker is logged in. As root, by hand or as the start-up script of a VM; a second time it changes nothing.
#
# The login, `name:password`, is in the variable REGISTRY_LOGIN, or, on a VM of Google's, in the metadata
# `registry-login` of the VM or its project. Without one nobody is logged in.
set -eu
umask 022

say() { printf 'registry: %s\n' "$*" >&2; }

# put FILE: writes what comes on standard input, whole or not at all.
put() {
  mkdir -p "${1%/*}"
  new=$(mktemp "${1%/*}/.registry.XXXXXX")
  cat >"$new"
  if cmp -s "$new" "$1"; then
    rm -f "$new"
    return
  fi
  chmod 644 "$new"
  mv -f "$new" "$1"
  say "wrote $1"
}

trust() {
  # Podman, Skopeo and Buildah look there as well. Docker with the containerd store goes by hosts.toml where there is one.
  printf '%s' "$ca" | put "/etc/docker/certs.d/$registry/ca.crt"
  if [ -e "/etc/docker/certs.d/$registry/hosts.toml" ]; then
    say "with /etc/docker/certs.d/$registry/hosts.toml beside it, Docker ignores ca.crt: name it there"
  fi
  # containerd by itself, as in Kubernetes, where it is told to look there.
  if grep -qs /etc/containerd/certs.d /etc/containerd/config.toml; then
    directory=/etc/containerd/certs.d/$registry
    printf '%s' "$ca" | put "$directory/ca.crt"
    if [ ! -e "$directory/hosts.toml" ]; then
      printf 'server = "https://%s"\n\n[host."https://%s"]\n  ca = "%s/ca.crt"\n' "$registry" "$registry" "$directory" |
        put "$directory/hosts.toml"
    fi
  fi
  # It makes Docker take any certificate, without a word.
  if grep -qsF "\"$registry\"" /etc/docker/daemon.json; then
    say "WARNING: $registry is in insecure-registries of /etc/docker/daemon.json, so that nothing is verified: remove it there"
  fi
}

# https://cloud.google.com/compute/docs/metadata/querying-metadata
metadata() {
  curl -fsS -m 5 -H 'Metadata-Flavor: Google' \
    "http://metadata.google.internal/computeMetadata/v1/$1/attributes/registry-login" 2>/dev/null
}

find_login() {
  if [ -n "${REGISTRY_LOGIN:-}" ]; then
    printf %s "$REGISTRY_LOGIN"
  elif grep -qs '^Google' /sys/class/dmi/id/product_name; then
    metadata instance || metadata project || true
  fi
}

# At boot Docker may not be up yet.
await_docker() {
  tries=0
  until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || return 1
    sleep 1
  done
}

log_in() {
  if ! command -v docker >/dev/null; then
    say 'there is no Docker that could be logged in'
  elif ! await_docker; then
    say 'Docker does not run: not logged in'
    return 1
  else
    # A start-up script has no home.
    export HOME="${HOME:-/root}"
    printf %s "${1#*:}" | docker login --username "${1%%:*}" --password-stdin "$registry" >/dev/null
    say "logged in at $registry as ${1%%:*}"
  fi
}

if [ -n "$ca" ]; then trust; fi
login=$(find_login)
if [ -n "$login" ]; then log_in "$login"; fi
