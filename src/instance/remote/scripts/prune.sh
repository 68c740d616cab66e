# shellcheck shell=bash
#
# Deletes images. What can be done before pushes are held is done before: the registry's own collector says what nothing
# needs any more, from a copy of the links as they are to be, which it can only read; and all that goes is kept a second time,
# as links to the same bytes, so that it can be put back until the end. Then pushes are held at the front for a moment.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

# step_prune BASE64 READ TOUCHED WINDOW: what goes, as planPrune has it, lines of `KIND VALUE`, packed; when it was read, since
# when what was sent or asked for stays, both in seconds since 1970; how long pushes may be held, in seconds.
step_prune() {
  local read_at=$2 touched=$3 window=$4 root work status kind
  locate_images || {
    say 'The registry has no container'
    return 1
  }
  root=$REPLY/docker/registry/v2 work=$REPLY/$PRUNE_DIRECTORY
  rm -rf -- "$WORK_WITHOUT_DISK"
  if [[ -d $work ]]; then
    mend_prune "$root" "$work"
    # What is there is not what was planned for.
    printf 'changed 0 %s\n' "$(date +%s)" | put_file "$LAST_PRUNE" 0600
    return
  fi
  holds_pushes || {
    say 'The front does not run, or is of an older release: a run in the mode bootstrap mends that'
    return 1
  }
  KEPT_TWICE=yes
  if ! has_room "$root" "$(base64 -d <<<"$1" | gunzip | wc -l)"; then
    say 'The disk is full: what goes cannot be kept a second time until it is done'
    work=$WORK_WITHOUT_DISK KEPT_TWICE=
  fi
  mkdir -p -- "$work"
  base64 -d <<<"$1" | gunzip >"$work/plan"
  # Of a try right before this one.
  { [[ -z $(find "$LAST_PRUNE" -mmin -10 2>/dev/null) ]] || sed -n '/^changed /p' "$LAST_PRUNE"; } >"$work/changed-before"
  rm -f -- "$LAST_PRUNE"
  for kind in link garbage emptied unreadable upload; do sed -n "s/^$kind //p" "$work/plan" | sort -u >"$work/$kind"; done
  : >"$work/needed"
  sed -E 's/\/_manifests\/.*//' "$work/link" | cat - "$work/emptied" | sort -u >"$work/pruned"
  HELD_AT=
  # What takes some seconds is not done for nothing.
  if is_changed "$root" "$work" "$read_at"; then
    finish_prune "$root" "$work" 75
    return
  fi
  collect "$root" "$work"
  keep_twice "$root" "$work"
  hold_pushes "$window"
  # Not as a condition, in which the shell would go on after what fails.
  set +e
  (
    set -euo pipefail
    take_out "$root" "$work" "$read_at" "$touched" "$((SECONDS + window))"
  )
  status=$?
  set -e
  finish_prune "$root" "$work" "$status"
}

# In memory.
WORK_WITHOUT_DISK=/run/gce-registry/prune-work

# has_room ROOT LINES: for what keeps that many things a second time, each with directories of its own.
has_room() {
  local available
  available=$(df -B1 --output=avail -- "$1" | tail -n 1)
  ((available > $2 * 6 * 4096 + 16777216))
}

# collect ROOT WORK: garbage is what the registry's own collector calls so as well.
collect() {
  local root=$1 work=$2 image output=$2/collector
  image=$(docker container inspect --format '{{.Image}}' "$PROJECT-registry-1")
  mkdir -p -- "$work/repositories"
  (cd -- "$root/repositories" && find . -type d \( -name _uploads -o -name _layers \) -prune -o -type d -name _manifests -print0 |
    xargs -0 -r cp -a --parents -t "$work/repositories" --)
  (cd -- "$work/repositories" && cat -- "$work/link" "$work/unreadable" | tr '\n' '\0' | xargs -0 -r rm -rf --)
  # It stops at a repository that lacks one of these.
  find "$work/repositories" -type d -name _manifests -printf '%h/_layers\0%p/revisions/sha256\0' | xargs -0 -r mkdir -p --
  if ! run_collector "$root" "$work/repositories" "$image" >"$output" 2>"$output.errors"; then
    tail -n 5 "$output.errors"
    say "The registry's own collector stopped; nothing is deleted"
    return 1
  fi
  if [[ -s $work/garbage ]] && ! grep -q ': marking manifest ' "$output" && [[ -n $(find "$work/repositories" -path '*/revisions/*' -name link -print -quit) ]]; then
    say "The registry's own collector found no manifest, where there are some; nothing is deleted"
    return 1
  fi
  sed -nE 's/^blob eligible for deletion: sha256:([0-9a-f]{64})$/\1/p' "$output" | sort -u >"$work/eligible"
  comm -12 "$work/garbage" "$work/eligible" >"$work/agreed"
  comm -23 "$work/garbage" "$work/eligible" | sed 's/^/needed /' >"$work/needed"
  [[ ! -s $work/needed ]] || say "$(wc -l <"$work/needed") blobs stay that the registry's own collector would keep"
}

