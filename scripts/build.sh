#!/usr/bin/env bash
# npm run build: writes dist/, the bundle that GitHub runs. The same inputs give the same bytes, in any directory.
# `scripts/build.sh DIRECTORY` writes it there instead.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

out=${1:-$root/dist}

# Two builds at once would write into each other's files.
mkdir -p build
exec 9>build/.lock
flock 9

rm -rf build/js build/bundle
tsc -p scripts/bundle --sourceMap
node scripts/bundle/one-file.ts
node scripts/bundle/overlay.ts
ncc build build/js/main.js --out build/bundle --target es2022 --minify --no-cache --quiet --license licenses.txt \
  --source-map --no-source-map-register
# The source map stays here, for the coverage; neither it nor the line that names it is shipped.
comment=$'\n//# sourceMappingURL=index.js.map'
[ "$(tail -c "${#comment}" build/bundle/index.js)" = "$comment" ]
truncate --size="-${#comment}" build/bundle/index.js
mv build/bundle/index.js.map build/

# One script and the licenses of what is in it: a second script, an addon or a program has no business here.
for file in build/bundle/*; do
  case "${file##*/}" in
    index.js | licenses.txt) ;;
    *) printf 'The bundle would hold %s, which is not expected.\n' "${file##*/}" >&2 && exit 1 ;;
  esac
done

# A `require` of a file that the bundler did not recognise as one would fail when it is reached, in the middle of a run.
# `startsWith` and the like ask for a text that happens to look like a path.
if unresolved=$(grep -oE "(^|[^.[:alnum:]_])\w+\([\"']\.{1,2}/[^\"')]*[\"']\)" build/bundle/index.js); then
  printf 'The bundle would look for files that are not in it:\n%s\n' "$unresolved" >&2
  exit 1
fi

rm -rf "$out"
mkdir -p "$out"
cp build/bundle/* "$out/"
printf 'dist/index.js: %s bytes\n' "$(wc -c <"$out/index.js")"
