# shellcheck shell=bash
#
# The steps that have to do with the registry's images and containers.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

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
  final+='|toomanyrequests|no space left on device'
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

# Compose makes a container under a passing name when it replaces one. Killed before it gives it its own, it would go
# on with that one later, under the wrong name.
remove_unnamed() {
  local id name
  while read -r id name; do
    [[ $name =~ ^gce-registry-(registry|ui)-1$ ]] || docker container rm --force "$id" >/dev/null || true
  done < <(docker container ls --all --filter label=com.docker.compose.project=gce-registry --format '{{.ID}} {{.Names}}')
}

answers() { [[ -n $(http_status "$1" "$2") ]]; }

# step_start_containers SERVICE:PORT:PATH,… SERVICE …: starts what is not as it should be; makes the containers of the
# services named anew.
step_start_containers() {
  local endpoints endpoint service port path
  IFS=, read -r -a endpoints <<<"$1"
  shift
  remove_unnamed
  (($# == 0)) || compose_up --no-deps --force-recreate "$@"
  compose_up --remove-orphans
  for endpoint in "${endpoints[@]}"; do
    IFS=: read -r service port path <<<"$endpoint"
    if wait_for 120 answers "$port" "$path"; then continue; fi
    compose logs --no-color --tail 20 "$service" || true
    compose ps --all || true
    say "The container of $service does not answer on port $port"
    return 1
  done
}
