#!/bin/sh
# Reads and changes the Docker daemon's configuration file, as root.
#
#   daemon-file.sh read FILE
#   daemon-file.sh swap FILE PID reload|keep [rmdir]
#   daemon-file.sh restart FILE PID
#
# `read` prints three lines: the file, and the ledger of the runs that changed it, both in base64 (`-`: absent), and
# whether the file's directory exists. `swap` reads four lines: the SHA-256 that the file and the ledger have to have
# now (`absent` for none), and what to write in base64 (`-` for none). It changes nothing, and ends with status 10,
# when they are something else by now: somebody was faster.
set -eu
umask 022

verb=$1
file=$(readlink -f -- "$2" || printf %s "$2")
store=/run/gce-registry-action
ledger=$store/daemon-json.ledger

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

# Writes beside the target, syncs, renames: whoever looks sees the old file or the new one, whole.
# Owner and mode stay; a new file gets the mode that is given.
replace() {
  target=$1 content=$2 mode=$3
  if [ "$content" = - ]; then
    rm -f -- "$target"
  else
    temporary=$(mktemp "${target%/*}/.${target##*/}.gce-registry.XXXXXX")
    trap 'rm -f -- "$temporary"' EXIT
    chmod "$mode" "$temporary"
    if [ -e "$target" ]; then cp -p -- "$target" "$temporary"; fi
    printf %s "$content" | base64 -d >"$temporary"
    sync "$temporary" 2>/dev/null || sync
    mv -f -- "$temporary" "$target"
    trap - EXIT
  fi
  sync "${target%/*}" 2>/dev/null || sync
}

# What a run that was killed while it wrote has left.
remove_leftovers() {
  rm -f -- "${file%/*}/.${file##*/}".gce-registry.* "$store/.${ledger##*/}".gce-registry.*
}

under_systemd() {
  [ -d /run/systemd/system ] && [ "$(systemctl show --property MainPID --value docker.service)" = "$1" ]
}

# Reading changes nothing: where no run has been, there is nobody to wait for.
if [ "$verb" != read ]; then mkdir -p "$store"; fi
if [ -d "$store" ]; then
  exec 9>"$store/lock"
  flock -w 60 9
  remove_leftovers
fi

case $verb in
  read)
    encoded "$file"
    encoded "$ledger"
    if [ -d "${file%/*}" ]; then echo directory; else echo -; fi
    ;;
  swap)
    pid=$3 then=$4
    read -r old_file
    read -r old_ledger
    read -r new_file
    read -r new_ledger
    if [ "$(fingerprint "$file")" != "$old_file" ] || [ "$(fingerprint "$ledger")" != "$old_ledger" ]; then
      exit 10
    fi
    # The ledger first when it appears, last when it goes: it must never be missing beside a changed file.
    if [ "$new_ledger" != - ]; then replace "$ledger" "$new_ledger" 600; fi
    if [ "$new_file" != - ]; then mkdir -p "${file%/*}"; fi
    replace "$file" "$new_file" 644
    if [ "$new_ledger" = - ]; then replace "$ledger" - 600; fi
    if [ "${5:-}" = rmdir ]; then rmdir -- "${file%/*}" 2>/dev/null || true; fi
    if [ "$then" = reload ]; then
      if under_systemd "$pid"; then systemctl reload docker.service; else kill -HUP "$pid"; fi
    fi
    ;;
  restart)
    pid=$3
    # A daemon that would not start again must not be stopped.
    if ! "$(readlink "/proc/$pid/exe")" --validate --config-file "$file" >&2; then exit 11; fi
    if ! under_systemd "$pid"; then exit 12; fi
    # Not with the lock held: the new daemon must not inherit it, and may take its time.
    exec 9>&-
    # Else systemd would stop the daemon, and not start one that has been started often in the last minute.
    systemctl reset-failed docker.service
    systemctl restart docker.service
    ;;
esac
