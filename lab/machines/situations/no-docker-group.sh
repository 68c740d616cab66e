# shellcheck shell=bash
# On an instance: Docker runs, and there is no group docker.
# Source: https://docs.docker.com/engine/install/linux-postinstall/ (the group grants root, so hardened machines lack it)
install_docker
groupdel docker
restart_docker
