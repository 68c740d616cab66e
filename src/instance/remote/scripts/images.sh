# shellcheck shell=bash
#
# What the registry has on its disk, and who asked for what. Sent after facts.sh.

# Of what the front notes of pushes, see stack/front.ts.
ASKED_LOG=/var/log/gce-registry/asked.log
# Where a prune puts what it takes out, until it is done; beside the images, on the same file system.
PRUNE_DIRECTORY=gce-registry-prune
# What the prune that ended last wrote of itself.
LAST_PRUNE=/run/gce-registry/prune

# locate_images: sets REPLY to the directory in which the registry of this instance has its `docker`.
locate_images() {
  local mount source
  REPLY=
  while IFS=$'\t' read -r mount source; do
    [[ $mount != /var/lib/registry ]] || REPLY=$source
    [[ $mount != /var/lib/registry/docker ]] || REPLY=${source%/docker}
  done < <(docker container inspect --format '{{range .Mounts}}{{.Destination}}{{"\t"}}{{.Source}}{{"\n"}}{{end}}' \
    "$PROJECT-registry-1" 2>/dev/null)
  [[ -n $REPLY && -d $REPLY ]]
}

# asked_since SECONDS: `HEX TIME` for all that was asked for since then, and was there, in no order.
asked_since() {
  local file
  for file in "${ASKED_LOG%.log}"*.log; do
    [[ ! -f $file ]] || sed -nE '/"status":2[0-9][0-9]/s/.*"ts":([0-9]+)[.0-9]*,.*"uri":"[^"]*sha256(:|%3[Aa])([0-9a-f]{64}).*/\3 \1/p' "$file"
  done | awk -v since="$1" '$2 >= since && $2 > last[$1] { last[$1] = $2 } END { for (each in last) print each, last[each] }'
}

# list_images DIRECTORY NOW: in sections, then the bytes of all manifests that the repositories link to.
list_images() {
  local now=$2 root=$1/docker/registry/v2 list
  list=$(mktemp -d)
  printf '== now\n%s %s %s\n== last\n' "$now" "$(df -B1 --output=size,used -- "$1" | tail -n 1 | tr -s ' ' | sed 's/^ //')" \
    "$(du -sB1 -- "$root" 2>/dev/null | cut -f 1)"
  [[ ! -f $LAST_PRUNE ]] || cat -- "$LAST_PRUNE"
  [[ ! -d $1/$PRUNE_DIRECTORY ]] || printf '== cut\n%s\n' "$PRUNE_DIRECTORY"
  printf '== asked\n'
  asked_since 0
  # Blobs first: what is sent meanwhile is not taken for a blob without a link.
  printf '== blobs\n'
  : >"$list/blobs"
  if cd -- "$root/blobs/sha256" 2>/dev/null; then
    find . -mindepth 3 -maxdepth 3 -type f -name data -printf '%h %b %s %T@\n' | sed -E 's/^.*\///; s/\.[0-9]+$//' | sort >"$list/blobs"
  fi
  cut -d ' ' -f 1,2,4 "$list/blobs"
  printf '== links\n'
  : >"$list/links"
  if cd -- "$root/repositories" 2>/dev/null; then
    find . -type d \( -name _uploads -o -path './*/_manifests/tags/*/index' \) -prune -o -type f -name link -printf '%T@ %P\n' >"$list/links"
    cat -- "$list/links"
    printf '== contents\n'
    sed -nE 's/^[^ ]+ (.*\/_manifests\/.*)$/\1/p' "$list/links" | tr '\n' '\0' | xargs -0 -r grep -H '' -- || true
    printf '== uploads\n'
    find . -type f -path '*/_uploads/*' -printf '%T@ %b %P\n'
  fi
  # Of a manifest no registry takes more than 4 MiB.
  sed -nE 's/^.*\/_manifests\/revisions\/sha256\/([0-9a-f]{64})\/link$/\1/p' "$list/links" | sort -u |
    join -o 1.1,1.3 "$list/blobs" - | awk '$2 <= 4194304' >"$list/manifests"
  printf '== manifests\n'
  cat -- "$list/manifests"
  printf '== bytes\n'
  sed -E "s/^((..).*) .*/\2\/\1\/data/" "$list/manifests" | (cd -- "$root/blobs/sha256" 2>/dev/null && tr '\n' '\0' | xargs -0 -r cat --)
  rm -rf -- "$list"
}

# read_images MARK: the whole of it on one line, packed.
read_images() {
  local now
  now=$(date +%s.%N)
  locate_images || return 0
  printf '%s images %s\n' "$1" "$(list_images "$REPLY" "$now" | gzip -1 | base64 -w 0)"
}
