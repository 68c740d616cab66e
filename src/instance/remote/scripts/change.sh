# shellcheck shell=bash
#
# A change of the stack, from the first step that touches a file of it to the last, holds or is undone. What stood before is
# noted on the disk; the note goes when what came in its place is proven. A run that finds a note of one that was cut off
# proves what it makes itself, and comes back to what that note says where it cannot. Sent after proof.sh.

CHANGE=$STACK/change
# In there, as far as they exist. What a certificate authority has signed stays, whatever happens.
CHANGE_FILES=(compose.yaml compose.override.yaml data-path front ca)
# Names that keep the images of before, until they are not needed any more.
BEFORE=gce-registry/before

# change FIRST LAST SERVICE:SCHEME:PORT:PATH,… DIGEST\ BASE64 …: the numbers of its steps, what must answer after it, and manifest
# and blobs of the canary.
# shellcheck disable=SC2034 # of apply.sh and proof.sh
change() {
  CHANGE_FIRST=$1 CHANGE_LAST=$2
  IFS=, read -r -a CHANGE_ENDPOINTS <<<"$3"
  CANARY=("${@:4}")
}

# our_containers: `SERVICE ID IMAGE REFERENCE` of those that Compose made for good.
our_containers() {
  docker container ls --all --quiet --no-trunc --filter "label=com.docker.compose.project=$PROJECT" \
    --filter label=com.docker.compose.oneoff=False |
    xargs -r docker container inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{.Id}} {{.Image}} {{.Config.Image}}' 2>/dev/null
}

# keep_images: those that the containers are made from, before their names go to others.
keep_images() {
  local service image
  [[ ! -d $CHANGE ]] || return 0
  while read -r service _ image _; do
    docker image tag "$image" "$BEFORE:$service" 2>/dev/null || true
  done < <(our_containers)
}

# begin_change: where a registry serves. Where none does there is nothing to come back to.
begin_change() {
  local each registry=$PROJECT-registry-1 address
  [[ ! -d $CHANGE ]] && asks_registry "$registry" && locate_images || return 0
  address=$(address_of "$registry")
  rm -rf -- "$CHANGE.new"
  install -d -m 0700 -- "$CHANGE.new" "$CHANGE.new/files"
  for each in "${CHANGE_FILES[@]}"; do
    [[ ! -e $STACK/$each ]] || cp -a -- "$STACK/$each" "$CHANGE.new/files/"
  done
  our_containers >"$CHANGE.new/containers"
  docker container inspect --format '{{range $port, $all := .HostConfig.PortBindings}}{{range $all}}{{.HostPort}}:{{.HostIp}}{{"\n"}}{{end}}{{end}}' \
    "$PROJECT-front-1" 2>/dev/null | sed '/^$/d' >"$CHANGE.new/ports" || true
  keep_images
  PROOF=$(mktemp -d)
  find_sample "$address" "$REPLY" >"$CHANGE.new/sample"
  if holds_canary "$address"; then echo held; else echo refused; fi >"$CHANGE.new/canary"
  rm -rf -- "$PROOF"
  [[ -s $CHANGE.new/sample ]] || say 'The registry serves no image yet that it could be asked for afterwards'
  [[ $(<"$CHANGE.new/canary") == held ]] || say 'The registry takes no image as it is, so that is not asked of the new one'
  find "$CHANGE.new" -print0 | xargs -0 sync --
  mv -T -- "$CHANGE.new" "$CHANGE"
  sync -- "$STACK"
}

# finish_change: what is there now has to answer, and to do all that what was there before did.
finish_change() {
  [[ -d $CHANGE ]] || return 0
  await_answers "${CHANGE_ENDPOINTS[@]}"
  if ! wait_for 30 asks_registry "$PROJECT-registry-1" || ! is_proven "$PROJECT-registry-1"; then
    bounded docker logs --tail 20 "$PROJECT-registry-1" || true
    say "The registry does not serve: $PROBLEM"
    return 1
  fi
  end_change
}

# end_change: what stands now is what a run comes back to.
end_change() {
  rm -rf -- "$CHANGE.done"
  mv -T -- "$CHANGE" "$CHANGE.done"
  sync -- "$STACK"
  rm -rf -- "$CHANGE.done"
  forget_images
}

