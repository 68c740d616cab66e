# shellcheck shell=bash
# On an instance: every login has COMPOSE_PROJECT_NAME, a proxy that does not answer, and more in its environment.
# Source: https://github.com/Datateknologerna-vid-Abo-Akademi/date-website/issues/811 (one name for all projects); pam_env(8)
# for /etc/environment, sshd_config(5) for PermitUserEnvironment
cat >/etc/environment <<'ENVIRONMENT'
COMPOSE_PROJECT_NAME=legacy
COMPOSE_FILE=/srv/legacy/docker-compose.yml
COMPOSE_PROFILES=legacy
DOCKER_HOST=tcp://127.0.0.1:2375
DOCKER_CONFIG=/srv/legacy/docker
HTTP_PROXY=http://127.0.0.1:9
HTTPS_PROXY=http://127.0.0.1:9
http_proxy=http://127.0.0.1:9
https_proxy=http://127.0.0.1:9
TMPDIR=/srv/legacy/tmp
LC_ALL=tr_TR.UTF-8
BASH_ENV=/srv/legacy/env
POSIXLY_CORRECT=1
ENVIRONMENT
# Of users that are yet to be made, too.
install -d -m 0700 /etc/skel/.ssh
cp /etc/environment /etc/skel/.ssh/environment
echo 'PermitUserEnvironment yes' >/etc/ssh/sshd_config.d/20-theirs.conf
# As people have it who ran into a proxy that apt and Docker did not know.
echo 'Defaults env_keep += "COMPOSE_PROJECT_NAME COMPOSE_FILE DOCKER_HOST HTTP_PROXY HTTPS_PROXY http_proxy https_proxy"' \
  >/etc/sudoers.d/theirs
chmod 0440 /etc/sudoers.d/theirs
systemctl reload ssh.service
