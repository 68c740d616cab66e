# shellcheck shell=bash
#
# The facts about what is newer elsewhere: what the tags of images stand for at their registries, and which packages apt would
# upgrade, from its lists as they are. Sent after facts-stack.sh; facts.sh calls `begin_update_facts` at its start and
# `update_facts` at its end. Changes nothing, and pulls nothing.

# When an update by this action was carried out; in seconds since 1970.
LAST_UPDATE=/etc/gce-registry/last-update

# begin_update_facts WITH_DOCKER WANTED IMAGE,…: starts the commands that take long.
begin_update_facts() {
  local image fd
  TAGS=() TAG_FDS=() UPGRADES_FD=
  [[ $2 == true ]] || return 0
  if [[ $1 == true && -n $3 ]]; then
    IFS=, read -r -a TAGS <<<"$3"
    for image in "${TAGS[@]}"; do
      exec {fd}< <(look_up "$image")
      TAG_FDS+=("$fd")
    done
  fi
  exec {UPGRADES_FD}< <(upgradable)
}

# look_up IMAGE: what Docker says of it, which asks its registry by the mirrors, proxies and certificates that it pulls by:
# https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Distribution. Perl is on every Debian, and curl is not.
look_up() {
  # shellcheck disable=SC2016 # Perl's
  timeout 20 perl -MIO::Socket::UNIX -e '
    my $socket = IO::Socket::UNIX->new(Peer => "/var/run/docker.sock") or exit 1;
    $socket->syswrite("GET /distribution/$ARGV[0]/json HTTP/1.0\r\nHost: docker\r\n\r\n");
    local $/;
    my $answer = <$socket>;
    $answer =~ s/^.*?\r\n\r\n//s;
    $answer =~ s/[\r\n]+/ /g;
    print substr($answer, 0, 65536);' -- "$1" 2>/dev/null
}

# upgradable: `NAME FROM TO ORIGINS` of each package that apt would upgrade, as far as holds and pins allow. It keeps no cache of
# its own for that.
upgradable() {
  LC_ALL=C timeout 30 apt-get -s -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    --with-new-pkgs upgrade 2>/dev/null |
    sed -nE 's/^Inst ([^ ]+) \[([^]]+)\] \(([^ ]+) (.*) \[[^]]*\]\).*$/\1 \2 \3 \4/p' | head -n 1000
}

# update_facts: sets REPLY to all of them; null where they were not asked for.
update_facts() {
  local OUT='' index answer list=
  REPLY=null
  [[ -n $UPGRADES_FD ]] || return 0
  for index in "${!TAGS[@]}"; do
    answer=
    IFS= read -r answer <&"${TAG_FDS[index]}" || true
    tag_facts "${TAGS[index]}" "$answer"
    list+="${list:+,}$REPLY"
  done
  put_raw tags "[$list]"
  upgrade_facts <&"$UPGRADES_FD" && put_raw packages "$REPLY"
  age_of /var/lib/apt/lists /var/lib/apt/lists/partial /var/lib/apt/periodic/update-success-stamp && put_raw listsAge "$REPLY"
  age_of /var/lib/dpkg/status && put_raw packagesAge "$REPLY"
  age_of "$LAST_UPDATE" && put_raw updateAge "$REPLY"
  REPLY="{$OUT}"
}

tag_facts() {
  local OUT=''
  put image "$1"
  put answer "$2"
  REPLY="{$OUT}"
}

# From lines of `upgradable` on standard input.
upgrade_facts() {
  local OUT list='' name from to origins security
  while read -r name from to origins; do
    OUT=
    put name "$name"
    put from "$from"
    put to "$to"
    security=false
    [[ ${origins,,} != *security* ]] || security=true
    put_raw security "$security"
    list+="${list:+,}{$OUT}"
  done
  REPLY="[$list]"
}

# age_of FILE …: sets REPLY to how many seconds ago the last of them was changed; null where there is none.
age_of() {
  local changed
  REPLY=null
  changed=$(stat -c %Y -- "$@" 2>/dev/null | sort -n | tail -n 1)
  [[ -z $changed ]] || REPLY=$((EPOCHSECONDS > changed ? EPOCHSECONDS - changed : 0))
}
