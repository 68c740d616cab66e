# shellcheck shell=bash
#
# Sets up an instance, step by step; the steps of packages and containers are in files of their own. Sent after facts.sh,
# in one piece with a last line that calls `apply`; so nothing runs unless all of it arrived. Every step can be repeated,
# and can be cut off anywhere.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

say() { printf '%s\n' "$*"; }

# wait_for SECONDS COMMAND …: until the command succeeds; fails when it does not within the time.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
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

# bounded COMMAND …: both outputs of a command, up to a limit: what a variable takes in must have an end. A command that
# goes on printing ends by the broken pipe.
bounded() { "$@" 2>&1 | head -c 1048576; }

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

# step_install_compose SIZE SHA256 RELEASE_FILE RELEASE PATH: the program is what follows on standard input.
step_install_compose() {
  local directory=${5%/*} temporary
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
  printf '%s\n' 'being replaced' "$5" | put_file "$3" 0644
  mv -fT -- "$temporary" "$5"
  sync -- "$directory"
  printf '%s\n' "$4" "$5" | put_file "$3" 0644
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

step_add_group() {
  groupadd --system -- "$1"
}

step_add_to_group() {
  usermod -aG docker -- "$1"
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

# apply TOKEN RUN TURN FACTS_ARGUMENT …: calls the function `plan`, which calls `step`; then the facts are printed. A
# plan that was made before the last run changed the instance (its TURN is not that of the lock) is out of date: only the
# facts are printed then, for another one.
apply() {
  TOKEN=$1
  local run=$2 turn=$3
  shift 3
  # Between the steps and the connection stands a process that reads on when the connection is lost. So the step that
  # is at work then comes to its own end, and is not torn apart by a broken pipe; then no other begins. A step
  # that prints without an end has none of its own, so the reading has one.
  CUT_OFF=
  trap 'CUT_OFF=yes' USR1
  exec 3> >(trap '' PIPE; cat 2>/dev/null && exit; kill -USR1 "$$"; head -c 8388608 >/dev/null)
  take_lock "$run"
  last_turn
  if [[ $REPLY != "$turn" ]]; then
    printf '\n%s outdated %s\n' "$TOKEN" "${REPLY#* }" >&3
  else
    printf '%s %s\n' "$TOKEN" "$run" >"$LOCK"
    plan
  fi
  # shellcheck disable=SC2034 # of lock.sh
  HOLDS_LOCK=yes
  facts "$TOKEN facts" "$@" >&3
  if [[ -f $LOCK.awaited ]] && ! flock --nonblock "$LOCK.awaited" true; then
    IFS= read -r REPLY <"$LOCK.awaited" || true
    printf '\n%s awaited %s\n' "$TOKEN" "$REPLY" >&3
  fi
  exit 0
}
