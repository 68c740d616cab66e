# shellcheck shell=bash
#
# The step that puts another disk in the place of that with the registry's data. It can be repeated, and can be cut off
# anywhere: the data is looked for on the disk before anything is changed.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

RESTORE_DIRECTORY=/run/gce-registry/restore

# step_mount_disk DEVICE MOUNT DATA_PATH
step_mount_disk() {
  local device=/dev/disk/by-id/google-$1 mount=$2 below=${3#"$2"} type
  # udev can miss a disk that comes while the machine runs.
  [[ -b $device ]] || ! command -v udevadm >/dev/null || udevadm trigger --subsystem-match=block || true
  wait_for 60 test -b "$device" || {
    say "The disk is attached, and after 60 s there is no $device"
    return 1
  }
  type=$(blkid -p -s TYPE -o value -- "$device") || type=
  if [[ -z $type ]]; then
    say 'The disk has no file system of its own: it is the snapshot of a boot disk, or of an empty one'
    return 1
  fi
  if ! is_mounted "$device" "$mount"; then
    look_for_data "$device" "$type" "$below"
    leave_data
    leave_mount "$mount"
  fi
  remember_mount "$device" "$mount" "$type"
  # A unit of systemd for what was mounted before would take away what is mounted now.
  systemctl daemon-reload || true
  mkdir -p -- "$mount"
  if ! is_mounted "$device" "$mount"; then mount -- "$mount"; fi
}

# is_mounted DEVICE MOUNT
is_mounted() {
  local numbers
  numbers=$(findmnt -n -o MAJ:MIN -M "$2" | tail -n 1) || return 1
  [[ ${numbers// /} == "$((16#$(stat -L -c %t -- "$1"))):$((16#$(stat -L -c %T -- "$1")))" ]]
}

# mount_options TYPE: a disk from a snapshot has the UUID of the one before, which XFS does not take twice.
mount_options() {
  [[ $1 != xfs ]] || printf ',nouuid'
}

# look_for_data DEVICE TYPE PATH: fails where the registry's data is not there.
look_for_data() {
  local at=$RESTORE_DIRECTORY found
  install -d -m 0700 -- "$at"
  ! mountpoint -q -- "$at" || umount -- "$at"
  mount -t "$2" -o "rw$(mount_options "$2")" -- "$1" "$at"
  if [[ -d $at$3/docker/registry/v2 || -f $at$3/$DATA_MARK ]]; then
    umount -- "$at"
    return 0
  fi
  found=$(find "$at" -xdev -maxdepth 5 -type d -path '*/docker/registry/v2' -printf '/%P ' -quit) || found=
  umount -- "$at"
  say "There is no data of a registry in ${3:-/} of this disk${found:+, but in ${found%/docker/registry/v2 }}"
  return 1
}

# Ends the containers that have the data. Those that run when a step before set them up are started again by one after it.
leave_data() {
  local ids destination
  command -v docker >/dev/null || return 0
  for destination in /var/lib/registry /var/lib/registry/docker; do
    mapfile -t ids < <(docker container ls --quiet --filter "label=com.docker.compose.project=$PROJECT" --filter "volume=$destination")
    ((${#ids[@]} == 0)) || docker container stop -t 10 "${ids[@]}" >/dev/null
  done
}

# leave_mount MOUNT: whatever is mounted there; what is gone cannot be asked whether it is in use.
leave_mount() {
  local tries=0
  while findmnt -n -M "$1" >/dev/null; do
    ((tries += 1))
    ((tries < 10)) || return 1
    umount -- "$1" 2>/dev/null || umount --lazy -- "$1"
  done
}

# remember_mount DEVICE MOUNT TYPE: in place of what was mounted there, which stays as a comment.
remember_mount() {
  local line entry wanted
  wanted="$1 $2 $3 discard,defaults,nofail$(mount_options "$3") 0 2"
  [[ -f /etc/fstab ]] || : >/etc/fstab
  ! grep -Fxq -- "$wanted" /etc/fstab || return 0
  {
    while IFS= read -r line || [[ -n $line ]]; do
      read -r _ entry _ <<<"$line" || true
      if [[ $line != '#'* && $entry == "$2" ]]; then
        printf '# Until gce-registry-action restored another disk: %s\n' "$line"
      else
        printf '%s\n' "$line"
      fi
    done </etc/fstab
    printf '%s\n' "$wanted"
  } | put_file /etc/fstab 0644
}
