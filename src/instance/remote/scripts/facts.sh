# shellcheck shell=bash
#
# Reads the state of an instance and prints it as one line: a marker, a blank and a JSON document, whose shape is
# described in facts.ts. Before that, at once, a line `MARKER:client ADDRESS` says who asks, and a line `MARKER:users BASE64`
# has the file with the logins, if there is one. Changes nothing. Commands
# that take long run side by side.
#
# Sent after environment.sh, json.sh, lock.sh, facts-engine.sh and facts-stack.sh.
#
#   facts MARKER SSH_CONNECTION USER DATA_PATH WITH_IMAGES SERVICE:SCHEME:PORT:PATH …

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin

STACK=/etc/gce-registry
FILES=(
  /etc/apt/sources.list.d/docker.sources /etc/docker/daemon.json
  "$STACK/compose.yaml" "$STACK/compose.override.yaml" "$STACK/compose-release" "$STACK/data-path"
  "$STACK/front/Caddyfile"
)
# Files whose text is wanted, up to so many bytes.
TEXTS=(
  /etc/docker/daemon.json "$STACK/compose-release" "$STACK/ca/ca.crt" "$STACK/ca/names" "$STACK/front/tls/server.crt"
  "$STACK/front/Caddyfile"
)
TEXT_LIMIT=65536

# Sets REPLY to the nearest directory that exists.
existing_directory() {
  REPLY=$1
  while [[ ! -d $REPLY && $REPLY == /*/* ]]; do REPLY=${REPLY%/*}; done
  [[ -d $REPLY ]] || REPLY=/
}

os_facts() {
  local OUT='' key value
  declare -A release=()
  while IFS='=' read -r key value; do
    value=${value#[\"\']}
    release[${key:-_}]=${value%[\"\']}
  done </etc/os-release
  put id "${release[ID]-}"
  put version "${release[VERSION_ID]-}"
  put codename "${release[VERSION_CODENAME]-}"
  put name "${release[PRETTY_NAME]-}"
  REPLY="{$OUT}"
}

file_facts() {
  local OUT='' path present=() sum
  for path in "${FILES[@]}"; do
    [[ ! -f $path ]] || present+=("$path")
  done
  if ((${#present[@]})); then
    while read -r sum path; do put "$path" "$sum"; done < <(sha256sum -- "${present[@]}")
  fi
  REPLY="{$OUT}"
}

text_facts() {
  local OUT='' path text
  # Of the certificates that the front asked for, where there are any.
  for path in "${TEXTS[@]}" "$STACK"/acme/caddy/certificates/*/*/*.crt; do
    [[ -f $path ]] || continue
    text=$(head -c "$TEXT_LIMIT" -- "$path" | base64 -w 0)
    put "$path" "$text"
  done
  REPLY="{$OUT}"
}

# disk_facts NAME PATH …
disk_facts() {
  local list='' OUT names=() paths=() index=0 mount size available inodes inodes_available
  while (($#)); do
    existing_directory "$2"
    names+=("$1")
    paths+=("$REPLY")
    shift 2
  done
  while read -r size available inodes inodes_available mount; do
    OUT=
    put name "${names[index]}"
    put path "${paths[index]}"
    put mount "$mount"
    put_raw size "${size//[!0-9]/0}"
    put_raw available "${available//[!0-9]/0}"
    put_raw inodes "${inodes//[!0-9]/0}"
    put_raw inodesAvailable "${inodes_available//[!0-9]/0}"
    list+="${list:+,}{$OUT}"
    index=$((index + 1))
  done < <(df -B1 --output=size,avail,itotal,iavail,target -- "${paths[@]}" 2>/dev/null | tail -n +2)
  REPLY="[$list]"
}

facts() {
  local marker=$1 connection=$2 user=$3 data_path=$4 with_images=$5
  local OUT='' REPLY='' client text systemd=false turn busy=false recorded=''
  shift 5

  last_turn
  turn=$REPLY
  is_busy && busy=true

  read -r client _ <<<"$connection"
  printf '\n%s:client %s\n' "$marker" "$client"

  # Started first, read last.
  begin_engine_facts
  begin_stack_facts "$WITH_DOCKER" "$with_images" "$@"

  put client "$client"
  # The time of now; facts.ts compares it with the runner's.
  put_raw clockAhead "$EPOCHSECONDS"
  put arch "$HOSTTYPE"
  [[ -d /run/systemd/system ]] && systemd=true
  put_raw systemd "$systemd"
  os_facts && put_raw os "$REPLY"
  put user "$user"
  file_facts && put_raw files "$REPLY"
  text_facts && put_raw texts "$REPLY"
  engine_facts "$user"
  [[ ! -f $STACK/data-path ]] || IFS= read -r recorded <"$STACK/data-path" || true
  text=${data_path:-$recorded}
  disk_facts root / docker "$DOCKER_ROOT" data "${text:-$DOCKER_ROOT}" && put_raw disks "$REPLY"
  stack_facts "$data_path" "$DOCKER_ROOT"
  lock_facts "$turn" "$busy" && put_raw lock "$REPLY"
  # Not among the facts, which are shown to people; null where there is no such file.
  [[ ! -f $STACK/front/users ]] ||
    printf '\n%s:users %s' "$marker" "$(head -c "$TEXT_LIMIT" -- "$STACK/front/users" | base64 -w 0)"
  printf '\n%s {%s}\n' "$marker" "$OUT"
}
