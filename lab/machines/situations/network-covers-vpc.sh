# shellcheck shell=bash
# On an instance: the next network that Docker makes would cover the addresses of the VPC.
# Source: https://github.com/shuttle-hq/shuttle/pull/1254 (a network of Compose over the subnet of the VPC)
install_docker
daemon_json <<JSON
{
  "bip": "172.17.0.1/16",
  "default-address-pools": [
    { "base": "${LAB_INSTANCE_INTERNAL_IP%.*}.0/24", "size": 24 },
    { "base": "10.200.0.0/16", "size": 24 }
  ]
}
JSON
