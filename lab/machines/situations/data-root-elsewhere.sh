# shellcheck shell=bash
# On an instance: Docker's data root is a folder of the owner's, as a link, with doubled slashes.
# Source: https://github.com/home-assistant/supervised-installer/issues/287 (another partition for Docker's data)
install_docker
install -d /mnt/disk/docker
ln -sfn /mnt/disk /srv/docker-disk
daemon_json <<<'{ "data-root": "//srv/docker-disk//docker" }'