# run_collector ROOT REPOSITORIES IMAGE: what the registry's own collector says of its blobs, where these are its repositories.
run_collector() {
  # shellcheck disable=SC2016 # the shell of the container is to expand it
  local collector='for file in /etc/distribution/config.yml /etc/docker/registry/config.yml; do
      [ ! -f "$file" ] || exec registry garbage-collect --dry-run "$file"
    done
    exit 1'
  if [[ -n $KEPT_TWICE ]]; then
    timeout 1800 docker run --rm --network none --read-only --volume "${1%/registry/v2}:/var/lib/registry/docker:ro" \
      --volume "$2:/var/lib/registry/docker/registry/v2/repositories:ro" --env OTEL_TRACES_EXPORTER=none --entrypoint sh -- "$3" -c "$collector"
    return
  fi
  # On a full disk no container can be made: beside the registry that runs, with the repositories in memory.
  tar -C "$2" -cf - . | timeout 1800 nsenter --target "$(docker container inspect --format '{{.State.Pid}}' "$PROJECT-registry-1")" --mount -- \
    /bin/busybox unshare -m sh -c "cd /var/lib/registry/docker/registry/v2 && mount -t tmpfs none repositories && cd repositories && tar -xf - && $collector"
}

# keep_twice ROOT WORK: links of the registry by copies, blobs by hard links.
keep_twice() {
  local root=$1 work=$2
  mkdir -p -- "$work/links" "$work/blobs"
  sed -E 's/^((..).*)$/blobs\/sha256\/\2\/\1/' "$work/agreed" | existing "$root" >"$work/blob-paths"
  # Each repository has links of its own to a blob.
  find "$root/repositories" -type d -name _uploads -prune -o -type d -path '*/_layers/sha256/*' -printf '%f repositories/%P\n' | sort |
    join -o 1.2 - "$work/agreed" >"$work/layer-paths"
  { sed 's/^/repositories\//' "$work/link" && cat -- "$work/layer-paths"; } | existing "$root" >"$work/link-paths"
  [[ -n $KEPT_TWICE ]] || return 0
  (cd -- "$root" && tr '\n' '\0' <"$work/blob-paths" | xargs -0 -r cp -al --parents -t "$work/blobs" --)
  # A repository that goes as a whole has links to blobs that stay.
  { cat -- "$work/link-paths" && sed 's/.*/repositories\/&\/_layers\nrepositories\/&\/_manifests/' "$work/emptied" | existing "$root"; } |
    (cd -- "$root" && tr '\n' '\0' | xargs -0 -r cp -a --parents -t "$work/links" --)
  # Before anything goes that they are to stand for.
  sync --file-system -- "$work"
}

# existing ROOT: of the paths on standard input, those that are still there.
existing() {
  local path
  while IFS= read -r path; do
    [[ ! -e $1/$path ]] || printf '%s\n' "$path"
  done
}

