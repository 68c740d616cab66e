# shellcheck shell=bash
# On the host: packages come through a proxy that only the instance's apt knows; there is no other way to them.
# Source: https://manpages.debian.org/trixie/apt/apt-transport-http.1.en.html (Acquire::http::Proxy)
# Argument: `nothing-else`, where Docker Hub is out of reach as well. The proxy is a unit of the runner, gcelab-proxy.
on() { docker exec --interactive "$1" bash -euo pipefail -s -- "${@:2}"; }

on "$LAB_RUNNER_CONTAINER" "$LAB_ACTION_FOLDER" <<'RUNNER'
systemctl stop gcelab-proxy.service 2>/dev/null || true
systemd-run --quiet --collect --unit=gcelab-proxy node "$1/lab/machines/situations/proxy.ts" 3128 forward
timeout 20 bash -c 'until (exec 3<>/dev/tcp/127.0.0.1/3128) 2>/dev/null; do sleep 0.1; done'
RUNNER
on "$LAB_INSTANCE_CONTAINER" "$LAB_RUNNER_IP" "${1-}" <<'INSTANCE'
echo "Acquire::http::Proxy \"http://$1:3128\";" >/etc/apt/apt.conf.d/95proxy
mirror=$(sed -nE 's#^deb (\[.*\] )?https?://([^/ ]+)/.*#\2#p' /etc/apt/sources.list | head -n 1)
# At once, not after the minutes that packets take that get lost.
ip route replace unreachable 192.0.2.0/24
names=("$mirror" download.docker.com)
[[ $2 != nothing-else ]] || names+=({registry-1,auth,index}.docker.io production.cloudflare.docker.com)
for name in "${names[@]}"; do
  # Docker mounts the file into the machine, so there can be no other in its place.
  grep -v "[[:space:]]$name$" /etc/hosts >/run/hosts
  echo "192.0.2.1 $name" >>/run/hosts
  cat /run/hosts >/etc/hosts
done
INSTANCE
