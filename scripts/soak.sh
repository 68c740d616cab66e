#!/usr/bin/env bash
# npm run soak: the stories that `npm test` runs with a few turns, whole. `npm run soak -- NAME` chooses by file name.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

if (($# == 0)); then
  mapfile -t stories < <(grep -l "from './scale'" __tests__/e2e/*.test.ts)
  set -- "${stories[@]}"
fi

bin/lab up
SOAK=1 exec jest --selectProjects e2e --runInBand --testPathPatterns "$@"
