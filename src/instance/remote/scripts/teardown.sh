# shellcheck shell=bash
#
# The steps that take away what others have put there. Each can be repeated, and can be cut off anywhere: what tells that
# something is there goes last.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

# step_remove_stack DELETE_DATA DATA_PATH LOGIN_FOLLOWS: containers, their network and the configuration; the data with
# DELETE_DATA true. Where step_remove_login follows, the configuration goes there.
step_remove_stack() {
  local ids
  if command -v docker >/dev/null; then
    forget_rules
    mapfile -t ids < <(docker container ls --all --quiet --filter "label=com.docker.compose.project=$PROJECT")
    # A registry that is asked first ends its uploads in order.
    ((${#ids[@]} == 0)) || docker container stop -t 10 "${ids[@]}" >/dev/null
    ((${#ids[@]} == 0)) || docker container rm --force "${ids[@]}" >/dev/null
    ! docker network inspect "${PROJECT}_default" >/dev/null 2>&1 || docker network rm "${PROJECT}_default" >/dev/null
    [[ $1 != true ]] || ! docker volume inspect "$VOLUME" >/dev/null 2>&1 || docker volume rm "$VOLUME" >/dev/null
  fi
  # Only what bears the mark is the registry's.
  if [[ $1 == true && -n $2 && -f $2/$DATA_MARK ]]; then
    rm -rf -- "$2/docker"
    rm -f -- "$2/$DATA_MARK"
  fi
  if [[ -f $DATA_DROP_IN ]]; then
    rm -f -- "$DATA_DROP_IN"
    rmdir --ignore-fail-on-non-empty -- "${DATA_DROP_IN%/*}"
    systemctl daemon-reload
  fi
  rm -rf -- "${ASKED_LOG%/*}"
  [[ $3 == true ]] || rm -rf -- "$STACK"
}

# step_remove_login USER: also while this very connection is one of it, which then goes on to its end. By the configuration
# a run after one that was cut off knows that there is a login to remove: each run makes one.
step_remove_login() {
  ! id -u -- "$1" >/dev/null 2>&1 || userdel --force --remove -- "$1" 2>&1 | sed '/is currently used by process\|mail spool/d'
  ! id -u -- "$1" >/dev/null 2>&1 || return 1
  rm -rf -- "$STACK"
}
