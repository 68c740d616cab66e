# shellcheck shell=bash
# On the runner: images are in Docker's own store, as where an engine was updated to 29.
# Source: https://docs.docker.com/engine/storage/containerd/
daemon_json <<<'{ "features": { "containerd-snapshotter": false }, "storage-driver": "overlay2" }'
