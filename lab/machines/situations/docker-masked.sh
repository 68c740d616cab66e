# shellcheck shell=bash
# On an instance: Docker is installed, and its service and socket are stopped and masked.
# Source: https://github.com/kubernetes/minikube/issues/17942 ("Unit docker.socket is masked")
install_docker
systemctl disable --now docker.service docker.socket 2>/dev/null
systemctl mask docker.service docker.socket 2>/dev/null
