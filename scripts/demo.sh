#!/usr/bin/env bash
# npm run demo: the main job on a bare instance of the lab, then once more, and what was seen of it from outside.
set -euo pipefail
# shellcheck source=scripts/prepare.sh
. "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

say 'A lab on this machine: Google Cloud, Docker Hub, a GitHub runner, and a bare Debian VM'
# Docker of today takes minutes to build: until `npm test` has done it, Debian's will do.
bin/lab up --quick
bin/lab reset
eval "$(bin/lab env)"
mkdir -p build

# Each run is one job: docker pull, the action, a step that uses the pushed image, and the action's post step.
job() {
  bin/lab exec runner -- docker pull --quiet hello-world >/dev/null
  bin/lab action --json "$1" --later "docker image rm --force hello-world >/dev/null && docker run --rm \"\$OUTPUT_image\"" \
    "instance=$LAB_INSTANCE" "zone=$LAB_ZONE" image=hello-world tags=test "source-ranges=runner, $LAB_HOST_ADDRESS"
}

say 'First run: the bare VM becomes a registry, hello-world is pushed, and a later step runs it from there'
job build/demo-first.json

say 'Second run: nothing to change'
job build/demo-second.json

say 'What was seen from outside'
node scripts/demo-report.ts build/demo-first.json build/demo-second.json
