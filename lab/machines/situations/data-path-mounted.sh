# shellcheck shell=bash
# On an instance: a disk of its own is mounted at the data path.
# Source: https://cloud.google.com/compute/docs/disks/format-mount-disk-linux (with nofail in /etc/fstab)
# Argument: the path, /srv/registry without it.
path=${1:-/srv/registry}
command -v mkfs.ext4 >/dev/null || { apt-get update -qq && install_packages e2fsprogs; }
install -d "$path" /var/lib/gcelab
[[ -e /dev/loop-control ]] || mknod /dev/loop-control c 10 237
image=/var/lib/gcelab/disk.img
truncate --size=2G "$image"
mkfs.ext4 -q "$image"
free=$(losetup --find | cut -d" " -f1)
[[ -e $free ]] || mknod "$free" b 7 "${free#/dev/loop}"
# Freed when it is unmounted, also by the end of the machine.
mount -o loop "$image" "$path"
echo "$image $path ext4 loop,discard,defaults,nofail 0 2" >>/etc/fstab
