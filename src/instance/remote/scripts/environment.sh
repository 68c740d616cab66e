# shellcheck shell=bash
#
# Sent first. The environment of a login is full of what people need for other things: names of Compose projects, other
# daemons, proxies (/etc/environment, sshd's PermitUserEnvironment, sudo's env_keep). None of it is ours.

while IFS= read -r REPLY; do unset -f "$REPLY"; done < <(compgen -A function)
while IFS= read -r REPLY; do
  [[ $REPLY == @(PATH|SUDO_USER) ]] || unset "$REPLY"
done < <(compgen -e)
export HOME=/root LC_ALL=C
# Apart from sudo's own: apt's user reads what is written here.
umask 022
cd /
