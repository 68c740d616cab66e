# shellcheck shell=bash
#
# The facts about the services of the stack: containers, ports, data, networks, and the rules for packets. Sent after
# json.sh; facts.sh calls `begin_stack_facts` at its start and `stack_facts` at its end. Changes nothing.

PROJECT=gce-registry
VOLUME=${PROJECT}_registry-data
# Patience with a service whose container runs, and is not called unhealthy by Docker, and that does not answer.
PATIENCE=30
# Marks a directory as the registry's data.
DATA_MARK=.gce-registry-id

CONTAINER='{"name":{{json .Name}},"image":{{json .Config.Image}},"imageId":{{json .Image}},"state":{{json .State.Status}},'
CONTAINER+='"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}},"exitCode":{{.State.ExitCode}},'
CONTAINER+='"restarts":{{.RestartCount}},"startedAt":{{json .State.StartedAt}},'
CONTAINER+='"restartPolicy":{{json .HostConfig.RestartPolicy.Name}},'
CONTAINER+='"project":{{json (index .Config.Labels "com.docker.compose.project")}},'
CONTAINER+='"service":{{json (index .Config.Labels "com.docker.compose.service")}},'
CONTAINER+='"spec":{{json (index .Config.Labels "gce-registry.spec")}},"asked":{{json .HostConfig.PortBindings}},'
CONTAINER+='"published":{{json .NetworkSettings.Ports}},"dataSource":{{json .Mounts}},'
CONTAINER+="\"networkId\":{{json (index .NetworkSettings.Networks \"${PROJECT}_default\")}}}"

IMAGE='{"id":{{json .Id}},"created":{{json .Created}},"pulled":{{json .Metadata.LastTagTime}}}'

