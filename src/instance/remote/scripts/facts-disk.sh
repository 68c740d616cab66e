# shellcheck shell=bash
#
# On which disk the registry's data is, and what disks there are beside it. Changes nothing. Sent after facts.sh.

# Longer than a disk that is there takes to answer.
DISK_TIMEOUT=20

# physical_devices MAJOR:MINOR: those of the disks below a device, one a line: of a partition, LVM, RAID, bcache, dm-crypt.
physical_devices() {
  local at=/sys/dev/block/$1 slave has_slaves=
  if [[ -f $at/partition ]]; then
    physical_devices "$(<"$(realpath -- "$at")/../dev")"
    return
  fi
  for slave in "$at"/slaves/*; do
    [[ -f $slave/dev ]] || continue
    has_slaves=yes
    physical_devices "$(<"$slave/dev")"
  done
  [[ -n $has_slaves ]] || printf '%s\n' "$1"
}

# google_devices: `MAJOR:MINOR NAME` for each disk that Google Cloud has given the machine, without their partitions:
# https://cloud.google.com/compute/docs/disks/disk-symlinks
google_devices() {
  local link hex
  for link in /dev/disk/by-id/google-*; do
    [[ -b $link ]] || continue
    hex=$(stat -L -c '%t %T' -- "$link")
    hex=$((16#${hex% *})):$((16#${hex#* }))
    [[ -f /sys/dev/block/$hex/partition ]] || printf '%s %s\n' "$hex" "${link#/dev/disk/by-id/google-}"
  done
}

# Sets REPLY to where the data is: as it is asked for, as the last run wrote down, or the named volume.
data_location() {
  REPLY=$1
  [[ -n $REPLY || ! -f $STACK/data-path ]] || IFS= read -r REPLY <"$STACK/data-path" || true
  [[ -n $REPLY ]] || REPLY=$(timeout 15 docker volume inspect --format '{{.Mountpoint}}' "$VOLUME" 2>/dev/null) || true
  [[ -n $REPLY ]] || REPLY=$(timeout 15 docker info --format '{{.DockerRootDir}}' 2>/dev/null) || true
  : "${REPLY:=/var/lib/docker}"
}

# Whether what marks the data can be read from the disk itself: what the machine remembers of a disk that is gone does not
# count. A file system that cannot be asked that way is taken as it is.
data_answers() {
  local said
  [[ -f $1/$DATA_MARK ]] || return 0
  said=$(timeout "$DISK_TIMEOUT" dd if="$1/$DATA_MARK" of=/dev/null bs=4096 count=1 iflag=direct status=none 2>&1) && return 0
  [[ $said == *'Invalid argument'* ]]
}

# is_free MAJOR:MINOR NAME: a disk with a file system of its own that nothing has mounted or is made of.
is_free() {
  [[ -z $(compgen -G "/sys/dev/block/$1/holders/*") ]] || return 1
  ! awk -v numbers="$1" '$3 == numbers { found = 1 } END { exit !found }' /proc/self/mountinfo || return 1
  [[ -n $(timeout "$DISK_TIMEOUT" blkid -p -s TYPE -o value -- "/dev/disk/by-id/google-$2" 2>/dev/null) ]]
}

# disk_facts_of MARK DATA_PATH: one line, a mark and a JSON document, whose shape is described in facts/data-disk.ts.
disk_facts_of() {
  local OUT='' mark=$1 path directory numbers='' source='' type='' mount='' recorded='' line name each
  local devices=() free=() unnamed=0 holds=false answers=false lines=()
  declare -A names=()
  data_location "$2"
  path=$REPLY
  while read -r numbers name; do names[$numbers]=$name; done < <(google_devices)
  existing_directory "$path"
  directory=$REPLY
  read -r numbers type mount source < <(findmnt -n -o MAJ:MIN,FSTYPE,TARGET,SOURCE -T "$directory" | tail -n 1)
  # Of btrfs these are numbers of nothing.
  if [[ $numbers == 0:* && -b ${source%%\[*} ]]; then
    line=$(stat -L -c '%t %T' -- "${source%%\[*}")
    numbers=$((16#${line% *})):$((16#${line#* }))
  fi
  if [[ $numbers != 0:* ]]; then
    while read -r each; do
      if [[ -n ${names[$each]-} ]]; then devices+=("${names[$each]}"); else unnamed=$((unnamed + 1)); fi
    done < <(physical_devices "$numbers" | sort -u)
  fi
  for each in "${!names[@]}"; do ! is_free "$each" "${names[$each]}" || free+=("${names[$each]}"); done
  if [[ -f $path/$DATA_MARK ]] || holds_images "$path"; then holds=true; fi
  data_answers "$path" && answers=true
  [[ ! -f $STACK/data-id ]] || mapfile -t -n 3 lines <"$STACK/data-id"
  recorded=${lines[1]-}
  put path "$path"
  put mount "$mount"
  put fileSystem "$type"
  put source "$source"
  json_strings "${devices[@]}" && put_raw devices "$REPLY"
  put_raw unnamed "$unnamed"
  json_strings "${free[@]}" && put_raw free "$REPLY"
  put_raw holdsData "$holds"
  put_raw answers "$answers"
  put_raw wasThere "$([[ ${#lines[@]} -eq 0 ]] && echo false || echo true)"
  put recordedMount "$recorded"
  printf '\n%s {%s}\n' "$mark" "$OUT"
}

# hold TOKEN RUN: keeps other runs from changing the instance until standard input ends. What was written is on the disk
# by then.
hold() {
  # shellcheck disable=SC2034 # of take_lock
  TOKEN=$1
  exec 3>&1
  take_lock "$2"
  sync
  printf '\n%s held\n' "$1"
  cat >/dev/null
}