# take_out ROOT WORK READ TOUCHED DEADLINE: while pushes are held. Ends with 75 where somebody pushed what is to go, since it
# was read: another plan has to be made then.
take_out() {
  local root=$1 work=$2 read_at=$3 touched=$4 deadline=$5
  # What is not kept a second time cannot be put back: requests that were at work when pushes began to be held end first.
  [[ -n $KEPT_TWICE ]] || sleep 3
  ! is_changed "$root" "$work" "$read_at" || return 75
  touched_since "$root" "$touched" >"$work/touched"
  [[ -z $(sed -nE 's/^.*\/_manifests\/revisions\/sha256\///p' "$work/link" | sort -u | comm -12 - <(asked_since "${read_at%.*}" | cut -d ' ' -f 1 | sort)) ]] || return 75
  ((SECONDS < deadline)) || return 1
  # What was touched meanwhile stays, and so do the links to it.
  comm -12 "$work/agreed" "$work/touched" >"$work/stays"
  cd -- "$root"
  grep -vFf "$work/stays" "$work/blob-paths" >"$work/blob-paths.left" || true
  grep -vFf "$work/stays" "$work/link-paths" >"$work/link-paths.left" || true
  : >"$work/begun"
  sync -- "$work" "$work/begun"
  cat -- "$work/link-paths.left" "$work/blob-paths.left" | take_away "$work/out"
  remove_emptied "$work" "$touched"
  put_back_touched "$root" "$work" "$read_at"
  ((SECONDS < deadline))
}

# take_away DIRECTORY: the paths on standard input go there, in the same file system, which takes a tenth of the time that it takes
# to delete them; that is done when pushes go on. Perl is in every Debian and Ubuntu.
take_away() {
  if [[ -z $KEPT_TWICE ]]; then
    tr '\n' '\0' | xargs -0 -r rm -rf --
    return
  fi
  mkdir -p -- "$1"
  # shellcheck disable=SC2016 # they are variables of Perl
  perl -MErrno -e 'my $to = shift; while (<STDIN>) { chomp; rename($_, "$to/$.") or $!{ENOENT} or die "$_: $!\n" }' -- "$1"
}

# is_changed ROOT WORK SINCE: whether somebody has pushed to a repository that is to be pruned.
is_changed() {
  changed_repositories "$1" "$3" | sort -u | comm -12 - "$2/pruned" >"$2/changed"
  [[ -s $2/changed ]]
}

# changed_repositories ROOT SINCE: those to which a tag or a manifest was pushed. The clock of files is a little behind; a time to
# come is of another clock.
changed_repositories() {
  find "$1/repositories" -type d \( -name _uploads -o -name _layers \) -prune -o -type f -path '*/_manifests/*' \
    -newermt "@$(awk -v at="$2" 'BEGIN { printf "%.3f", at - 0.1 }')" -not -newermt "@$(($(date +%s) + 5))" -printf '%P\n' | sed -E 's/\/_manifests\/.*//'
}

# touched_since ROOT SINCE: hex digests of blobs, sorted.
touched_since() {
  {
    find "$1/repositories" -type d \( -name _uploads -o -name _manifests \) -prune -o -type f -path '*/_layers/sha256/*/link' -newermt "@$2" -printf '%h\n' |
      sed 's/^.*\///'
    asked_since "$2" | cut -d ' ' -f 1
  } | sort -u
}

# remove_emptied WORK: repositories without a manifest, and without a push that is under way; the current directory is the root.
remove_emptied() {
  local name directory
  while IFS= read -r name; do
    directory=repositories/$name
    [[ -d $directory ]] || continue
    [[ -z $(find "$directory/_uploads" -mindepth 1 -print -quit 2>/dev/null) ]] || continue
    [[ -z $(find "$directory/_layers" -type f -newermt "@$2" -print -quit 2>/dev/null) ]] || continue
    [[ -z $(find "$directory/_manifests/revisions" "$directory/_manifests/tags" -type f -print -quit 2>/dev/null) ]] || continue
    rm -rf -- "$directory/_manifests" "$directory/_layers" "$directory/_uploads"
    (cd repositories && rmdir -p --ignore-fail-on-non-empty -- "$name")
  done <"$1/emptied"
}

# put_back_touched ROOT WORK SINCE: requests that were at work when pushes began to be held have ended by now.
put_back_touched() {
  local root=$1 work=$2
  [[ -n $KEPT_TWICE ]] || return 0
  touched_since "$root" "${3%.*}" | comm -12 - "$work/agreed" >"$work/late"
  [[ -s $work/late ]] || return 0
  say "$(wc -l <"$work/late") blobs were sent or asked for at the last moment, and are put back"
  mkdir -p -- "$work/late-paths/links" "$work/late-paths/blobs"
  grep -Ff "$work/late" "$work/blob-paths" | (cd -- "$work/blobs" && tr '\n' '\0' | xargs -0 -r cp -al --parents -t "$work/late-paths/blobs" --)
  grep -Ff "$work/late" "$work/link-paths" | (cd -- "$work/links" && tr '\n' '\0' | xargs -0 -r cp -a --parents -t "$work/late-paths/links" --) || true
  put_back "$root" "$work/late-paths"
}

