# shellcheck shell=bash
# On an instance: what stands where Compose belongs is executable, and no Compose: a page that curl saved.
# Source: https://github.com/srl-labs/netbox-nrx-clab/issues/5 ("failed to fetch metadata: fork/exec …: exec format error")
install_docker
DEBIAN_FRONTEND=noninteractive apt-get remove -y -qq docker-compose-plugin >/dev/null
install -d /usr/local/lib/docker/cli-plugins
printf 'Not Found' >/usr/local/lib/docker/cli-plugins/docker-compose
chmod 0755 /usr/local/lib/docker/cli-plugins/docker-compose
