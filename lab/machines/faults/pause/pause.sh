# shellcheck shell=bash
#
# Read by the action's remote shell before its script. Watches the commands that the script runs, and stops before one
# of them: files in /var/lib/gcelab/pause, which outlive a restart of the machine, say where, and tell what happened.
#
#   target   TURN COMMAND FUNCTION [ARGUMENT]: the step whose function is FUNCTION (`any`: whichever comes first), and
#            whose first argument is ARGUMENT, before its COMMAND-th command, or after its last where it has fewer. COMMAND
#            is a number, which counts whatever the step calls and waits for; or the name of a function, CALLER/FUNCTION
#            where more than one calls it, before whose first command it stops
#   plan     the steps of the last script that came so far, as the script has them
#   reached.TURN   written when the place is reached: the process id of the shell. Whoever comes there later, such as the run
#            after one that was killed, does not stop
#   go.TURN        made by whoever waits for that: the script goes on, as it does when there is another target
#
# It only looks: no variable of the script is changed, and no command skipped.
# shellcheck disable=SC2154,SC1090 # function, number: variables of the script's function `step`; the source is this file

unset BASH_ENV
GCELAB_SOURCE=${BASH_SOURCE[0]}
GCELAB_PAUSE=${GCELAB_PAUSE-/var/lib/gcelab/pause}
GCELAB_COUNT=${GCELAB_COUNT-0}
GCELAB_FIRST=${GCELAB_FIRST-}
GCELAB_PLAN=${GCELAB_PLAN-}

# gcelab_watch FUNCTION ARGUMENT …: called before each command, with the function it is in, and that one's arguments.
gcelab_watch() {
  local gcelab_turn gcelab_command gcelab_function gcelab_argument gcelab_name gcelab_calls=/
  if [[ -z ${function-} || ! -e $GCELAB_PAUSE/target ]]; then return 0; fi
  if [[ $1 == step ]]; then
    if [[ -z $GCELAB_PLAN ]]; then
      GCELAB_PLAN=written
      declare -f plan >"$GCELAB_PAUSE/plan.new"
      mv -f "$GCELAB_PAUSE/plan.new" "$GCELAB_PAUSE/plan"
    fi
    # Behind its `shift` the arguments of `step` are those of the step's own function.
    GCELAB_FIRST=${2-}
  fi
  read -r gcelab_turn gcelab_command gcelab_function gcelab_argument <"$GCELAB_PAUSE/target" || return 0
  if [[ $gcelab_function != any && $function != "$gcelab_function" ]]; then return 0; fi
  if [[ -n $gcelab_argument && $GCELAB_FIRST != "$gcelab_argument" ]]; then return 0; fi
  for gcelab_name in "${FUNCNAME[@]:1}"; do
    gcelab_calls=/$gcelab_name$gcelab_calls
    if [[ $gcelab_name != "$function" ]]; then continue; fi
    if [[ $gcelab_command == [a-z]* ]]; then
      if [[ $gcelab_calls == */"$gcelab_command"/* ]]; then gcelab_stop "$gcelab_turn"; fi
      return 0
    fi
    GCELAB_COUNT=$((GCELAB_COUNT + 1))
    if ((GCELAB_COUNT == gcelab_command)); then gcelab_stop "$gcelab_turn"; fi
    return 0
  done
  # In `step` itself: the assignment of the function's status is the first command after it.
  if [[ $1 == step && $gcelab_command == [0-9]* && $BASH_COMMAND == 'status=$?' ]]; then
    gcelab_stop "$gcelab_turn"
  fi
  return 0
}

gcelab_stop() {
  if [[ -e $GCELAB_PAUSE/reached.$1 || -e $GCELAB_PAUSE/go.$1 ]]; then return 0; fi
  printf '%s\n' "$$" >"$GCELAB_PAUSE/reached.$1"
  local gcelab_turn=$1
  until [[ $gcelab_turn != "$1" || -e $GCELAB_PAUSE/go.$1 ]]; do
    sleep 0.05
    read -r gcelab_turn _ <"$GCELAB_PAUSE/target" || return 0
  done
}

set -o functrace
# The script removes every function that it did not define itself, so they are read again.
trap 'declare -F gcelab_watch >/dev/null || . "$GCELAB_SOURCE"; gcelab_watch "${FUNCNAME[0]-}" "$@"' DEBUG
