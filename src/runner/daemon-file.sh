#!/bin/sh
# Finds a Docker daemon, and reads and changes its configuration file, as root. Runs under dash, bash and BusyBox.
#
#   daemon-file.sh find SOCKET
#   daemon-file.sh read FILE PID judge|look
#   daemon-file.sh swap FILE PID STARTED reload|keep [rmdir]
#   daemon-file.sh restart FILE PID checked|unchecked
#   daemon-file.sh start UNIT
#
# `find` prints a line for each process that listens on the socket: its id, when it started (in clock ticks since
# boot), its command line in base64, its name.
#
# `read` prints lines of a name and a value: `file` and `record` (of the runs that changed it) in base64 (`-`: absent),
# `directory` (yes or no), and where it is so: `obstacle` (why the file cannot be written), `invalid` (with `judge`: why the
# daemon refuses the file, with its flags), `elsewhere` (PID sees another file under this name), `loaded` (the file is as it
# was when PID started). The last line is `end`. PID may be 0 for a daemon that does not run.
#
# `swap` reads four lines: the SHA-256 that the file and the record have to have now (`absent` for none), and what to
# write in base64 (`-` for none). It changes nothing, and ends with status 10, when they are something else by now:
# somebody was faster. With `reload` it prints `told` when the daemon got the signal.
#
# `restart` ends with 11 (the daemon refuses the file, or is too old to be asked and the caller has not checked it), 12 (no unit of systemd runs it) or 13 (its unit would start
# another command than the one that runs) before anything is done, with 14 when the daemon did not come back. It prints
# the name of the unit.
set -eu
umask 022

verb=$1
store=/run/gce-registry-action

fingerprint() {
  if [ -e "$1" ]; then sha256sum <"$1" | cut -d ' ' -f 1; else echo absent; fi
}

encoded() {
  if [ -e "$1" ]; then
    base64 <"$1" | tr -d '\n'
    echo
  else
    echo -
  fi
}

