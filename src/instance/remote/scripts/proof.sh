# shellcheck shell=bash
#
# What a registry has to show before it takes the place of another one: it takes an image and gives it back, and it serves one
# that was there before. It is asked in its own container, where no login is needed; whether the front leads to it, the
# endpoints tell. Sent after hand-over.sh.

CANARY_REPOSITORY=gce-registry-action/canary
MANIFEST_TYPES='application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, '
MANIFEST_TYPES+='application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json'
# Of a larger layer nothing more would be learnt.
SAMPLE_LIMIT=16777216

# ask ADDRESS METHOD PATH [FILE TYPE]: sends a request, with the file as its body. Sets STATUS, empty without an answer, and puts
# the answer's head into $PROOF/head and its body into $PROOF/body.
ask() {
  local length='' line
  STATUS=
  [[ -z ${4-} ]] || length=$(stat -c %s -- "$4")
  { exec 8<>"/dev/tcp/$1/5000"; } 2>/dev/null || return 0
  {
    printf '%s %s HTTP/1.0\r\nHost: %s:5000\r\nAccept: %s\r\n' "$2" "$3" "$1" "$MANIFEST_TYPES"
    if [[ -n $length ]]; then printf 'Content-Type: %s\r\nContent-Length: %s\r\n' "$5" "$length"; fi
    printf '\r\n'
    [[ -z $length ]] || cat -- "$4"
  } >&8 2>/dev/null || true
  timeout 30 cat <&8 >"$PROOF/answer" 2>/dev/null || true
  exec 8>&-
  sed '/^\r$/q' "$PROOF/answer" >"$PROOF/head"
  tail -c "+$(($(stat -c %s -- "$PROOF/head") + 1))" "$PROOF/answer" >"$PROOF/body"
  IFS= read -r line <"$PROOF/head" || true
  [[ ! $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] || STATUS=${BASH_REMATCH[1]}
}

# gives ADDRESS PATH DIGEST: whether that is there, byte by byte.
gives() {
  local sum
  ask "$1" GET "$2"
  read -r sum _ < <(sha256sum <"$PROOF/body")
  [[ $STATUS == 200 && sha256:$sum == "$3" ]]
}

# holds_canary ADDRESS: pushes what the `change` of this plan has for that, reads it back, and removes it.
holds_canary() {
  local each digest location joint manifest
  # shellcheck disable=SC2153 # of `change`
  manifest=${CANARY[0]%% *}
  for each in "${CANARY[@]:1}"; do
    digest=${each%% *}
    base64 -d <<<"${each#* }" >"$PROOF/canary"
    ask "$1" POST "/v2/$CANARY_REPOSITORY/blobs/uploads/" /dev/null application/octet-stream
    location=$(tr -d '\r' <"$PROOF/head" | sed -nE 's/^[Ll]ocation: (https?:\/\/[^/]*)?(\/.*)$/\2/p')
    [[ $STATUS == 202 && -n $location ]] || return 1
    joint='?'
    [[ $location != *\?* ]] || joint='&'
    ask "$1" PUT "$location${joint}digest=$digest" "$PROOF/canary" application/octet-stream
    [[ $STATUS == 201 ]] || return 1
  done
  base64 -d <<<"${CANARY[0]#* }" >"$PROOF/canary"
  ask "$1" PUT "/v2/$CANARY_REPOSITORY/manifests/$manifest" "$PROOF/canary" "${MANIFEST_TYPES%%,*}"
  [[ $STATUS == 201 ]] && gives "$1" "/v2/$CANARY_REPOSITORY/manifests/$manifest" "$manifest" || return 1
  for each in "${CANARY[@]:1}"; do
    gives "$1" "/v2/$CANARY_REPOSITORY/blobs/${each%% *}" "${each%% *}" || return 1
  done
  # One that does not allow deletion keeps a few hundred bytes.
  ask "$1" DELETE "/v2/$CANARY_REPOSITORY/manifests/$manifest"
}

# find_sample ADDRESS ROOT: prints `REPOSITORY MANIFEST BLOB` of an image on the disk that the registry serves as it should; BLOB
# is `-` where it has none that is small. Nothing where there is no such image.
find_sample() {
  local root=$2/docker/registry/v2 link name digest hex blob size
  [[ -d $root/repositories ]] || return 0
  while IFS= read -r link; do
    name=${link%%/_manifests/*}
    IFS= read -r digest <"$root/repositories/$link" || [[ -n $digest ]] || continue
    [[ $name != "$CANARY_REPOSITORY" && $digest =~ ^sha256:[0-9a-f]{64}$ ]] || continue
    gives "$1" "/v2/$name/manifests/$digest" "$digest" || continue
    # Those of schema 1, of ten years ago, registry 3 does not serve.
    grep -Eq '"schemaVersion" *: *2' "$PROOF/body" || continue
    blob=-
    for hex in $(grep -oE 'sha256:[0-9a-f]{64}' "$PROOF/body" | sort -u | head -n 50); do
      size=$(stat -c %s -- "$root/blobs/sha256/${hex:7:2}/${hex:7}/data" 2>/dev/null) || continue
      [[ $size -le $SAMPLE_LIMIT && -f $root/repositories/$name/_layers/sha256/${hex:7}/link ]] || continue
      ! gives "$1" "/v2/$name/blobs/$hex" "$hex" || { blob=$hex && break; }
    done
    printf '%s %s %s\n' "$name" "$digest" "$blob"
    return 0
  done < <(cd -- "$root/repositories" && find . -type d \( -name _uploads -o -name _layers -o -name index \) -prune -o \
    -type f -path '*/_manifests/tags/*/current/link' -printf '%P\n' 2>/dev/null | head -n 20)
}

# serves_sample ADDRESS ROOT REPOSITORY MANIFEST BLOB: as it did. What somebody has deleted since does not count.
serves_sample() {
  if ! gives "$1" "/v2/$3/manifests/$4" "$4" &&
    [[ -e $2/docker/registry/v2/repositories/$3/_manifests/revisions/sha256/${4#*:}/link ]]; then
    PROBLEM="it does not serve $3@$4, which the one before did (status ${STATUS:-none})"
    return 1
  fi
  if [[ $5 != - ]] && ! gives "$1" "/v2/$3/blobs/$5" "$5" &&
    [[ -e $2/docker/registry/v2/repositories/$3/_layers/sha256/${5#*:}/link ]]; then
    PROBLEM="it does not serve the blob $5 of $3, which the one before did (status ${STATUS:-none})"
    return 1
  fi
}

# is_proven NAME: the registry in this container does all that the one before did; else PROBLEM says what it does not.
is_proven() {
  local address canary sample
  PROBLEM='it does not answer'
  asks_registry "$1" && address=$(address_of "$1") && images_of "$1" || return 1
  canary=$(<"$CHANGE/canary")
  sample=$(<"$CHANGE/sample")
  PROOF=$(mktemp -d)
  # shellcheck disable=SC2086 # three words
  if [[ -n $sample ]] && ! serves_sample "$address" "$REPLY" $sample; then
    rm -rf -- "$PROOF"
    return 1
  fi
  if [[ $canary == held ]] && ! holds_canary "$address"; then
    # shellcheck disable=SC2034 # of whoever asks
    PROBLEM="it does not take an image and give it back, which the one before did (status ${STATUS:-none}): $(head -c 500 "$PROOF/body" | tr '\0\n' '  ')"
    rm -rf -- "$PROOF"
    return 1
  fi
  rm -rf -- "$PROOF"
}

# asks_registry NAME: whether it answers in its own container.
asks_registry() {
  local address
  address=$(address_of "$1") && [[ -n $address && -n $(present_at "$address") ]]
}

present_at() { http_status http 5000 /v2/ "$1" 2; }
