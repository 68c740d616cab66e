# shellcheck shell=bash
# On the host: the instance has a persistent disk NAME-data, mounted at the data path.
# Source: https://cloud.google.com/compute/docs/disks/format-mount-disk-linux (with nofail in /etc/fstab)
# Arguments: the path, /srv/registry without it; the type of the file system, ext4 without it; the size in GB, 10 without it.
path=${1:-/srv/registry} type=${2:-ext4} size=${3:-10}
disk=$LAB_INSTANCE-data
zone=projects/$LAB_PROJECT/zones/$LAB_ZONE

call() { # PATH BODY
  local name
  name=$(curl -fsS --cacert "$LAB_CA_FILE" -H "Authorization: Bearer $LAB_ACCESS_TOKEN" --json "$2" \
    "$LAB_COMPUTE_URL$zone/$1" | sed -n 's/.*"name": *"\(operation-[^"]*\)".*/\1/p')
  curl -fsS --cacert "$LAB_CA_FILE" -H "Authorization: Bearer $LAB_ACCESS_TOKEN" -X POST -H 'Content-Length: 0' \
    "$LAB_COMPUTE_URL$zone/operations/$name/wait" | { ! grep '"error"'; }
}

call disks "{\"name\": \"$disk\", \"sizeGb\": \"$size\", \"type\": \"$zone/diskTypes/pd-balanced\"}"
call "instances/$LAB_INSTANCE/attachDisk" "{\"source\": \"$zone/disks/$disk\", \"deviceName\": \"$disk\"}"
docker exec -i "$LAB_INSTANCE_CONTAINER" bash -euo pipefail -s -- "$path" "$type" "$disk" <<'RECIPE'
program=e2fsprogs
[[ $2 != xfs ]] || program=xfsprogs
command -v "mkfs.$2" >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$program" >/dev/null; }
"mkfs.$2" -q "/dev/disk/by-id/google-$3"
install -d "$1"
echo "UUID=$(blkid -s UUID -o value "/dev/disk/by-id/google-$3") $1 $2 discard,defaults,nofail 0 2" >>/etc/fstab
mount "/dev/disk/by-id/google-$3" "$1"
RECIPE
