# shellcheck shell=bash
# Put before each recipe: what several of them need.

# Docker as its documentation installs it (https://docs.docker.com/engine/install/debian/), unless there is one.
# $1: versions to choose from, as in `5:26.*`; the newest without it.
install_docker() {
  ! command -v dockerd >/dev/null || return 0
  install -d -m 0755 /etc/apt/keyrings
  curl -fsSL https://download.docker.com/linux/debian/gpg -o /etc/apt/keyrings/docker.asc
  chmod a+r /etc/apt/keyrings/docker.asc
  cat >/etc/apt/sources.list.d/docker.sources <<SOURCES
Types: deb
URIs: https://download.docker.com/linux/debian
Suites: $(. /etc/os-release && echo "$VERSION_CODENAME")
Components: stable
Signed-By: /etc/apt/keyrings/docker.asc
SOURCES
  apt-get update -qq
  install_packages "docker-ce${1:+=$1}" "docker-ce-cli${1:+=$1}" containerd.io docker-buildx-plugin docker-compose-plugin
}

install_packages() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Puts a folder of images, empty so far, onto a disk: the machine's root is an overlay, on which there can be no other.
on_disk() {
  local disk=/var/lib/containerd/gcelab$1
  install -d "$disk" "$1"
  echo "$disk $1 none bind 0 0" >>/etc/fstab
  mount "$1"
}

# daemon.json with these settings besides what it has, in force.
daemon_json() {
  local new old=
  new=$(cat)
  install -d /etc/docker
  [[ ! -s /etc/docker/daemon.json ]] || old=$(</etc/docker/daemon.json)
  # What another recipe has set stays.
  [[ $old != *:* ]] || new="${old%\}*}, ${new#*\{}"
  printf '%s\n' "$new" >/etc/docker/daemon.json
  restart_docker
}

# systemd else refuses to do it often within a minute.
restart_docker() {
  systemctl reset-failed docker.service 2>/dev/null || true
  systemctl restart docker.service
}
