# shellcheck shell=bash
# On the runner: a second Docker daemon, with a daemon.json, a pid file and a socket of its own.
# Source: https://docs.docker.com/reference/cli/dockerd/#run-multiple-daemons
# Argument: `context`, where a context of the user runner's makes it the one that `docker` talks to. Without it,
# DOCKER_HOST=unix:///run/docker-second.sock does.
install -d /etc/docker-second
echo '{ "log-level": "warn" }' >/etc/docker-second/daemon.json
cat >/etc/systemd/system/docker-second.service <<'UNIT'
[Unit]
Description=Second Docker daemon
After=containerd.service

[Service]
Type=notify
ExecStart=dockerd --config-file /etc/docker-second/daemon.json --pidfile /run/docker-second.pid --host unix:///run/docker-second.sock --group docker --data-root /var/lib/docker/second --exec-root /run/docker-second --containerd /run/containerd/containerd.sock --containerd-namespace second --containerd-plugins-namespace second-plugins --bridge none --iptables=false --ip6tables=false
ExecReload=/bin/kill -s HUP $MAINPID
Delegate=yes
KillMode=process
UNIT
systemctl daemon-reload
systemctl start docker-second.service
[[ ${1-} == context ]] || exit 0
runuser -u runner -- docker context create second --docker host=unix:///run/docker-second.sock >/dev/null
runuser -u runner -- docker context use second >/dev/null
