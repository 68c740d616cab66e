# shellcheck shell=bash
# On an instance: the next network that Docker makes would cover the runner's address, and the way back to it.
# Source: https://github.com/SORMAS-Foundation/SORMAS-Docker/issues/174 (shut out of the server)
# Docker avoids what it finds among the routes. An interface on Compute Engine has a /32 and one route, to the gateway, so
# it is made so here.
install_docker
read -r address < <(ip -4 -o address show dev eth0 scope global | sed -E 's/.* inet ([0-9.]+).*/\1/')
ip address add "$address/32" dev eth0 2>/dev/null || true
ip route replace "$LAB_HOST_ADDRESS" dev eth0 scope link
ip route replace default via "$LAB_HOST_ADDRESS" dev eth0
ip route delete "$LAB_SUBNET" dev eth0 2>/dev/null || true
daemon_json <<JSON
{
  "bip": "172.17.0.1/16",
  "default-address-pools": [
    { "base": "${LAB_RUNNER_IP%.*}.8/29", "size": 29 },
    { "base": "10.200.0.0/16", "size": 24 }
  ]
}
JSON
