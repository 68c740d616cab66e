# shellcheck shell=bash
# On an instance: Docker publishes ports of new networks on 127.0.0.1 unless an address is named.
# Source: https://docs.docker.com/engine/network/drivers/bridge/#default-host-binding-address, which people use to keep
# ports off the internet: https://github.com/docker/compose/issues/2999
install_docker
daemon_json <<'JSON'
{
  "ip": "127.0.0.1",
  "default-network-opts": { "bridge": { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" } }
}
JSON
