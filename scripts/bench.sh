#!/usr/bin/env bash
# npm run bench: measures the action in the lab, each side beside its like, and prints one table.
# `npm run bench -- cold warm start push` chooses parts.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

bin/lab up >&2
exec node bench/main.ts "$@"
