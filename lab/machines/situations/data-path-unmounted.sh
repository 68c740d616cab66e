# shellcheck shell=bash
# On an instance: the disk at the data path was not mounted at the last boot: Docker runs, on an empty folder.
# Source: https://github.com/moby/moby/issues/17485 (Docker starts before what its containers need is mounted)
# After data-path-mounted and a run of the action. Argument: the path, /srv/registry without it.
path=${1:-/srv/registry}
systemctl stop docker.socket docker.service containerd.service
umount "$path"
sed -i '\#^/var/lib/gcelab/disk.img #d' /etc/fstab
systemctl start containerd.service docker.socket
restart_docker