# proc_pid_stat(5): the name, in brackets, can hold anything; the start is the 20th field behind it.
started() {
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# The processes that have a socket of this inode open. systemd keeps one that it listens on for a service.
holders() {
  holder=
  # shellcheck disable=SC2010 # it is about where the links lead
  ls -l /proc/[0-9]*/fd 2>/dev/null | grep -e '^/proc/' -e " socket:\[$1\]" | while read -r line; do
    case $line in
      /proc/*) holder=${line#/proc/} holder=${holder%%/*} ;;
      *) echo "$holder" ;;
    esac
  done
}

find_daemon() {
  socket=$(readlink -f -- "$1" || printf %s "$1")
  identity=$(stat -L -c %d:%i -- "$socket" 2>/dev/null) || return 0
  # Of /proc/net/unix: the fourth word tells whether a socket listens, the seventh is its inode, the rest its path.
  grep ' 00010000 ' /proc/net/unix | while read -r _ _ _ _ _ _ inode path; do
    case $path in /*) ;; *) continue ;; esac
    if [ "$(readlink -f -- "$path" 2>/dev/null)" = "$socket" ]; then holders "$inode"; fi
  done | sort -u | while read -r pid; do
    # A container in the host's network can listen on a path of the same name in its own file system.
    if [ "$(stat -L -c %d:%i -- "/proc/$pid/root$socket" 2>/dev/null)" != "$identity" ]; then continue; fi
    echo "$pid $(started "$pid") $(encoded "/proc/$pid/cmdline") $(cat "/proc/$pid/comm")"
  done
}

# Whether a process in another mount namespace sees the file, or the nearest directory that there is, as we do.
sees_same() {
  [ "$1" = 0 ] && return 0
  [ "$(readlink "/proc/$1/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || return 0
  place=$file
  while [ ! -e "$place" ]; do place=$(dirname -- "$place"); done
  [ "$(stat -c %d:%i -- "$place")" = "$(stat -c %d:%i -- "/proc/$1/root$place" 2>/dev/null)" ]
}

# Opening a file for appending changes nothing of it.
obstacle() {
  place=$file
  if [ -e "$place" ]; then
    reason=$( (: >>"$place") 2>&1) || echo "obstacle ${reason##*: }"
  else
    while [ ! -e "$place" ]; do place=$(dirname -- "$place"); done
    [ -w "$place" ] || echo "obstacle $place cannot be written to"
  fi
}

# dockerd's own judgement (since 23.0) of its file, with the flags that it runs with, and with its search path, on which
# it looks for its own programs. Ends with 2 where there is no judgement.
validate() {
  program=$(readlink "/proc/$1/exe")
  [ -x "$program" ] || return 2
  path=$(tr '\0' '\n' <"/proc/$1/environ" | sed -n 's/^PATH=//p')
  # shellcheck disable=SC2016 # expanded by the inner shell
  words=$(xargs -0 sh -c 'program=$1 PATH=$2; shift 3; exec "$program" --validate "$@"' sh "$program" "${path:-$PATH}" \
    <"/proc/$1/cmdline" 2>&1) && return 0
  case $words in
    *'unable to configure the Docker daemon'*) printf '%s\n' "$words" | grep 'unable to configure' | tail -n 1 ;;
    *) return 2 ;;
  esac
  return 1
}

# Whether the file has not changed since a process started; without a file there is nothing to go wrong.
as_loaded() {
  [ -e "$file" ] || return 0
  boot=$(sed -n 's/^btime //p' /proc/stat)
  [ "$(stat -L -c %Y -- "$file")" -lt $((boot + $(started "$1") / $(getconf CLK_TCK 2>/dev/null || echo 100))) ]
}

# Owner, mode and label stay; a new file gets the mode that is given. Whoever looks sees the old file or the new one,
# whole: it is written beside, synced, renamed. A mount of its own and a file with several names cannot be renamed over.
replace() {
  target=$1 content=$2 mode=$3
  if [ "$content" = - ]; then
    [ ! -e "$target" ] || rm -f -- "$target"
    sync "${target%/*}" 2>/dev/null || sync
    return 0
  fi
  wanted=$(printf %s "$content" | base64 -d | sha256sum | cut -d ' ' -f 1)
  if [ "$(fingerprint "$target")" = "$wanted" ]; then return 0; fi
  if rename_over; then return 0; fi
  if [ ! -e "$target" ]; then
    echo "$target could not be written" >&2
    return 1
  fi
  write_into
}

rename_over() {
  if [ -e "$target" ] && [ "$(stat -c %h -- "$target")" != 1 ]; then return 1; fi
  temporary=$(mktemp "${target%/*}/.${target##*/}.gce-registry.XXXXXX" 2>/dev/null) || return 1
  trap 'rm -f -- "$temporary"' EXIT
  if chmod "$mode" "$temporary" && { [ ! -e "$target" ] || cp -p -- "$target" "$temporary"; } &&
    printf %s "$content" | base64 -d >"$temporary" && [ "$(fingerprint "$temporary")" = "$wanted" ]; then
    # Of SELinux; a new file has got that of its directory.
    if [ -e "$target" ] && [ -e /sys/fs/selinux/enforce ]; then
      chcon --reference="$target" "$temporary" 2>/dev/null || true
    fi
    if [ -n "$keep_time" ] && [ -e "$target" ]; then touch -r "$target" "$temporary"; fi
    sync "$temporary" 2>/dev/null || sync
    if mv -f -- "$temporary" "$target" 2>/dev/null; then
      trap - EXIT
      sync "${target%/*}" 2>/dev/null || sync
      return 0
    fi
  fi
  rm -f -- "$temporary"
  trap - EXIT
  return 1
}

write_into() {
  before=$(encoded "$target")
  temporary=$(mktemp "$store/.${record##*/}.gce-registry.XXXXXX")
  touch -r "$target" "$temporary"
  if printf %s "$content" | base64 -d >"$target" && [ "$(fingerprint "$target")" = "$wanted" ]; then
    [ -z "$keep_time" ] || touch -r "$temporary" "$target"
    rm -f -- "$temporary"
    sync "$target" 2>/dev/null || sync
    return 0
  fi
  # As where the disk is full: half a file must not stay.
  printf %s "$before" | base64 -d >"$target" || true
  return 1
}

# What a run that was killed while it wrote has left.
remove_leftovers() {
  rm -f -- "${file%/*}/.${file##*/}".gce-registry.* "$store/.${record##*/}".gce-registry.* 2>/dev/null || true
}

# The service of systemd whose main process this is.
unit_of() {
  [ -d /run/systemd/system ] || return 1
  unit=$(sed -n -e 's/^0:://p' -e 's/^[0-9]*:name=systemd://p' "/proc/$1/cgroup" | sed 's#.*/##' | grep '\.service$' | head -n 1)
  [ -n "$unit" ] && [ "$(systemctl show --property MainPID --value "$unit")" = "$1" ]
}

