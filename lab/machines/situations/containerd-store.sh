# shellcheck shell=bash
# On the runner: images are in containerd's store, as with Docker 29 by itself.
# Source: https://docs.docker.com/engine/storage/containerd/
daemon_json <<<'{ "features": { "containerd-snapshotter": true } }'
