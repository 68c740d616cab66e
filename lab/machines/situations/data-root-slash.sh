# shellcheck shell=bash
# On an instance: daemon.json names Docker's own data root, with a slash at its end.
# Source: the option is a path in any spelling, https://docs.docker.com/engine/daemon/#configure-the-data-directory-location
install_docker
daemon_json <<<'{ "data-root": "/var/lib/docker/" }'
