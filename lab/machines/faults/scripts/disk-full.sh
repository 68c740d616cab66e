# shellcheck shell=bash
# disk-full.sh start [MIB] | end: no space is left for Docker's data and apt's downloads, at once or, with MIB, when
# MIB MiB more are in use or a pull begins. The disk of a machine is that of the lab's host, which must not be filled: so
# these folders move to a file system of their own in memory, whose limit is then drawn in to what is in use.
unit=gcelab-disk-full
disk=/run/$unit
folders=(/var/lib/docker /var/lib/containerd /var/cache/apt/archives)
services=(docker.socket docker.service containerd.service)

used() { df --output=used -k "$disk" | tail -n 1 | tr -d ' '; }
# Fails when more has been written meanwhile than SPARE KiB; then it is tried again.
fill() { until mount -o "remount,size=$(($(used) + $1))k" "$disk" 2>/dev/null; do :; done; }

# Runs a command while nothing of Docker's runs.
without_docker() {
  local running=()
  mapfile -t running < <(systemctl --plain --no-legend --state=active list-units "${services[@]}" | cut -d' ' -f1)
  systemctl stop "${services[@]}" 2>/dev/null || true
  "$@"
  # systemd counts the starts of a short time, and these are not the services' own.
  systemctl reset-failed "${services[@]}" 2>/dev/null || true
  ((${#running[@]} == 0)) || systemctl start "${running[@]}"
}

move_in() {
  local folder
  mkdir -p "$disk"
  mount -t tmpfs -o size=8g,mode=0755 "$unit" "$disk"
  for folder in "${folders[@]}"; do
    mkdir -p "$folder" "$disk$folder"
    chmod --reference="$folder" "$disk$folder"
    cp -a "$folder/." "$disk$folder/"
    mount --bind "$disk$folder" "$folder"
  done
}

move_out() {
  local folder
  for folder in "${folders[@]}"; do
    umount "$folder"
    find "$folder" -mindepth 1 -delete
    cp -a "$disk$folder/." "$folder/"
  done
  umount "$disk"
}

systemctl stop "$unit.service" 2>/dev/null || true
if mountpoint -q "$disk"; then
  mount -o remount,size=8g "$disk"
  [[ $1 == start ]] || without_docker move_out
elif [[ $1 == start ]]; then
  without_docker move_in
fi
[[ $1 == start ]] || exit 0

if [[ -z ${2-} ]]; then
  fill 0
else
  systemd-run --quiet --collect --property=Nice=-20 --unit="$unit" bash -c "
    disk=$disk
    $(declare -f used fill)
    limit=\$((\$(used) + $2 * 1024))
    # A pull can be faster than this looks; its command is there before its first byte.
    until ((\$(used) >= limit)) || pgrep -f '^docker pull ' >/dev/null; do sleep 0.005; done
    fill 2048"
fi
