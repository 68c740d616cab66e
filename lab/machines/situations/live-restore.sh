# shellcheck shell=bash
# On an instance: Docker has live-restore, and a container of the owner's runs.
# Source: https://docs.docker.com/engine/daemon/live-restore/
install_docker
daemon_json <<<'{ "live-restore": true }'
docker run --detach --quiet --name theirs --restart always registry:3 >/dev/null
