# shellcheck shell=bash
#
# The facts about Docker: the engine, its units, its packages, where apt finds them, and Compose. Sent after json.sh;
# facts.sh calls `begin_engine_facts` at its start and `engine_facts` later. Changes nothing.

# The engine of the machine, whatever context /root/.docker/config.json has chosen.
export DOCKER_HOST=unix:///var/run/docker.sock

# Where `docker` looks for plugins, in order: the first file counts, whatever it is.
# https://github.com/docker/cli/blob/master/cli-plugins/manager/manager_unix.go
PLUGIN_DIRECTORIES=(/root/.docker/cli-plugins {/usr/local/lib,/usr/local/libexec,/usr/lib,/usr/libexec}/docker/cli-plugins)
PACKAGES=' ca-certificates openssl docker-ce docker-ce-cli containerd.io docker-compose-plugin docker.io docker-cli'
PACKAGES+=' docker-compose docker-compose-v2 podman-docker '
UNITS=(docker.service docker.socket containerd.service snap.docker.dockerd.service)
# A file of apt that is larger has a reason that is not ours.
SOURCE_LIMIT=65536

# Three lines.
ENGINE_INFO='{{println .ServerVersion}}{{println .DockerRootDir}}{{json .RegistryConfig.Mirrors}}'

# begin_engine_facts: starts the commands that take long. WITH_DOCKER says whether there is a Docker to ask.
begin_engine_facts() {
  WITH_DOCKER=false INFO_FD='' COMPOSE_FD=''
  DOCKER=$(type -P docker) || DOCKER=
  if [[ -n $DOCKER && -S /var/run/docker.sock && ! -e /usr/share/doc/podman-docker ]]; then
    # shellcheck disable=SC2034 # of facts.sh
    WITH_DOCKER=true
    exec {INFO_FD}< <(text=$(timeout 15 docker info --format "$ENGINE_INFO" 2>/dev/null) && printf '%s\n' "$text")
  fi
  compose_path
  COMPOSE=$REPLY
  # Also a text would run, as a script.
  if [[ -n $COMPOSE && -x $COMPOSE ]] && is_program "$COMPOSE"; then
    exec {COMPOSE_FD}< <(timeout 10 "$COMPOSE" version --short </dev/null 2>/dev/null | head -c 100)
  fi
  exec {PACKAGES_FD}< <(dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' 2>/dev/null)
  exec {UNITS_FD}< <(systemctl show -p Id,LoadState,ActiveState,UnitFileState "${UNITS[@]}" 2>/dev/null)
}

# Sets REPLY to the file that `docker compose` runs; empty without one.
compose_path() {
  local directory
  for directory in "${PLUGIN_DIRECTORIES[@]}"; do
    REPLY=$directory/docker-compose
    [[ ! -e $REPLY ]] || return 0
  done
  REPLY=
}

# Whether the kernel runs a file itself.
is_program() {
  local start
  IFS= read -r -n 4 -d '' start <"$1" 2>/dev/null
  [[ $start == $'\x7fELF' || $start == '#!'* ]]
}

# engine_facts USER: puts all of them, and sets DOCKER_ROOT.
engine_facts() {
  local info=() version='' mirrors=null
  put docker "$DOCKER"
  [[ -z $INFO_FD ]] || mapfile -t -n 3 info <&"$INFO_FD"
  put engine "${info[0]-}"
  if ((${#info[@]})); then
    mirrors=${info[2]-}
    [[ $mirrors == '['*']' ]] || mirrors='[]'
  fi
  put_raw mirrors "$mirrors"
  docker_root "${info[1]-}"
  put dockerRoot "$DOCKER_ROOT"
  { [[ -z $COMPOSE_FD ]] || IFS= read -r version <&"$COMPOSE_FD" || true; }
  compose_fact "$version" && put_raw compose "$REPLY"
  unit_facts <&"$UNITS_FD" && put_raw units "$REPLY" && put_raw service "${SERVICE:-{\}}"
  package_facts <&"$PACKAGES_FD" && put_raw packages "$PACKAGE_FACTS" && put_raw brokenPackages "$BROKEN_FACTS"
  put_raw lacksAppArmor "$(lacks_apparmor && echo true || echo false)"
  source_facts && put_raw aptSources "$REPLY"
  key_facts && put_raw aptKeys "$REPLY"
  mapfile -t < <(compgen -G '/var/lib/apt/lists/*_linux_*_dists_*Release')
  json_strings "${MAPFILE[@]##*/}" && put_raw aptLists "$REPLY"
  group_facts "$1"
}

# Whether the kernel has AppArmor, and the program is missing by which Docker gives containers their profile: an engine
# before 23.0 then starts none (https://github.com/moby/moby/issues/44900), a later one starts them without.
lacks_apparmor() {
  local enabled=
  IFS= read -r enabled 2>/dev/null </sys/module/apparmor/parameters/enabled || true
  [[ $enabled == Y && ! -e /sbin/apparmor_parser ]]
}

# docker_root ANSWER: where Docker has its images and volumes, as it says itself. One that does not run is not to be
# asked: then it is what its file names, or Docker's own choice.
docker_root() {
  local root=${1:-/var/lib/docker} text
  if [[ -z $1 && -f /etc/docker/daemon.json ]]; then
    text=$(head -c 65536 /etc/docker/daemon.json)
    [[ ! $text =~ \"(data-root|graph)\"[[:space:]]*:[[:space:]]*\"([^\"]+)\" ]] || root=${BASH_REMATCH[2]}
  fi
  DOCKER_ROOT=$(realpath -m -- "$root") || DOCKER_ROOT=$root
}

compose_fact() {
  local OUT=''
  REPLY=null
  [[ -n $COMPOSE ]] || return 0
  put path "$COMPOSE"
  put version "$1"
  REPLY="{$OUT}"
}

# From lines `STATUS PACKAGE VERSION` on standard input, with the two letters of `dpkg -l` as status.
package_facts() {
  local OUT='' status package version broken=()
  while read -r status package version; do
    [[ $status != ?[nc] ]] || continue
    [[ $PACKAGES != *" $package "* ]] || put "$package" "$version"
    [[ $status == ?i ]] || broken+=("$package")
  done
  PACKAGE_FACTS="{$OUT}"
  # A journal of dpkg that was not played back: it was killed.
  compgen -G '/var/lib/dpkg/updates/[0-9]*' >/dev/null && broken+=(dpkg)
  json_strings "${broken[@]}"
  BROKEN_FACTS=$REPLY
}

# From the output of `systemctl show` on standard input: paragraphs, one a unit. SERVICE is that of docker.service.
unit_facts() {
  local OUT='' units='' id='' key value
  SERVICE=
  while IFS='=' read -r key value; do
    case $key in
      Id) id=$value ;;
      LoadState) put load "$value" ;;
      ActiveState) put active "$value" ;;
      UnitFileState) put enabled "$value" ;;
      '')
        add_unit
        OUT='' id=''
        ;;
    esac
  done
  add_unit
  REPLY="{$units}"
}

add_unit() {
  [[ -n $id ]] || return 0
  [[ $id != docker.service ]] || SERVICE="{$OUT}"
  json_string "$id"
  units+="${units:+,}$REPLY:{$OUT}"
}

# Texts of the files in which apt finds its sources, where they name a repository such as Docker's.
source_facts() {
  local OUT='' path text
  while IFS= read -r path; do
    text=$(head -c "$SOURCE_LIMIT" -- "$path" | base64 -w 0)
    put "$path" "$text"
  done < <(grep -lsE '/linux/(debian|ubuntu)' /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources | head -n 20)
  REPLY="{$OUT}"
}

# Keys for apt that are there, and whether they are whole.
key_facts() {
  local OUT='' path whole
  for path in /etc/apt/keyrings/* /usr/share/keyrings/*docker* /etc/apt/trusted.gpg.d/*docker*; do
    [[ -f $path ]] || continue
    whole=false && is_whole_key "$path" && whole=true
    put_raw_named "$path" "$whole"
  done
  # Wherever else the sources look for them.
  while IFS= read -r path; do
    [[ -f $path && $OUT != *"\"$path\":"* ]] || continue
    whole=false && is_whole_key "$path" && whole=true
    put_raw_named "$path" "$whole"
  done < <(grep -hsoiE 'signed-by[=:][[:space:]]*/[^],[:space:]]+' /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources | grep -oE '/.*' | sort -u | head -n 50)
  REPLY="{$OUT}"
}

put_raw_named() {
  json_string "$1"
  OUT+="${OUT:+,}$REPLY:$2"
}

# Whether a file is a PGP key up to its end: with one that was cut off apt would take no package. Of one that is not in
# letters the length is not known from outside.
is_whole_key() {
  local text
  [[ -s $1 ]] || return 1
  { text=$(head -c 1048576 -- "$1" | tr -d '\0'); } 2>/dev/null
  [[ $text != *'-----BEGIN PGP PUBLIC KEY BLOCK-----'* || $text == *'-----END PGP PUBLIC KEY BLOCK-----'* ]] &&
    [[ $1 != *.asc || $text == *'-----BEGIN PGP PUBLIC KEY BLOCK-----'* ]]
}

# group_facts USER
group_facts() {
  local name members group=false member=false
  while IFS=: read -r name _ _ members; do
    [[ $name == docker ]] || continue
    group=true
    [[ ,$members, != *",$1,"* ]] || member=true
  done </etc/group
  put_raw dockerGroup "$group"
  put_raw userInDockerGroup "$member"
}
