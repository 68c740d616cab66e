#!/usr/bin/env bash
# What a careful person writes to make a bare Debian VM a registry with a web UI, by Docker's own instructions
# (https://docs.docker.com/engine/install/debian/): run as root on the VM, over one ssh. The cold run of the action is
# measured beside it. Nothing in it is slower than it need be: what is there is not installed again, and lists of
# packages are read once.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# Prerequisites
if ! command -v curl >/dev/null || [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then
  apt-get update -q
  apt-get install -y -q --no-install-recommends ca-certificates curl
fi

# Docker's key and repository
install -m 0755 -d /etc/apt/keyrings
curl -fsSL https://download.docker.com/linux/debian/gpg -o /etc/apt/keyrings/docker.asc
chmod a+r /etc/apt/keyrings/docker.asc
# shellcheck source=/dev/null
. /etc/os-release
cat >/etc/apt/sources.list.d/docker.sources <<SOURCES
Types: deb
URIs: https://download.docker.com/linux/debian
Suites: $VERSION_CODENAME
Components: stable
Signed-By: /etc/apt/keyrings/docker.asc
SOURCES

# Docker Engine and Compose
apt-get update -q
apt-get install -y -q --no-install-recommends docker-ce docker-ce-cli containerd.io docker-compose-plugin
usermod -aG docker "${SUDO_USER:-root}"

# The registry and its UI
mkdir -p /etc/gce-registry
cat >/etc/gce-registry/compose.yaml <<'COMPOSE'
name: gce-registry
services:
  registry:
    image: registry:3
    restart: always
    ports: ["5000:5000"]
    environment:
      REGISTRY_STORAGE_DELETE_ENABLED: "true"
      OTEL_TRACES_EXPORTER: none
    volumes: ["registry-data:/var/lib/registry"]
  ui:
    image: joxit/docker-registry-ui:2.6.0
    restart: always
    ports: ["18080:80"]
    environment:
      SINGLE_REGISTRY: "true"
      REGISTRY_TITLE: registry
      NGINX_PROXY_PASS_URL: http://registry:5000
      NGINX_RESOLVER: 127.0.0.11
volumes:
  registry-data: {}
COMPOSE
docker compose --project-directory /etc/gce-registry up --detach --quiet-pull
until curl -fs -o /dev/null http://127.0.0.1:5000/v2/; do sleep 0.1; done
until curl -fs -o /dev/null http://127.0.0.1:18080/; do sleep 0.1; done
