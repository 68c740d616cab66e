# shellcheck shell=bash
# On the runner: the Docker daemon has a proxy for HTTP, and no NO_PROXY, so a push goes there.
# Source: https://github.com/docker/for-linux/issues/744 (503), https://github.com/docker/for-linux/issues/203 (hangs);
# https://docs.docker.com/engine/daemon/proxy/
# Argument: what the proxy does, `503` (without it), `silent` or `forward`. It is the unit gcelab-proxy.
systemctl stop gcelab-proxy.service 2>/dev/null || true
systemd-run --quiet --collect --unit=gcelab-proxy node "$LAB_ACTION_FOLDER/lab/machines/situations/proxy.ts" 3128 "${1:-503}"
timeout 20 bash -c 'until (exec 3<>/dev/tcp/127.0.0.1/3128) 2>/dev/null; do sleep 0.1; done'
install -d /etc/systemd/system/docker.service.d
cat >/etc/systemd/system/docker.service.d/http-proxy.conf <<'UNIT'
[Service]
Environment="HTTP_PROXY=http://127.0.0.1:3128"
UNIT
systemctl daemon-reload
restart_docker