# finish_prune ROOT WORK STATUS: done, or as it was before.
finish_prune() {
  local root=$1 work=$2 outcome held
  if (($3 == 0)); then
    : >"$work/done"
    sync -- "$work" "$work/done"
    outcome='done'
  else
    [[ ! -f $work/begun || -z $KEPT_TWICE ]] || put_back "$root" "$work"
    outcome=rolled-back
    (($3 != 75)) || outcome=changed
  fi
  held=0
  if [[ -n $HELD_AT ]]; then
    let_pushes_go
    held=$REPLY
    say "Pushes were held for $held ms"
  fi
  (cd -- "$root" && tr '\n' '\0' <"$work/upload" | xargs -0 -r rm -rf --)
  {
    printf '%s %s %s\n' "$outcome" "$held" "$(date +%s)"
    cat -- "$work/needed"
    cat -- "$work/changed-before"
    [[ $outcome != changed ]] || sed 's/^/changed /' "$work/changed"
  } | put_file "$LAST_PRUNE" 0600
  rm -rf -- "$work"
  case $outcome in
    changed) say 'Somebody pushed to a repository that was to be pruned: nothing is deleted yet' ;;
    rolled-back) say 'It did not come to its end: all that was taken out is put back' ;;
  esac
  [[ $outcome != rolled-back ]]
}

# put_back ROOT WORK: what is there stays. Later releases of cp fail where they leave something as it is.
put_back() {
  local each
  cp -an -- "$2/links/." "$1/" || true
  cp -aln -- "$2/blobs/." "$1/" || true
  (cd -- "$2/links" && find . -type f && cd -- "$2/blobs" && find . -type f) | while IFS= read -r each; do
    [[ -e $1/$each ]] || {
      say "Could not be put back: $each"
      exit 1
    }
  done
}

# mend_prune ROOT WORK: one that was cut off has come to its end, or is undone.
mend_prune() {
  if [[ -f $2/begun && ! -f $2/done ]]; then
    say 'A prune was cut off: what it had taken out is put back'
    put_back "$1" "$2"
  fi
  rm -rf -- "$2"
}

holds_pushes() { front_runs && grep -qF 'unix//run/front/gate.sock' "$STACK/front/Caddyfile"; }

# in_front COMMAND …: in the container of the front, with standard input.
in_front() { timeout 30 docker exec --interactive "$PROJECT-front-1" "$@"; }

# hold_pushes SECONDS: what that is, the front's configuration says. It is in the memory of the front's container alone, and a
# process in there ends it in any case.
hold_pushes() {
  HELD_AT=$(date +%s%N)
  # shellcheck disable=SC2016 # the shell of the container is to expand it
  docker exec --detach "$PROJECT-front-1" sh -c '
    left=$1
    until [ "$(cat /run/front/held 2>/dev/null)" = "$2" ] || [ "$left" -le 0 ]; do sleep 1; left=$((left - 1)); done
    while [ "$(cat /run/front/held 2>/dev/null)" = "$2" ] && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done
    [ "$(cat /run/front/held 2>/dev/null)" = "$2" ] || exit 0
    ln -sf pushes.sock /run/front/gate.sock
    rm -f /run/front/held' sh "$1" "$HELD_AT"
  # shellcheck disable=SC2016 # the shell of the container is to expand it
  in_front sh -c 'rm -f /run/front/gate.sock && printf %s "$1" >/run/front/held-to-be && mv /run/front/held-to-be /run/front/held' sh "$HELD_AT" </dev/null
}

# let_pushes_go: sets REPLY to how many milliseconds they were held.
let_pushes_go() {
  in_front sh -c 'ln -sf pushes.sock /run/front/gate.sock && rm -f /run/front/held' </dev/null
  REPLY=$((($(date +%s%N) - HELD_AT) / 1000000))
}