# Whether the unit, drop-ins and environment files included, would start the very command that runs.
would_start_same() {
  [ "$(systemctl show --property NeedDaemonReload --value "$1")" = no ] || return 1
  since=$(date -d "$(systemctl show --property ExecMainStartTimestamp --value "$1")" +%s) || return 1
  systemctl show --property EnvironmentFiles --value "$1" | sed -n 's/ (ignore_errors=[a-z]*)$//p' | while read -r path; do
    if [ -e "$path" ] && [ "$(stat -c %Y -- "$path")" -gt "$since" ]; then exit 1; fi
  done || return 1
  set -f
  expected=
  for word in $(systemctl show --property ExecStart --value "$1" | sed -n 's/.*argv\[\]=\(.*\) ; ignore_errors=.*/\1/p'); do
    case $word in
      '$'*)
        name=${word#?} name=${name#\{} name=${name%\}}
        word=$(tr '\0' '\n' <"/proc/$2/environ" | sed -n "s/^$name=//p")
        ;;
    esac
    expected="$expected $word"
  done
  actual=$(tr '\0' ' ' <"/proc/$2/cmdline")
  # shellcheck disable=SC2086,SC2116 # split and joined again, so that blanks do not matter
  [ "$(echo $expected)" = "$(echo $actual)" ]
}

case $verb in
  find)
    find_daemon "$2"
    exit 0
    ;;
  start)
    # Else systemd would not start one that has been started often in the last minute.
    systemctl reset-failed "$2"
    exec systemctl start "$2"
    ;;
esac

file=$(readlink -f -- "$2" || printf %s "$2")
# One for each daemon's file.
record=$store/$(printf %s "$file" | sha256sum | cut -c 1-16).record
pid=$3
# It may have ended meanwhile.
[ -d "/proc/$pid" ] || pid=0

# Reading changes nothing: where no run has been, there is nobody to wait for.
if [ "$verb" != read ]; then mkdir -p "$store"; fi
if [ -d "$store" ]; then
  exec 9>"$store/lock"
  # BusyBox's has no -w, and may be left out: what is swapped is compared in any case.
  if command -v flock >/dev/null; then flock -w 60 9 2>/dev/null || flock 9; fi
  remove_leftovers
fi

case $verb in
  read)
    echo "file $(encoded "$file")"
    echo "record $(encoded "$record")"
    if [ -d "${file%/*}" ]; then echo 'directory yes'; else echo 'directory no'; fi
    obstacle
    sees_same "$pid" || echo elsewhere
    if [ "$4" = judge ] && [ "$pid" != 0 ] && [ -e "$file" ]; then
      words=$(validate "$pid") || { [ $? != 1 ] || echo "invalid $words"; }
    fi
    if [ "$pid" != 0 ] && as_loaded "$pid"; then echo loaded; fi
    echo end
    ;;
  swap)
    since=$4 then=$5
    read -r old_file
    read -r old_record
    read -r new_file
    read -r new_record
    if [ "$(fingerprint "$file")" != "$old_file" ] || [ "$(fingerprint "$record")" != "$old_record" ]; then
      exit 10
    fi
    # What is put back after the job is as it was, its time included, by which as_loaded tells who changed it.
    keep_time=
    if [ "$new_record" != - ] || [ "$old_record" != absent ]; then keep_time=yes; fi
    # The record first when it appears, last when it goes: it must never be missing beside a changed file.
    if [ "$new_record" != - ]; then replace "$record" "$new_record" 600; fi
    if [ "$new_file" != - ]; then mkdir -p "${file%/*}"; fi
    replace "$file" "$new_file" 644
    if [ "$new_record" = - ]; then replace "$record" - 600; fi
    if [ "${6:-}" = rmdir ]; then rmdir -- "${file%/*}" 2>/dev/null || true; fi
    # Another process may have got its number.
    if [ "$then" = reload ] && [ "$pid" != 0 ] && [ "$(started "$pid")" = "$since" ]; then
      if kill -HUP "$pid"; then echo told; fi
    fi
    ;;
  restart)
    unit_of "$pid" || exit 12
    words=$(validate "$pid") || {
      if [ $? != 2 ] || [ "$4" != checked ]; then printf '%s\n' "$words" >&2 && exit 11; fi
    }
    would_start_same "$unit" "$pid" || exit 13
    # Not with the lock held: the new daemon must not inherit it, and may take its time.
    exec 9>&-
    echo "$unit"
    systemctl reset-failed "$unit"
    systemctl restart "$unit" || exit 14
    ;;
esac
