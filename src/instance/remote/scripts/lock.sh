# shellcheck shell=bash
#
# The lock of an instance: runs that change it do so one after the other, each from facts that are those of its own
# turn. Sent after json.sh.

# Held by a run while it changes the instance. The line in it is of the run that did so last, and is new each time.
LOCK=/run/gce-registry/lock
LOCK_TIMEOUT=900

# Sets REPLY to the line in the lock's file; empty where no run has changed the instance since it was booted.
last_turn() {
  REPLY=
  [[ ! -f $LOCK ]] || IFS= read -r REPLY <"$LOCK" || true
}

# Whether another run is changing the instance now.
is_busy() {
  [[ -z ${HOLDS_LOCK-} && -f $LOCK ]] && ! flock --nonblock --shared "$LOCK" true
}

# lock_facts TURN BUSY: those read at the beginning. A turn that was taken meanwhile makes what was read a mixture.
lock_facts() {
  local OUT='' turn=$1 busy=$2
  last_turn
  [[ $REPLY == "$turn" ]] || busy=true
  put turn "$turn"
  put_raw busy "$busy"
  REPLY="{$OUT}"
}

# take_lock RUN [--shared]: waits until no other run changes the instance; with --shared others may read meanwhile.
# Whoever waits says so in a second lock, which all of them share, so that the run that works can tell its log. Both end
# with this process, however it ends.
take_lock() {
  local kind=${2---exclusive}
  install -d -m 0700 -- "${LOCK%/*}"
  exec 9<>"$LOCK"
  # Those who only read look at the lock for a moment.
  if flock "$kind" --timeout 1 9; then return 0; fi
  last_turn
  printf '\n%s waiting %s\n' "$TOKEN" "${REPLY#* }" >&3
  exec 7<>"$LOCK.awaited"
  flock --shared 7
  printf '%s\n' "$1" >"$LOCK.awaited"
  flock "$kind" --timeout "$LOCK_TIMEOUT" 9 || { printf '\n%s locked\n' "$TOKEN" >&3 && exit 1; }
  exec 7>&-
}

# wait_and_read TOKEN RUN FACTS_ARGUMENT …: prints the facts of a moment at which no run changes the instance.
wait_and_read() {
  # shellcheck disable=SC2034 # of take_lock
  TOKEN=$1
  local run=$2
  shift 2
  exec 3>&1
  take_lock "$run" --shared
  HOLDS_LOCK=yes
  facts "$TOKEN facts" "$@"
}
