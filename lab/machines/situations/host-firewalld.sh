# shellcheck shell=bash
# On an instance: firewalld is on, and its zone admits SSH alone.
# Source: https://docs.docker.com/engine/network/packet-filtering-firewalls/#integration-with-firewalld
# Argument: `strict`, where what is forwarded is filtered too, even to Docker's zone (StrictForwardPorts, firewalld 2.2).
apt-get update -qq
install_packages firewalld
[[ ${1-} != strict ]] || sed -i 's/^StrictForwardPorts=.*/StrictForwardPorts=yes/' /etc/firewalld/firewalld.conf
systemctl restart firewalld.service
firewall-cmd --quiet --permanent --add-service=ssh
firewall-cmd --reload
