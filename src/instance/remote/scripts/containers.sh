# shellcheck shell=bash
#
# The steps that have to do with the registry's images and containers.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

# Orders Docker after the disk of the registry's data.
DATA_DROP_IN=/etc/systemd/system/docker.service.d/gce-registry-data.conf

# Pulls side by side.
step_pull_images() {
  local image pids=() failed=0
  for image in "$@"; do
    pull_image "$image" &
    pids+=("$!")
  done
  for image in "${pids[@]}"; do wait "$image" || failed=1; done
  return "$failed"
}

# What another try cannot mend is not tried again; an image that is there will do when its registry does not answer.
pull_image() {
  local try output
  local final='not found|manifest unknown|denied|unauthorized|invalid reference|no matching manifest'
  # Docker with containerd's store prints what the registry says of a limit, and leaves its code out.
  final+='|toomanyrequests|pull rate limit|no space left on device'
  for try in 1 2 3 4; do
    if output=$(bounded docker pull -- "$1"); then
      say "$output"
      return 0
    fi
    say "$output"
    if docker image inspect -- "$1" >/dev/null 2>&1; then
      say "Using $1 as it is on the instance"
      return 0
    fi
    [[ ! $output =~ $final ]] && ((try < 4)) || return 1
    say "Trying $1 again in $((try * 5)) s (try $((try + 1)) of 4)"
    sleep $((try * 5))
  done
}

compose() {
  local files=(-f "$STACK/compose.yaml")
  [[ ! -f $STACK/compose.override.yaml ]] || files+=(-f "$STACK/compose.override.yaml")
  docker compose --project-directory "$STACK" "${files[@]}" "$@"
}

# `compose up …`; again, for up to 60 s, where somebody else removes or makes the same containers at the same time.
compose_up() {
  local output deadline=$((SECONDS + 60))
  local race='No such container|already in progress|marked for removal|is already in use by container|network .*not found'
  until output=$(bounded compose up --detach --quiet-pull "$@"); do
    say "$output"
    [[ $output =~ $race ]] && ((SECONDS < deadline)) || return 1
    say 'Somebody else works at the same containers: trying again in 2 s, for up to 60 s'
    sleep 2
  done
  say "$output"
}

# step_configure_front BASE64 IMAGE: a front that runs loads it first, so that what lies in its place is what it has loaded.
# A run that is cut off in between leaves the old file, and the next one does all of it again. It gets the text, not the
# file: where somebody removed the directory, its container still has the old one. One that is about to be made from
# another IMAGE (else it is empty) is not asked, but that image: as long as it refuses, nothing else changes.
step_configure_front() {
  if [[ -n $2 ]]; then
    base64 -d <<<"$1" | check_front "$2"
  elif front_runs; then
    base64 -d <<<"$1" | load_front
  fi
  base64 -d <<<"$1" | put_file "$STACK/front/Caddyfile" 0644
}

# step_write_users [BASE64]: without it, the file goes. A front that runs and reads it loads it first, in place of the line that
# names it: so what lies there is what it has loaded, and a run that is cut off is done again. What Caddy says could quote it.
step_write_users() {
  local users line
  if [[ -z ${1-} ]]; then
    rm -f -- "$STACK/front/users"
    return
  fi
  users=$(base64 -d <<<"$1")
  if front_runs && grep -qsx 'import /etc/caddy/users' "$STACK/front/Caddyfile"; then
    while IFS= read -r line; do
      if [[ $line == 'import /etc/caddy/users' ]]; then line=$users; fi
      printf '%s\n' "$line"
    done <"$STACK/front/Caddyfile" | load_front >/dev/null || {
      say 'Caddy does not take the logins'
      return 1
    }
  fi
  printf '%s\n' "$users" | put_file "$STACK/front/users" 0600
}

# check_front IMAGE: whether Caddy, if it is one, takes what comes on standard input.
check_front() {
  local name=$PROJECT-front-check
  mkdir -p -- "$STACK/front"
  # Of a run that was killed.
  docker container rm --force "$name" >/dev/null 2>&1 || true
  bounded timeout 60 docker run --rm --interactive --name "$name" --network none --volume "$STACK/front:/etc/caddy:ro" \
    --entrypoint caddy -- "$1" validate --config - --adapter caddyfile
}

