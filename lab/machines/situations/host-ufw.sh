# shellcheck shell=bash
# On an instance: ufw is on, and admits SSH alone.
# Source: https://docs.docker.com/engine/network/packet-filtering-firewalls/#docker-and-ufw
apt-get update -qq
install_packages ufw
ufw default deny incoming >/dev/null
ufw default deny routed >/dev/null
ufw allow OpenSSH >/dev/null
ufw --force enable