# inspected_containers: all there are, one a line.
inspected_containers() {
  local ids
  mapfile -t ids < <(timeout 15 docker container ls --all --quiet --no-trunc 2>/dev/null)
  ((${#ids[@]})) || return 0
  timeout 15 docker container inspect --format "$CONTAINER" "${ids[@]}" 2>/dev/null
}

# front_complaint SINCE: why the front got no certificate the last time since then, as its log has it.
front_complaint() {
  timeout 15 docker logs --since "$1" "$PROJECT-front-1" 2>&1 |
    sed -nE 's/.*"msg":"could not get certificate from issuer".*"error":"(([^"\\]|\\.)*)".*/\1/p' | tail -n 1 | head -c 2000
}

# inspected_images: those of our containers.
inspected_images() {
  local names
  mapfile -t names < <(timeout 15 docker container ls --all --no-trunc --filter "label=com.docker.compose.project=$PROJECT" \
    --quiet 2>/dev/null | xargs -r timeout 15 docker container inspect --format '{{.Image}}' 2>/dev/null | sort -u)
  ((${#names[@]})) || return 0
  timeout 15 docker image inspect --format "$IMAGE" "${names[@]}" 2>/dev/null
}

# http_status SCHEME PORT PATH [ADDRESS] [SECONDS]: prints the status code of `GET PATH` from a port of this machine, or of a
# container; nothing when it does not answer (plain HTTP: within 3 s). 502 is the front's, for what does not answer it. Whose certificate it is does not matter here.
http_status() {
  local port=$2 address=${4:-127.0.0.1} request line
  printf -v request 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$3"
  if [[ $1 == https ]]; then
    line=$(timeout 5 openssl s_client -quiet -ign_eof -connect "$address:$port" -servername localhost 2>/dev/null \
      <<<"$request" | head -n 1)
  else
    { exec 8<>"/dev/tcp/$address/$port"; } 2>/dev/null || return 0
    printf '%s' "$request" >&8 2>/dev/null
    IFS= read -r -t "${5:-3}" line <&8 2>/dev/null || return 0
  fi
  [[ $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) && ${BASH_REMATCH[1]} != 502 ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

# A front that is to speak TLS, and speaks plain HTTP yet, is there, and need not be waited for: `plain` stands behind its status.
# One that speaks TLS answers plain HTTP as well, by a redirect.
present_status() {
  local status
  status=$(http_status "$@")
  if [[ -z $status && $1 == https ]]; then
    status=$(http_status http "${@:2}")
    [[ -z $status || $status == 3* ]] || status+=' plain'
  fi
  printf '%s\n' "$status"
}

# Prints the output of present_status, asking for up to PATIENCE seconds until there is one.
patient_status() {
  local end=$((SECONDS + PATIENCE)) status=
  while [[ -z $status ]] && ((SECONDS < end)); do
    sleep 0.5
    status=$(present_status "$@")
  done
  printf '%s\n' "$status"
}

# begin_stack_facts WITH_DOCKER WITH_IMAGES SERVICE:SCHEME:PORT:PATH …: starts the commands that take long.
begin_stack_facts() {
  local with_docker=$1 with_images=$2 endpoint service scheme port path fd filter=
  shift 2
  ENDPOINTS=("$@")
  declare -gA PROBE_FDS=()
  CONTAINERS_FD='' IMAGES_FD='' COMPLAINT_FD=''
  if [[ $with_docker == true ]]; then
    exec {CONTAINERS_FD}< <(inspected_containers)
    if [[ $with_images == true ]]; then
      exec {IMAGES_FD}< <(inspected_images)
      exec {COMPLAINT_FD}< <(front_complaint 48h)
    fi
  fi
  for endpoint in "$@"; do
    IFS=: read -r service scheme port path <<<"$endpoint"
    filter+="${filter:+ or }sport = :$port"
    exec {fd}< <(present_status "$scheme" "$port" "$path")
    PROBE_FDS[$service]=$fd
  done
  exec {LISTENERS_FD}< <(ss -Hltnp "${filter:-sport = :0}" 2>/dev/null)
  exec {RULES_FD}< <(iptables -w 5 -S 2>/dev/null | head -c 200000 | base64 -w 0)
  exec {TRANSLATIONS_FD}< <(iptables -w 5 -t nat -S DOCKER 2>/dev/null | head -c 100000 | base64 -w 0)
  exec {CHAINS_FD}< <(nft list chains 2>/dev/null)
}

# stack_facts DATA_PATH DOCKER_ROOT: puts all of them.
stack_facts() {
  local data_path=$1 docker_root=$2 containers complaint=
  REPLY='[]' && { [[ -z $CONTAINERS_FD ]] || json_list <&"$CONTAINERS_FD"; }
  containers=$REPLY
  probe_facts "$containers" && put_raw probes "$REPLY"
  put plain "${PLAIN[*]}"
  put_raw containers "$containers"
  REPLY='[]' && { [[ -z $IMAGES_FD ]] || json_list <&"$IMAGES_FD"; } && put_raw images "$REPLY"
  listener_facts <&"$LISTENERS_FD" && put_raw listeners "$REPLY"
  volume_directory "$containers" "$docker_root" && data_facts "$data_path" "$REPLY" && put_raw data "$REPLY"
  network_facts && put_raw network "$REPLY"
  rule_facts && put_raw packetRules "$REPLY"
  [[ -z $COMPLAINT_FD ]] || IFS= read -r complaint <&"$COMPLAINT_FD" || true
  put frontComplaint "$complaint"
}

# probe_facts CONTAINERS: the first answers; where one is missing and its container runs, it is waited for.
probe_facts() {
  local OUT='' endpoint service scheme port path fd status plain containers=$1
  declare -A later=()
  PLAIN=()
  for endpoint in "${ENDPOINTS[@]}"; do
    IFS=: read -r service scheme port path <<<"$endpoint"
    status= && read -r status plain <&"${PROBE_FDS[$service]}"
    # A port that no container publishes yet answers nobody, however long one waits.
    if [[ -z $status && $containers == *"\"HostPort\":\"$port\""* ]] && is_expected "$service" "$containers"; then
      exec {fd}< <(patient_status "$scheme" "$port" "$path")
      later[$service]=$fd
    else
      put_raw "$service" "${status:-null}"
      [[ -z $plain ]] || PLAIN+=("$service")
    fi
  done
  for service in "${!later[@]}"; do
    status= && read -r status plain <&"${later[$service]}"
    put_raw "$service" "${status:-null}"
    [[ -z $plain ]] || PLAIN+=("$service")
  done
  REPLY="{$OUT}"
}

# is_expected SERVICE CONTAINERS: its container runs, and Docker does not call it unhealthy.
is_expected() {
  local line
  while IFS= read -r line; do
    [[ $line == *"\"project\":\"$PROJECT\",\"service\":\"$1\""* ]] || continue
    [[ $line == *'"state":"running"'* && $line != *'"health":"unhealthy"'* ]] && return 0
  done <<<"${2//\},\{\"name\":/$'\n'}"
  return 1
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

# volume_directory CONTAINERS DOCKER_ROOT: sets REPLY to where the volume is. Where a container has it, Docker has said so
# already; each further call of Docker's command costs a tenth of a warm run.
volume_directory() {
  local mount="\"Name\":\"$VOLUME\",\"Source\":\"([^\"\\]+)\""
  if [[ $1 =~ $mount ]]; then
    REPLY=${BASH_REMATCH[1]}
    return
  fi
  REPLY=
  [[ -z $CONTAINERS_FD ]] || REPLY=$(timeout 15 docker volume inspect --format '{{.Mountpoint}}' "$VOLUME" 2>/dev/null)
  : "${REPLY:=${2%/}/volumes/$VOLUME/_data}"
}

# Whether a directory is the root of a registry that has repositories.
holds_images() {
  compgen -G "${1//[\\*?[]/?}/docker/registry/v2/repositories/*" >/dev/null
}

# directory_facts PATH
directory_facts() {
  local OUT='' path=$1 real='' ready=false holds=false id=''
  if [[ -n $path ]]; then
    real=$(realpath -m -- "$path")
    [[ -d $path/docker ]] && ready=true
    holds_images "$path" && holds=true
    [[ ! -f $path/$DATA_MARK ]] || IFS= read -r id <"$path/$DATA_MARK" || true
  fi
  put path "$path"
  put real "$real"
  put_raw ready "$ready"
  put_raw holdsImages "$holds"
  put id "$id"
  REPLY="{$OUT}"
}

# data_facts DATA_PATH VOLUME_DIRECTORY: where the registry's data is, was, and is to be.
data_facts() {
  local OUT='' recorded='' lines=()
  [[ ! -f $STACK/data-path ]] || IFS= read -r recorded <"$STACK/data-path" || true
  directory_facts "$recorded" && put_raw recorded "$REPLY"
  directory_facts "$1" && put_raw wanted "$REPLY"
  directory_facts "$2" && put_raw volume "$REPLY"
  if [[ -f $STACK/data-id ]]; then
    mapfile -t -n 3 lines <"$STACK/data-id"
    identity_facts "${lines[0]-}" "${lines[1]-}" "${lines[2]-}"
  else
    REPLY=null
  fi
  put_raw identity "$REPLY"
  REPLY="{$OUT}"
}

identity_facts() {
  local OUT=''
  put id "$1"
  put mount "$2"
  put fileSystem "$3"
  REPLY="{$OUT}"
}

network_facts() {
  local OUT='' ipv6=false chosen='' line
  # As Docker finds it out: it listens on ::1.
  if [[ -r /proc/net/if_inet6 ]] && grep -q '^0\{31\}1 ' /proc/net/if_inet6; then ipv6=true; fi
  put_raw ipv6 "$ipv6"
  addresses_facts < <(ip -4 -o addr show 2>/dev/null) && put_raw addresses "$REPLY"
  route_facts < <(ip -4 route show 2>/dev/null) && put_raw routes "$REPLY"
  if [[ -f $STACK/compose.yaml ]]; then
    while IFS= read -r line; do
      [[ $line =~ ^networks:.*\"subnet\":\"([0-9./]+)\" ]] && chosen=${BASH_REMATCH[1]}
    done <"$STACK/compose.yaml"
  fi
  put chosen "$chosen"
  REPLY="{$OUT}"
}

# From the output of `ip -4 -o addr show` on standard input.
addresses_facts() {
  local OUT list='' device cidr
  while read -r _ device _ cidr _; do
    OUT=
    put cidr "$cidr"
    put device "$device"
    list+="${list:+,}{$OUT}"
  done
  REPLY="[$list]"
}

# From the output of `ip -4 route show` on standard input.
route_facts() {
  local OUT list='' line cidr device
  while IFS= read -r line; do
    cidr=${line%% *} device=
    [[ $line =~ \ dev\ ([^ ]+) ]] && device=${BASH_REMATCH[1]}
    [[ $cidr != default ]] || { [[ $line =~ \ via\ ([0-9.]+) ]] && cidr=${BASH_REMATCH[1]}; }
    [[ $cidr =~ ^[0-9.]+(/[0-9]+)?$ ]] || continue
    [[ $cidr == */* ]] || cidr+=/32
    OUT=
    put cidr "$cidr"
    put device "$device"
    list+="${list:+,}{$OUT}"
  done
  REPLY="[$list]"
}

# The tables of nftables with chains for packets that are passed on or taken in. Those of iptables are read as such.
rule_facts() {
  local OUT='' text='' line table='' list='' by_docker=false
  declare -A tables=()
  while IFS= read -r line; do
    if [[ $line =~ ^table\ (ip|ip6|inet)\ ([^ ]+)\ \{ ]]; then
      table="${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
      [[ $table != 'ip docker-bridges' ]] || by_docker=true
    elif [[ $line =~ ^table ]]; then
      table=
    elif [[ $line =~ type\ filter\ hook\ (forward|input) && -n $table ]]; then
      [[ $table == 'ip filter' || $table == 'ip6 '* || $table == *docker-bridges ]] || tables[$table]=yes
    fi
  done <&"$CHAINS_FD"
  for table in "${!tables[@]}"; do
    text=$(nft -j list table "${table% *}" "${table#* }" 2>/dev/null | head -c 300001)
    ((${#text} > 300000 || ${#text} == 0)) || list+="${list:+,}${text//$'\n'/}"
  done
  text= && read -r text <&"$RULES_FD"
  put filter "$text"
  text= && read -r text <&"$TRANSLATIONS_FD"
  put translations "$text"
  put_raw nftables "[$list]"
  put_raw dockerUsesNftables "$by_docker"
  REPLY="{$OUT}"
}
