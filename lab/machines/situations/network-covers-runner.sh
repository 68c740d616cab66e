# shellcheck shell=bash
# On an instance: the next network that Docker makes would cover the runner's address, and the way back to it.
# Source: https://github.com/SORMAS-Foundation/SORMAS-Docker/issues/174 (shut out of the server)
# Docker takes from the pools in the order of their addresses, and avoids what it finds among the routes. An interface on
# Compute Engine has a /32 and one route, to the gateway, so it is made so here.
install_docker
address=$(ip -4 -o address show dev eth0 scope global | sed -E 's/.* inet ([0-9.]+).*/\1/')
ip address flush dev eth0 scope global
ip address add "$address/32" dev eth0
ip route add "$LAB_HOST_ADDRESS" dev eth0 scope link
ip route add default via "$LAB_HOST_ADDRESS" dev eth0
daemon_json <<JSON
{
  "bip": "172.17.0.1/16",
  "default-address-pools": [
    { "base": "${LAB_RUNNER_IP%.*}.8/29", "size": 29 },
    { "base": "203.0.113.0/24", "size": 26 }
  ]
}
JSON
