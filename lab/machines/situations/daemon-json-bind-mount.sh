# shellcheck shell=bash
# On the runner: daemon.json is a mount of its own, which cannot be replaced by another file.
# Source: https://docs.docker.com/reference/cli/docker/container/run/#volume (a file that is mounted, as people do with
# docker:dind; rename(2) then fails with EBUSY)
install -d /etc/docker /srv/config
[[ -s /etc/docker/daemon.json ]] || echo '{ "log-level": "info" }' >/etc/docker/daemon.json
cp --preserve=mode /etc/docker/daemon.json /srv/config/daemon.json
mount --bind /srv/config/daemon.json /etc/docker/daemon.json
