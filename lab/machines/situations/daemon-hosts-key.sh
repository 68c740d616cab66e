# shellcheck shell=bash
# On the runner: daemon.json has `hosts`, which the unit has as a flag: the daemon runs, and would not start again.
# Source: https://github.com/moby/moby/issues/22339 ("directives are specified both as a flag and in the configuration file")
install -d /etc/docker
echo '{ "hosts": ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375"] }' >/etc/docker/daemon.json
