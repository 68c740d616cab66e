# shellcheck shell=bash
# front-killed.sh start SECONDS | end: Caddy gets SIGKILL each time so many seconds have passed, as where memory is short; Docker
# starts it again.
unit=gcelab-front-killed

systemctl stop "$unit" 2>/dev/null || true
[[ $1 == start ]] || exit 0
systemd-run --quiet --collect --unit "$unit" bash -c "while sleep $2; do
  pid=\$(docker container inspect --format '{{.State.Pid}}' gce-registry-front-1) && ((pid == 0)) || kill -KILL \"\$pid\"
done"
