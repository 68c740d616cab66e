# shellcheck shell=bash
# host-key-changed.sh start | end: the instance has other host keys than those that it published.
before=/var/lib/gcelab/host-keys

restart() { systemctl reload ssh.service; }

if [[ $1 == end ]]; then
  [[ -d $before ]] || exit 0
  rm -f /etc/ssh/ssh_host_*
  cp -a "$before"/. /etc/ssh/
  rm -rf "$before"
  restart
  exit 0
fi
if [[ ! -d $before ]]; then
  mkdir -p "$before"
  cp -a /etc/ssh/ssh_host_* "$before"/
fi
rm -f /etc/ssh/ssh_host_*
ssh-keygen -A
restart
