# shellcheck shell=bash
#
# Reads the state of an instance and prints it as one line: a marker, a blank and a JSON document, whose shape is
# described in facts.ts. Before that, at once, a line `MARKER:client ADDRESS` says who asks. Changes nothing. Commands
# that take long run side by side.
#
# Sent after environment.sh, json.sh, lock.sh and facts-engine.sh.
#
#   facts MARKER SSH_CONNECTION USER REGISTRY_PORT UI_PORT DATA_PATH

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin

STACK=/etc/gce-registry
VOLUME=gce-registry_registry-data
FILES=(
  /etc/apt/sources.list.d/docker.sources /etc/docker/daemon.json
  "$STACK/compose.yaml" "$STACK/compose.override.yaml" "$STACK/compose-release" "$STACK/data-path"
)
# Files whose text is wanted, up to so many bytes.
TEXTS=(/etc/docker/daemon.json "$STACK/compose-release")
TEXT_LIMIT=65536

CONTAINER='{"name":{{json .Name}},"image":{{json .Config.Image}},"state":{{json .State.Status}},'
CONTAINER+='"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}},"exitCode":{{.State.ExitCode}},'
CONTAINER+='"restarts":{{.RestartCount}},"startedAt":{{json .State.StartedAt}},'
CONTAINER+='"project":{{json (index .Config.Labels "com.docker.compose.project")}},'
CONTAINER+='"service":{{json (index .Config.Labels "com.docker.compose.service")}},'
CONTAINER+='"spec":{{json (index .Config.Labels "gce-registry.spec")}},'
CONTAINER+='"ports":{{json .HostConfig.PortBindings}},"mounts":{{json .Mounts}}}'

RUNNING='{"name":{{json .Names}},"image":{{json .Image}},"ports":{{json .Ports}},'
RUNNING+='"project":{{json (.Label "com.docker.compose.project")}}}'

# Prints the status code of `GET PATH` from a port of this machine; nothing when it does not answer.
http_status() {
  local port=$1 path=$2 line
  { exec 8<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 0
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$path" >&8 2>/dev/null
  IFS= read -r -t 3 line <&8 2>/dev/null || return 0
  [[ $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

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
  for path in "${TEXTS[@]}"; do
    [[ -f $path ]] || continue
    text=$(head -c "$TEXT_LIMIT" -- "$path" | base64 -w 0)
    put "$path" "$text"
  done
  REPLY="{$OUT}"
}

# From the output of `ss -Hltnp` on standard input.
listener_facts() {
  local OUT list='' _ address process
  while read -r _ _ _ address _ process; do
    OUT=
    put address "${address%:*}"
    put_raw port "${address##*:}"
    [[ $process =~ \(\(\"([^\"]*)\" ]] && process=${BASH_REMATCH[1]}
    put process "$process"
    list+="${list:+,}{$OUT}"
  done
  REPLY="[$list]"
}

# From the output of `iptables -S FORWARD` and `iptables -t nat -S DOCKER` on standard input.
forwarding_fact() {
  local line translates=false forward=()
  while read -r line; do
    case $line in
      -[PA]' FORWARD '*) forward+=("$line") ;;
      *' -j DNAT '*) translates=true ;;
    esac
  done
  REPLY=false
  if [[ $translates == true && ${forward[*]} == '-P FORWARD DROP' ]]; then REPLY=true; fi
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

# Whether a directory is the root of a registry that has repositories.
holds_images() {
  compgen -G "${1//[\\*?[]/?}/docker/registry/v2/repositories/*" >/dev/null
}

# data_facts DATA_PATH DOCKER_ROOT: where the registry's data is, was, and is to be.
data_facts() {
  local OUT='' recorded='' volume="$2/volumes/$VOLUME/_data" exists=false wanted=false previous=false in_volume=false
  [[ ! -f $STACK/data-path ]] || IFS= read -r recorded <"$STACK/data-path"
  [[ -n $recorded ]] && holds_images "$recorded" && previous=true
  [[ -n $1 && -d $1 ]] && exists=true
  [[ -n $1 ]] && holds_images "$1" && wanted=true
  holds_images "$volume" && in_volume=true
  put recorded "$recorded"
  put_raw recordedHoldsImages "$previous"
  put_raw wantedHoldsImages "$wanted"
  put_raw wantedExists "$exists"
  put volume "$volume"
  put_raw volumeHoldsImages "$in_volume"
  REPLY="{$OUT}"
}

facts() {
  local marker=$1 connection=$2 user=$3 registry_port=$4 ui_port=$5 data_path=$6
  local OUT='' REPLY='' client text systemd=false inspect_fd='' running_fd='' turn busy=false

  last_turn
  turn=$REPLY
  is_busy && busy=true

  read -r client _ <<<"$connection"
  printf '\n%s:client %s\n' "$marker" "$client"

  # Started first, read last.
  begin_engine_facts
  if [[ $WITH_DOCKER == true ]]; then
    exec {inspect_fd}< <(timeout 15 docker container inspect --format "$CONTAINER" \
      gce-registry-registry-1 gce-registry-ui-1 2>/dev/null)
    exec {running_fd}< <(timeout 15 docker ps --no-trunc --format "$RUNNING" 2>/dev/null)
  fi
  local forward_fd listeners_fd registry_fd ui_fd
  exec {forward_fd}< <(iptables -w 5 -S FORWARD 2>/dev/null && iptables -w 5 -t nat -S DOCKER 2>/dev/null)
  exec {listeners_fd}< <(ss -Hltnp "( sport = :$registry_port or sport = :$ui_port )" 2>/dev/null)
  exec {registry_fd}< <(http_status "$registry_port" /v2/)
  exec {ui_fd}< <(http_status "$ui_port" /)

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
  disk_facts root / docker "$DOCKER_ROOT" data "${data_path:-$DOCKER_ROOT}" && put_raw disks "$REPLY"
  data_facts "$data_path" "$DOCKER_ROOT" && put_raw data "$REPLY"

  listener_facts <&"$listeners_fd" && put_raw listeners "$REPLY"
  forwarding_fact <&"$forward_fd" && put_raw forwardingBlocked "$REPLY"
  text= && read -r text <&"$registry_fd"
  put_raw registryStatus "${text:-null}"
  text= && read -r text <&"$ui_fd"
  put_raw uiStatus "${text:-null}"
  REPLY='[]' && { [[ -z $inspect_fd ]] || json_list <&"$inspect_fd"; } && put_raw containers "$REPLY"
  REPLY='[]' && { [[ -z $running_fd ]] || json_list <&"$running_fd"; } && put_raw running "$REPLY"
  lock_facts "$turn" "$busy" && put_raw lock "$REPLY"
  printf '\n%s {%s}\n' "$marker" "$OUT"
}
