# shellcheck shell=bash
# On an instance: the distribution's containerd is installed, without Docker, and a container of somebody runs in it.
# Source: https://github.com/weaveworks/ignite/issues/443 ("Documented install breaks docker-ce .deb installations")
apt-get update -qq
install_packages containerd runc busybox-static
install -d /srv/theirs/bin
cp /bin/busybox /srv/theirs/bin/busybox
systemctl start containerd.service
until ctr version >/dev/null 2>&1; do sleep 0.1; done
ctr -n theirs run --detach --rootfs /srv/theirs app /bin/busybox sleep 100000
