# shellcheck shell=bash
#
# The steps that set up an instance. Sent after facts.sh, in one piece with a last line that calls `apply`; so nothing
# runs unless all of it arrived. Every step can be repeated, and can be cut off anywhere.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none

LOCK_TIMEOUT=900
APT_TIMEOUT=300
KEY_TIMEOUT=60

say() { printf '%s\n' "$*"; }

# wait_for SECONDS COMMAND …: until the command succeeds; fails when it does not within the time.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}

# Puts standard input into a file, so that it is there as a whole or not at all, whatever happens: put_file PATH MODE
put_file() {
  local path=$1 mode=$2 directory=${1%/*} temporary
  mkdir -p -- "$directory"
  rm -f -- "$directory/.${path##*/}".gce-registry.*
  temporary=$(mktemp -- "$directory/.${path##*/}.gce-registry.XXXXXXXX")
  cat >"$temporary"
  chmod -- "$mode" "$temporary"
  sync -- "$temporary"
  mv -fT -- "$temporary" "$path"
  sync -- "$directory"
}

apt_get() {
  apt-get -y -q -o DPkg::Lock::Timeout="$APT_TIMEOUT" -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
    -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# bounded COMMAND …: both outputs of a command, up to a limit: what a variable takes in must have an end. A command that
# goes on printing ends by the broken pipe.
bounded() { "$@" 2>&1 | head -c 1048576; }

# until_unlocked COMMAND …: runs a command of apt or dpkg that fails at once while another program holds their locks, as
# unattended-upgrades does, and tries again until it is free, for up to APT_TIMEOUT seconds a step. Its output is then
# in OUTPUT.
until_unlocked() {
  local waiting=
  : "${APT_DEADLINE:=$((SECONDS + APT_TIMEOUT))}"
  until OUTPUT=$(bounded "$@"); do
    if [[ ! $OUTPUT =~ (Could not get lock|[^$'\n']*lock was locked by)[^$'\n']* ]] || ((SECONDS >= APT_DEADLINE)); then
      return 1
    fi
    [[ -n $waiting ]] || say "Waiting for another program that uses apt, up to $APT_TIMEOUT s: ${BASH_REMATCH[0]}"
    waiting=yes
    sleep 1
  done
}

# DPkg::Lock::Timeout does not make `update` wait for the lock on the lists. Lists that cannot be fetched are no error
# yet: others may do, and the installation says what is missing.
update_package_lists() {
  until_unlocked apt_get update || true
  say "$OUTPUT"
}

# Finishes what a killed dpkg left half done. What cannot be configured for want of other packages is left to apt.
configure_packages() {
  until_unlocked dpkg --configure -a --force-confdef --force-confold || true
  [[ -z $OUTPUT ]] || say "$OUTPUT"
}

step_repair_packages() {
  configure_packages
  if ! apt_get --fix-broken install; then
    update_package_lists
    apt_get --fix-broken install
  fi
}

step_install_packages() {
  update_package_lists
  configure_packages
  apt_get install --no-install-recommends -- "$@"
}

# The engine comes with the packages; where policy-rc.d or a preset kept its service from starting, it is started here.
step_install_engine() {
  step_install_packages "$@"
  step_start_engine
}

step_remove_packages() {
  configure_packages
  apt_get remove -- "$@"
}

# step_install_keyring URL PATH
step_install_keyring() {
  local key
  say "Fetching $1 (up to $KEY_TIMEOUT s, with retries)"
  key=$(curl -fsSL --globoff --proto '=https,http' --retry 5 --retry-connrefused --retry-max-time "$((KEY_TIMEOUT / 2))" \
    --connect-timeout 10 --max-time "$((KEY_TIMEOUT / 2))" -- "$1" | head -c 1048576)
  if [[ $key != '-----BEGIN PGP PUBLIC KEY BLOCK-----'*'-----END PGP PUBLIC KEY BLOCK-----'* ]]; then
    say "$1 is not a PGP public key"
    return 1
  fi
  printf '%s\n' "$key" | put_file "$2" 0644
}

# Takes the entries of Docker's repository out of older files: two entries with different keys are an error of apt.
step_disable_apt_entries() {
  local file entry='^[[:space:]]*deb[[:space:]].*/linux/(debian|ubuntu)/?[[:space:]]+[^[:space:]]+[[:space:]]+stable'
  for file in "$@"; do
    if grep -vE '^[[:space:]]*(#|$)' -- "$file" | grep -qvE "$entry"; then
      say "Commenting out Docker's repository in $file"
      sed -E "\\~$entry~s~^~# In docker.sources now: ~" -- "$file" | put_file "$file" 0644
    else
      say "Removing $file"
      rm -f -- "$file"
    fi
  done
}

# step_write_file PATH BASE64
step_write_file() {
  base64 -d <<<"$2" | put_file "$1" 0644
}

step_remove_file() {
  rm -f -- "$1"
}

step_make_directory() {
  mkdir -p -- "$1"
}

# step_install_compose SIZE SHA256 RELEASE_FILE RELEASE: the program is what follows on standard input.
step_install_compose() {
  local directory=/usr/local/lib/docker/cli-plugins temporary
  mkdir -p -- "$directory"
  rm -f -- "$directory"/.docker-compose.gce-registry.*
  temporary=$(mktemp -- "$directory/.docker-compose.gce-registry.XXXXXXXX")
  head -c "$1" >"$temporary"
  if ! printf '%s  %s\n' "$2" "$temporary" | sha256sum --check --status; then
    rm -f -- "$temporary"
    say 'The Compose plugin did not arrive as it was sent'
    return 1
  fi
  chmod 0755 -- "$temporary"
  "$temporary" docker-cli-plugin-metadata </dev/null
  sync -- "$temporary"
  # Cut off from here on, the plugin is ours, and of no release that anybody asks for.
  printf 'being replaced\n' | put_file "$3" 0644
  mv -fT -- "$temporary" "$directory/docker-compose"
  sync -- "$directory"
  printf '%s\n' "$4" | put_file "$3" 0644
}

engine_answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

step_start_engine() {
  systemctl reset-failed docker.service docker.socket 2>/dev/null || true
  if systemctl enable --now docker.service && wait_for 60 engine_answers; then return 0; fi
  journalctl -u docker.service -n 20 --no-pager -o cat || true
  return 1
}

has_mirrors() {
  local mirror loaded
  loaded=$(timeout 10 docker info --format '{{range .RegistryConfig.Mirrors}}{{.}} {{end}}' 2>/dev/null) || return 1
  for mirror in "$@"; do [[ " $loaded" == *" ${mirror%/}/ "* || " $loaded" == *" ${mirror%/} "* ]] || return 1; done
}

# step_reload_engine MIRROR …: the daemon loads its file after the signal, not before `systemctl reload` returns.
step_reload_engine() {
  systemctl reload docker.service
  if wait_for 30 has_mirrors "$@"; then return 0; fi
  journalctl -u docker.service -n 20 --no-pager -o cat || true
  say "After 30 s the engine has not loaded its mirrors"
  return 1
}

step_add_to_group() {
  usermod -aG docker -- "$1"
}

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

# step NUMBER FUNCTION ARGUMENT …: runs one step between two marks; ends the script when it fails, or when nobody is
# there any more to read what it prints.
step() {
  local number=$1 function=$2 status
  shift 2
  [[ -z $CUT_OFF ]] || exit 1
  printf '\n%s begin %s\n' "$TOKEN" "$number" >&3
  if [[ $function == step_install_compose ]]; then
    (set -euo pipefail; "$function" "$@") >&3 2>&1
  else
    (set -euo pipefail; "$function" "$@") >&3 2>&1 </dev/null
  fi
  status=$?
  printf '\n%s end %s %s\n' "$TOKEN" "$number" "$status" >&3
  ((status == 0)) || exit 1
}

# take_lock RUN: waits until no other run changes the instance. Whoever waits says so in a second lock, which all of
# them share, so that the run that works can tell its log. Both end with this process, however it ends.
take_lock() {
  install -d -m 0700 -- "${LOCK%/*}"
  exec 9<>"$LOCK"
  # Those who only read look at the lock for a moment.
  if flock --timeout 1 9; then return 0; fi
  last_turn
  printf '\n%s waiting %s\n' "$TOKEN" "${REPLY#* }" >&3
  exec 7<>"$LOCK.awaited"
  flock --shared 7
  printf '%s\n' "$1" >"$LOCK.awaited"
  flock --timeout "$LOCK_TIMEOUT" 9 || { printf '\n%s locked\n' "$TOKEN" >&3 && exit 1; }
  exec 7>&-
}

# apply TOKEN RUN TURN PLAN FACTS_ARGUMENT …: PLAN is a function that calls `step`; then the facts are printed. A plan
# that was made before the last run changed the instance (its TURN is not that of the lock) is out of date: only the
# facts are printed then, for another one. The same without a PLAN.
apply() {
  TOKEN=$1
  local run=$2 turn=$3 plan=$4
  shift 4
  # Between the steps and the connection stands a process that reads on when the connection is lost. So the step that
  # is at work then comes to its own end, and is not torn apart by a broken pipe; then no other begins. A step
  # that prints without an end has none of its own, so the reading has one.
  CUT_OFF=
  trap 'CUT_OFF=yes' USR1
  exec 3> >(trap '' PIPE; cat 2>/dev/null && exit; kill -USR1 "$$"; head -c 8388608 >/dev/null)
  take_lock "$run"
  last_turn
  if [[ -n $plan && $REPLY != "$turn" ]]; then
    printf '\n%s outdated %s\n' "$TOKEN" "${REPLY#* }" >&3
  elif [[ -n $plan ]]; then
    printf '%s %s\n' "$TOKEN" "$run" >"$LOCK"
    "$plan"
  fi
  # shellcheck disable=SC2034 # of facts.sh
  HOLDS_LOCK=yes
  facts "$TOKEN facts" "$@" >&3
  if [[ -f $LOCK.awaited ]] && ! flock --nonblock "$LOCK.awaited" true; then
    IFS= read -r REPLY <"$LOCK.awaited" || true
    printf '\n%s awaited %s\n' "$TOKEN" "$REPLY" >&3
  fi
  exit 0
}