front_runs() {
  [[ $(docker container inspect --format '{{.State.Status}}' "$PROJECT-front-1" 2>/dev/null) == running ]]
}

# Caddy takes a new configuration by opening its ports a second time and closing them the first time. Connections that wait
# there to be accepted are reset by the kernel, unless it is told to hand them on, as Linux can since 5.14:
# https://docs.kernel.org/networking/ip-sysctl.html (tcp_migrate_req). It is told so for the network of the container.
keep_waiting_connections() {
  local pid
  pid=$(docker container inspect --format '{{.State.Pid}}' "$PROJECT-front-1" 2>/dev/null) || return 0
  nsenter --target "$pid" --net sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_migrate_req' 2>/dev/null || true
}

# load_front: what comes on standard input, also where only the files that it names are others. Caddy goes on as before where
# it refuses it. On a busy machine it can be Docker that fails, before Caddy was asked: that is tried again.
load_front() {
  local config output try
  config=$(cat)
  keep_waiting_connections
  for try in 1 2 3; do
    if output=$(bounded timeout 60 docker exec --interactive "$PROJECT-front-1" caddy reload --force --config - \
      --adapter caddyfile --address unix//run/front/admin.sock <<<"$config"); then
      say "$output"
      return 0
    fi
    say "$output"
    [[ ! $output =~ (^|$'\n')Error:\  ]] && ((try < 3)) || return 1
    say "Docker did not get to Caddy: trying again (try $((try + 1)) of 3)"
  done
}

# By it the registry knows an upload again that began before it was started. It never leaves the instance.
ensure_registry_secret() {
  local secret
  [[ ! -s $STACK/registry.env ]] || return 0
  secret=$(head -c 32 /dev/urandom | base64 -w 0 | tr -d '=+/')
  printf 'REGISTRY_HTTP_SECRET=%s\n' "$secret" | put_file "$STACK/registry.env" 0600
}

# The account with the certificate authority, what it signed, and what was asked for: by whatever the front is replaced, they stay.
ensure_front_directories() {
  ! grep -qs "\"source\":\"$STACK/acme\"" "$STACK/compose.yaml" || install -d -m 0700 -- "$STACK/acme"
  install -d -m 0700 -- "${ASKED_LOG%/*}"
}

# Compose makes a container under a passing name when it replaces one. Killed before it gives it its own, it would go
# on with that one later, under the wrong name.
remove_unnamed() {
  local id name service
  while read -r id name service; do
    [[ $name != "$PROJECT-$service-1" ]] || continue
    docker container rm --force "$id" >/dev/null || true
  done < <(docker container ls --all --filter "label=com.docker.compose.project=$PROJECT" \
    --format '{{.ID}} {{.Names}} {{.Label "com.docker.compose.service"}}')
}

# Not every release of Compose makes a network anew whose settings have changed: remove_network SUBNET
remove_network() {
  local subnets
  [[ -n $1 ]] || return 0
  subnets=$(docker network inspect --format '{{range .IPAM.Config}}{{.Subnet}} {{end}}' "${PROJECT}_default" 2>/dev/null) || return 0
  [[ " $subnets" != *" $1 "* ]] || return 0
  say "The network of the containers is to be $1, and is $subnets"
  compose down --remove-orphans 2>&1
}

answers() { [[ -n $(http_status "$@") ]]; }

health_of() {
  timeout 15 docker container inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' \
    "$PROJECT-$1-1" 2>/dev/null
}

# keeps_ending SERVICE: Docker has started its container again six times, in some 7 s, and it does not run.
keeps_ending() {
  local state
  state=$(timeout 15 docker container inspect --format '{{.RestartCount}} {{.State.Status}}' "$PROJECT-$1-1" 2>/dev/null) &&
    ((${state% *} >= 6)) && [[ ${state#* } == restarting ]]
}

# await_answer SERVICE SCHEME PORT PATH: for up to 120 s, unless a container of it keeps ending. Its container, or the front's,
# that Docker calls unhealthy meanwhile is made anew, once.
await_answer() {
  local each renewed=false end=$((SECONDS + 120))
  until answers "${@:2}"; do
    ((SECONDS < end)) || return 1
    for each in "$1" front; do
      ! keeps_ending "$each" || return 1
      [[ $renewed == false && $(health_of "$each") == unhealthy ]] || continue
      ! answers "${@:2}" || return 0
      say "Docker calls the container of $each unhealthy, and $1 does not answer: making it anew"
      compose_up --no-deps --force-recreate "$each"
      renewed=true end=$((SECONDS + 120))
    done
    sleep 0.1
  done
}

# step_start_containers SERVICE:SCHEME:PORT:PATH,… SUBNET SERVICE,… SERVICE,… PORT:everywhere|loopback,… SERVICE:SCHEME:PORT:PATH,…:
# starts what is not as it should be. Of the lists of services, the first are those that give up their port before, the second
# those whose containers are made anew. The last two are for the hand-over of the front; empty where it is not replaced.
step_start_containers() {
  local endpoints stopping anew
  IFS=, read -r -a endpoints <<<"$1"
  IFS=, read -r -a stopping <<<"$3"
  IFS=, read -r -a anew <<<"$4"
  ensure_registry_secret
  ensure_front_directories
  mend_hand_over
  remove_unnamed
  remove_network "$2"
  ((${#stopping[@]} == 0)) || compose rm --stop --force "${stopping[@]}" 2>&1
  hand_over_front "$5" "$6"
  begin_watch "$5"
  ((${#anew[@]} == 0)) || compose_up --no-deps --force-recreate "${anew[@]}"
  compose_up --remove-orphans
  take_back_front "$6"
  await_answers "${endpoints[@]}"
  end_watch "$5"
}

# await_answers SERVICE:SCHEME:PORT:PATH …
await_answers() {
  local endpoint service scheme port path
  for endpoint in "$@"; do
    IFS=: read -r service scheme port path <<<"$endpoint"
    if await_answer "$service" "$scheme" "$port" "$path"; then continue; fi
    compose logs --no-color --tail 20 "$service" front || true
    compose ps --all || true
    say "The container of $service does not answer on port $port"
    return 1
  done
}

# step_mark_data DIRECTORY: gives the registry's data an id, if it has none, and writes down which it is and on what file
# system. Without a DIRECTORY: the named volume.
step_mark_data() {
  local directory=$1 id='' mount file_system
  [[ -n $directory ]] || directory=$(docker volume inspect --format '{{.Mountpoint}}' "$VOLUME")
  [[ ! -f $directory/$DATA_MARK ]] || IFS= read -r id <"$directory/$DATA_MARK" || true
  if [[ -z $id ]]; then
    read -r id </proc/sys/kernel/random/uuid
    printf '%s\n' "$id" | put_file "$directory/$DATA_MARK" 0644
  fi
  mount=$(findmnt -n -o TARGET -T "$directory" | tail -n 1) || mount=
  file_system=$(findmnt -n -o FSTYPE,SOURCE,UUID -T "$directory" | tail -n 1 | tr -s ' ') || file_system=
  wait_for_mount "$1" "$mount"
  printf '%s\n%s\n%s\n' "$id" "$mount" "$file_system" | put_file "$STACK/data-id" 0644
}

# wait_for_mount DIRECTORY MOUNT: at boot Docker starts after the disk of the data is mounted, if it is mounted at all;
# at shutdown it ends before. An order alone: Docker does not depend on it.
wait_for_mount() {
  local drop_in=$DATA_DROP_IN unit=
  if [[ -n $1 && -n $2 && $2 != / ]]; then unit=$(systemd-escape --path --suffix=mount "$2") || unit=; fi
  if [[ -n $unit ]]; then
    printf '# Written by gce-registry-action: the disk of data-path.\n[Unit]\nAfter=%s\n' "${unit//%/%%}" | put_file "$drop_in" 0644
  elif [[ -f $drop_in ]]; then
    rm -f -- "$drop_in"
  else
    return 0
  fi
  systemctl daemon-reload || true
}
