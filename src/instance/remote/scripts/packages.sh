# shellcheck shell=bash
#
# The steps that have to do with packages: repairing, installing and removing them, and where apt finds Docker's.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none

APT_TIMEOUT=300
KEY_TIMEOUT=60

apt_get() {
  apt-get -y -q -o DPkg::Lock::Timeout="$APT_TIMEOUT" -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
    -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# until_unlocked COMMAND …: runs a command of apt or dpkg that fails at once while another program holds their locks, as
# unattended-upgrades does, and tries again until it is free, for up to APT_TIMEOUT seconds a step. Its output is then
# in OUTPUT.
until_unlocked() {
  local waiting=
  : "${APT_DEADLINE:=$((SECONDS + APT_TIMEOUT))}"
  until OUTPUT=$(bounded "$@"); do
    if [[ ! $OUTPUT =~ (Could not get lock|[^$'\n']*lock was locked by)[^$'\n']* ]] || ((SECONDS >= APT_DEADLINE)); then
      return 1
    fi
    [[ -n $waiting ]] || say "Waiting for another program that uses apt, up to $APT_TIMEOUT s: ${BASH_REMATCH[0]}"
    waiting=yes
    sleep 1
  done
}

# A proxy of the whole machine, in /etc/environment, is used by what is run here if somebody listens there. What a login
# has besides says nothing of the machine, and what apt knows itself goes first.
use_machine_proxy() {
  local name value host port
  [[ -f /etc/environment ]] || return 0
  while IFS='=' read -r name value; do
    name=${name#export }
    value=${value//[\"\']/}
    case ${name,,} in
      http_proxy | https_proxy)
        [[ $value =~ ^(https?://)?([^@/]*@)?\[?([^]:/@]+)\]?:([0-9]+)/?$ ]] || continue
        host=${BASH_REMATCH[3]} port=${BASH_REMATCH[4]}
        # shellcheck disable=SC2016 # expanded by the other bash
        if timeout 3 bash -c '</dev/tcp/$0/$1' "$host" "$port" 2>/dev/null; then
          export "${name,,}=$value"
        else
          say "Nothing answers at the proxy $host:$port of /etc/environment: going without it"
        fi
        ;;
      no_proxy) export "no_proxy=$value" ;;
    esac
  done < <(head -c 65536 /etc/environment)
}

# DPkg::Lock::Timeout does not make `update` wait for the lock on the lists. Lists that cannot be fetched are no error
# yet: others may do, and the installation says what is missing.
update_package_lists() {
  use_machine_proxy
  until_unlocked apt_get update || true
  say "$OUTPUT"
}

# Finishes what a killed dpkg left half done. What cannot be configured for want of other packages is left to apt.
configure_packages() {
  until_unlocked dpkg --configure -a --force-confdef --force-confold || true
  [[ -z $OUTPUT ]] || say "$OUTPUT"
}

step_repair_packages() {
  configure_packages
  if ! apt_get --fix-broken install; then
    update_package_lists
    apt_get --fix-broken install
  fi
}

step_install_packages() {
  update_package_lists
  configure_packages
  install_beside "$@"
}

# install_beside PACKAGE …: Docker's packages stand against some of the distribution's, and apt would remove those without
# a word, and with them what somebody runs in them. What is removed all the same is left over, and runs nothing.
install_beside() {
  local name removals needed=()
  if apt_get install --no-install-recommends --no-remove -- "$@"; then return 0; fi
  removals=$(bounded apt-get -s install --no-install-recommends -- "$@" | sed -n 's/^Remv \([^ ]*\) .*/\1/p') || return 1
  # It failed for another reason, which apt has printed.
  [[ -n $removals ]] || return 1
  while read -r name; do
    case $name in
      containerd | runc | docker-doc | docker-buildx) ! runs_containers || needed+=("$name") ;;
      *) needed+=("$name") ;;
    esac
  done <<<"$removals"
  if ((${#needed[@]})); then
    say "apt would remove ${needed[*]}, which this instance uses, for $*"
    return 1
  fi
  apt_get install --no-install-recommends -- "$@"
}

# Whether containers of anybody run here: each has a shim beside it.
runs_containers() { grep -qsx 'containerd-shim' /proc/[0-9]*/comm; }

# The engine comes with the packages; where policy-rc.d or a preset kept its service from starting, it is started here.
step_install_engine() {
  step_install_packages "$@"
  step_start_engine
}

step_remove_packages() {
  configure_packages
  apt_get remove -- "$@"
}

# step_install_keyring URL PATH: apt's own program for it knows apt's proxies, and follows no redirect from https to http.
# What is fetched has an end.
step_install_keyring() {
  local directory key
  use_machine_proxy
  directory=$(mktemp -d)
  # apt fetches as its own user.
  chmod 0755 -- "$directory"
  say "Fetching $1 (up to $KEY_TIMEOUT s, with retries)"
  if ! (
    ulimit -f 1024
    timeout "$KEY_TIMEOUT" /usr/lib/apt/apt-helper -o Acquire::Retries=3 -o Acquire::http::Timeout=10 \
      -o Acquire::https::Timeout=10 -o APT::Sandbox::User=root download-file "$1" "$directory/key"
  ); then
    rm -rf -- "$directory"
    say "$1 could not be fetched"
    return 1
  fi
  key=$(head -c 1048576 -- "$directory/key" | tr -d '\0')
  rm -rf -- "$directory"
  if [[ $key != '-----BEGIN PGP PUBLIC KEY BLOCK-----'*'-----END PGP PUBLIC KEY BLOCK-----'* ]]; then
    say "$1 is not a PGP public key"
    return 1
  fi
  printf '%s\n' "$key" | put_file "$2" 0644
}

# step_check_repository URI SUITE KEY_URL KEYRING SOURCES CONTENT [PATH CONTENT] …: contents are in base64.
step_check_repository() {
  local uri=${1%/} suite=$2 url=$3 keyring=$4 sources=$5 content=$6 line bad=
  shift 6
  update_package_lists
  while IFS= read -r line; do
    [[ $line =~ ^[EW]:\ .*$uri/?\ $suite(\ |:|$|,|\') ]] || continue
    [[ ! $line =~ (not signed|not have a Release file|no longer has a Release file|verification failed|Conflicting values) &&
      ! $line =~ (NO_PUBKEY|BADSIG|EXPKEYSIG|couldn\'t be verified|Malformed) ]] || bad=yes
  done <<<"$OUTPUT"
  [[ -n $bad ]] || return 0
  say 'apt does not accept it'
  while (($#)); do
    if [[ -n $2 ]]; then step_write_file "$1" "$2"; else rm -f -- "$1"; fi
    shift 2
  done
  step_install_keyring "$url" "$keyring"
  step_write_file "$sources" "$content"
}
