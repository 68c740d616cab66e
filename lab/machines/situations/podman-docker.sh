# shellcheck shell=bash
# On an instance: `docker` is Podman's, which has no daemon.
# Source: https://docs.docker.com/engine/install/debian/#uninstall-old-versions (podman-docker, among what conflicts)
on_disk /var/lib/containers
apt-get update -qq
install_packages podman-docker
