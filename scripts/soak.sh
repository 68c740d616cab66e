#!/usr/bin/env bash
# npm run soak: the stories that `npm test` runs with a few turns, whole. `npm run soak -- NAME` chooses by file name.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

bin/lab up
SOAK=1 exec jest --selectProjects e2e --runInBand --testPathPatterns "${@:-soak|kill|hostile|concurrent}"
