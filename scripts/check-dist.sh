#!/usr/bin/env bash
# Fails where dist/ is not what the source builds.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
bash scripts/build.sh "$fresh"

if ! diff --recursive --brief dist "$fresh"; then
  printf 'dist/ is not what the source builds. Run "npm run build" and commit dist/.\n' >&2
  exit 1
fi

size=$(wc -c <dist/index.js)
if [ "$size" -gt 3145728 ]; then
  printf 'dist/index.js is %s bytes; 3 MiB is the limit.\n' "$size" >&2
  exit 1
fi

# It must start where it will run: with Node alone, and no node_modules beside it. Without inputs it says so.
said=$(cd "$fresh" && env -i "$(command -v node)" index.js) || true
case $said in
  *'::error::Invalid input'*) ;;
  *)
    printf 'dist/index.js does not start.\n' >&2
    exit 1
    ;;
esac