# The images stay where somebody else has a name for them, or a container.
forget_images() {
  local name
  while IFS= read -r name; do
    docker image rm --force "$name" >/dev/null 2>&1 || true
  done < <(docker image ls --format '{{.Repository}}:{{.Tag}}' "$BEFORE")
}

# undo_change: what a step that failed has left goes, and what was there before comes back; says whether it serves.
undo_change() {
  local status image
  REFUSED=()
  printf '\n%s rolled-back begun\n' "$TOKEN"
  say 'What was there before comes back'
  # Not as a condition, in which the shell would go on after what fails.
  (
    set -euo pipefail
    restore_files
    restore_names
    restore_containers
    serves_again
    # What was refused would only fill the disk; what somebody else uses stays.
    for image in "${REFUSED[@]}"; do docker image rm "$image" >/dev/null 2>&1 || true; done
  )
  status=$?
  if ((status == 0)); then
    end_change
    say 'What was there before serves again'
    printf '\n%s rolled-back serves\n' "$TOKEN"
  else
    compose ps --all || true
    printf '\n%s rolled-back fails\n' "$TOKEN"
  fi
}

# Each as a whole, and in place: containers have the directories.
restore_files() {
  local file mode
  while IFS= read -r -d '' file; do
    mode=$(stat -c %a -- "$CHANGE/files/$file")
    put_file "$STACK/$file" "0$mode" <"$CHANGE/files/$file"
  done < <(cd -- "$CHANGE/files" && find . -type f -printf '%P\0')
  while IFS= read -r -d '' file; do
    [[ -e $CHANGE/files/$file ]] || rm -f -- "$STACK/$file"
  done < <(cd -- "$STACK" && find "${CHANGE_FILES[@]}" -type f -print0 2>/dev/null)
}

# Names stand for the images of before again; one with a digest never stood for another.
restore_names() {
  local service image reference now
  while read -r service _ image reference; do
    [[ $reference != *@* && $reference != sha256:* ]] || continue
    now=$(docker image inspect --format '{{.Id}}' -- "$reference" 2>/dev/null) || now=
    [[ $now != "$image" ]] || continue
    [[ -z $now ]] || REFUSED+=("$now")
    docker image tag "$BEFORE:$service" "$reference"
  done <"$CHANGE/containers"
}

restore_containers() {
  local service id image now anew=() ports=
  mend_hand_over
  remove_unnamed
  remove_network "$(sed -nE 's/^networks:.*"subnet":"([0-9.\/]+)".*/\1/p' "$STACK/compose.yaml")"
  while read -r service id image _; do
    now=$(docker container inspect --format '{{.Id}} {{.Image}}' "$PROJECT-$service-1" 2>/dev/null) || now=
    # Compose tells images apart by their names.
    [[ -z $now || ${now#* } == "$image" ]] || anew+=("$service")
    [[ $service != front || ${now% *} == "$id" ]] || ports=$(ports_of_before)
  done <"$CHANGE/containers"
  hand_over_front "$ports" '' || true
  ((${#anew[@]} == 0)) || compose_up --no-deps --force-recreate "${anew[@]}"
  compose_up --remove-orphans
  take_back_front ''
  [[ -n $ports ]] || ! front_runs || load_front <"$STACK/front/Caddyfile"
}

# `PORT:everywhere|loopback,…` of the front.
ports_of_before() {
  local port address words=
  while IFS=: read -r port address; do
    [[ ,$words != *",$port:"* ]] || continue
    if [[ $address == 127.* ]]; then address=loopback; else address=everywhere; fi
    words+="${words:+,}$port:$address"
  done <"$CHANGE/ports"
  printf '%s\n' "$words"
}

# One with TLS answers plain HTTP as well, by a redirect.
serves_again() {
  local port
  wait_for 60 asks_registry "$PROJECT-registry-1"
  is_proven "$PROJECT-registry-1" || {
    say "The registry does not serve: $PROBLEM"
    return 1
  }
  while IFS=: read -r port _; do
    wait_for 60 answers http "$port" /v2/ || {
      say "Nothing answers on port $port"
      return 1
    }
  done <"$CHANGE/ports"
}
