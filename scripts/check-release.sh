#!/usr/bin/env bash
# Checks that TAG (vX.Y.Z) is the version of package.json and has an entry in CHANGELOG.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tag=${1:?usage: check-release.sh TAG}
version=$(node -p 'require("./package.json").version')

if [[ $tag != "v$version" ]]; then
  echo "The tag is $tag, but package.json has the version $version." >&2
  exit 1
fi
if ! grep -qF "## [$version]" CHANGELOG.md; then
  echo "CHANGELOG.md has no entry '## [$version]'." >&2
  exit 1
fi
echo "$tag is the version of package.json and has an entry in CHANGELOG.md."
