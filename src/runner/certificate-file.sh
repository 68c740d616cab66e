#!/bin/sh
# Lets the Docker of this machine trust the CA of one registry, as root, as long as a run needs it. Runs under dash,
# bash and BusyBox.
#
#   certificate-file.sh take DIRECTORY CLAIM EXPIRES NOW
#   certificate-file.sh release DIRECTORY CLAIM NOW
#
# DIRECTORY is the registry's in Docker's certs.d, CLAIM a hex word that names the run; EXPIRES and NOW are seconds
# since 1970. Both verbs drop the claims that have expired: their runs were killed.
#
# `take` reads the CA's PEM in base64. It prints `owner` where the machine's owner has put that very CA there: nothing
# is claimed then. Else it prints `written`. The second line is the name of the file. A third one, `hosts.toml`, tells of
# a file by which Docker with the containerd store ignores every `*.crt` beside it.
#
# `release` takes away what was written, directories included, with the last claim. It leaves what somebody has changed
# since, and prints nothing.
set -eu
umask 022

verb=$1 directory=$2 claim=$3
store=/run/gce-registry-action
certificates=$store/certificates
# Of this registry: a file for each claim, which says when it expires, and the list of what was written.
place=$certificates/$(printf %s "$directory" | sha256sum | cut -c 1-16)
# Lines of a SHA-256 and a name in the directory. It has both contents while one is being replaced by the other.
written=$place/written
# The directories that were made, one a line; certs.d is that of all registries.
made=$certificates/made

lock() {
  mkdir -p "$certificates"
  # That of daemon-file.sh, which makes directories in the same place.
  exec 9>"$store/lock"
  # BusyBox's has no -w, and may be left out.
  if command -v flock >/dev/null; then flock -w 60 9 2>/dev/null || flock 9; fi
  # What a run that was killed while it wrote has left.
  rm -f -- "$directory"/.gce-registry-action.* "$certificates"/.new.* "$place"/.new.* 2>/dev/null || true
}

fingerprint() {
  if [ -e "$1" ]; then sha256sum <"$1" | cut -d ' ' -f 1; else echo absent; fi
}

# Whoever is killed meanwhile leaves the old note or the new one, whole.
note() {
  cat >"${1%/*}/.new.$$"
  mv -f -- "${1%/*}/.new.$$" "$1"
}

# The lines of the list that hold: somebody may have put something else there since.
ours() {
  [ -e "$written" ] || return 0
  while read -r sum name; do
    if [ "$(fingerprint "$directory/$name")" = "$sum" ]; then echo "$sum $name"; fi
  done <"$written"
}

is_owners() {
  { [ -e "$directory/$1" ] || [ -L "$directory/$1" ]; } && ! ours | grep -qF " $1"
}

drop_expired() {
  for each in "$place"/[0-9a-f]*; do
    if [ -e "$each" ] && [ "$(cat "$each")" -le "$now" ]; then rm -f -- "$each"; fi
  done
}

is_claimed() {
  for each in "$place"/[0-9a-f]*; do
    if [ -e "$each" ]; then return 0; fi
  done
  return 1
}

# Noted before they are made.
make_directories() {
  each=$directory
  while [ -n "$each" ] && [ ! -d "$each" ]; do
    echo "$each" >>"$made"
    each=${each%/*}
  done
  mkdir -p -- "$directory"
}

# Up to the first that was there before, or holds something.
remove_directories() {
  each=$directory
  while [ -n "$each" ]; do
    if grep -qxF -e "$each" "$made" 2>/dev/null; then
      [ ! -d "$each" ] || rmdir -- "$each" 2>/dev/null || return 0
      grep -vxF -e "$each" "$made" | note "$made"
    elif [ -d "$each" ]; then
      return 0
    fi
    each=${each%/*}
  done
}

# Whoever looks sees the old file or the new one, whole: it is written beside, synced, renamed.
write() {
  temporary=$(mktemp "$directory/.gce-registry-action.XXXXXX")
  trap 'rm -f -- "$temporary"' EXIT
  printf %s "$content" | base64 -d >"$temporary"
  [ "$(fingerprint "$temporary")" = "$wanted" ]
  chmod 644 "$temporary"
  sync "$temporary" 2>/dev/null || sync
  mv -f -- "$temporary" "$directory/$target"
  trap - EXIT
  sync "$directory" 2>/dev/null || sync
}

# The claim first, and the list before the file: there is never a file that nobody would take away.
hold() {
  mkdir -p "$place"
  echo "$expires" | note "$place/$claim"
  target=ca.crt
  if is_owners ca.crt; then target=gce-registry-action.crt; fi
  {
    ours
    echo "$wanted $target"
  } | sort -u | note "$written"
  make_directories
  if [ "$(fingerprint "$directory/$target")" != "$wanted" ]; then write; fi
}

# The list last: whoever is killed meanwhile has left the rest to the next run.
settle() {
  if is_claimed; then return 0; fi
  ours | while read -r _ name; do rm -f -- "$directory/$name"; done
  if [ -d "$directory" ]; then sync "$directory" 2>/dev/null || sync; fi
  remove_directories
  rm -f -- "$written"
  if [ -d "$place" ]; then rmdir -- "$place"; fi
}

case $verb in
  take)
    expires=$4 now=$5
    content=$(cat)
    wanted=$(printf %s "$content" | base64 -d | sha256sum | cut -d ' ' -f 1)
    lock
    drop_expired
    if is_owners ca.crt && [ "$(fingerprint "$directory/ca.crt")" = "$wanted" ]; then
      settle
      printf 'owner\nca.crt\n'
    else
      hold
      printf 'written\n%s\n' "$target"
    fi
    if [ -e "$directory/hosts.toml" ]; then echo hosts.toml; fi
    ;;
  release)
    now=$4
    [ -d "$place" ] || exit 0
    lock
    rm -f -- "$place/$claim"
    drop_expired
    settle
    ;;
esac
