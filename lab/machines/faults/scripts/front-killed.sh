# shellcheck shell=bash
# front-killed.sh start [SECONDS] | end: the kernel ends the front's process at once, as where memory runs out; with SECONDS
# again and again, so long after it was seen to run. Docker starts it again by itself.
unit=gcelab-front-killed
systemctl stop "$unit.service" 2>/dev/null || true
[[ $1 == start ]] || exit 0

# shellcheck disable=SC2016
kill='pid=$(docker inspect --format "{{.State.Pid}}" gce-registry-front-1) && [ "$pid" -gt 0 ] && kill -KILL "$pid"'
bash -c "$kill"
[[ -z ${2-} ]] || systemd-run --quiet --collect --unit "$unit" bash -c "while sleep $2; do $kill; done"
