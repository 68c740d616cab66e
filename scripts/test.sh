#!/usr/bin/env bash
# npm test: everything. `npm test -- unit` and `npm test -- e2e` run that part alone; what follows goes to jest.
# The stories run in three labs at once, which keeps two cores busy; E2E_LABS='1 2' says which labs, GCELAB=N that there is one.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

stage() {
  printf '\n== %s\n' "$1"
  shift
  "$@"
}

lint_shell() {
  need shellcheck shellcheck
  # Programs without an ending say by their first line that they are shell.
  { git ls-files -- '*.sh' && git grep -lE '^#!(/usr)?/bin/(env )?(ba)?sh' -- bin lab .ci scripts bench; } | sort -u |
    xargs shellcheck --external-sources
}

static() {
  stage 'Format and lint (Biome)' biome ci .
  stage 'Shell (ShellCheck)' lint_shell
  stage 'Workflows (actionlint, zizmor)' bash scripts/lint-workflows.sh
  stage 'Types' npm run --silent types
  stage 'README, action.yml and JSON schema say what the settings are' node scripts/settings.ts --check
  stage 'dist is what the source builds' bash scripts/check-dist.sh
}

unit() {
  stage 'Unit tests' jest --selectProjects unit lab --json --outputFile=build/unit.json "${unit_coverage[@]}" "$@"
}

e2e() {
  need chromium chromium
  need certutil libnss3-tools
  export E2E_LABS=${E2E_LABS:-${GCELAB:-1 2 3}}
  local labs
  read -ra labs <<<"$E2E_LABS"
  for lab in "${labs[@]}"; do
    stage "Lab $lab" env GCELAB="$lab" bin/lab up
    folders+=("$(eval "$(GCELAB=$lab bin/lab env)" && printf '%s' "$LAB_COVERAGE")")
  done
  as_root mkdir -p "${folders[@]}"
  forget_coverage
  # Jest begins with the stories that took longest the last time, or whose files are largest.
  stage "End-to-end tests, in labs ${labs[*]}" \
    jest --selectProjects e2e --maxWorkers="${#labs[@]}" --json --outputFile=build/e2e.json "$@"
}

coverage() {
  as_root find "${folders[@]}" -name '*.json' -exec chmod a+r {} +
  node scripts/coverage.ts build/coverage/coverage-final.json "${folders[@]}"
  forget_coverage
}

# A megabyte for each process of the action.
forget_coverage() {
  as_root find "${folders[@]}" -name '*.json' -delete
}

# Coverage is measured where all tests are run.
unit_coverage=()
folders=()

mkdir -p build
rm -f build/unit.json build/e2e.json
# Also after a failure.
trap 'node scripts/summary.ts build/unit.json build/e2e.json' EXIT
case "${1:-all}" in
  all)
    export GCELAB_COVERAGE=1
    unit_coverage=(--coverage --coverageProvider=v8 --coverageReporters=json --coverageDirectory=build/coverage)
    static
    unit
    e2e
    coverage
    ;;
  static) static ;;
  unit) unit "${@:2}" ;;
  e2e) e2e "${@:2}" ;;
  *)
    printf 'usage: npm test [-- static|unit|e2e [JEST ARGUMENTS]]\n' >&2
    exit 2
    ;;
esac
