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

# DPkg::Lock::Timeout does not make `update` wait for the lock on the lists. Lists that cannot be fetched are no error
# yet: others may do, and the installation says what is missing.
update_package_lists() {
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
  apt_get install --no-install-recommends -- "$@"
}

# The engine comes with the packages; where policy-rc.d or a preset kept its service from starting, it is started here.
step_install_engine() {
  step_install_packages "$@"
  step_start_engine
}

step_remove_packages() {
  configure_packages
  apt_get remove -- "$@"
}

# step_install_keyring URL PATH
step_install_keyring() {
  local key
  say "Fetching $1 (up to $KEY_TIMEOUT s, with retries)"
  key=$(curl -fsSL --globoff --proto '=https,http' --retry 5 --retry-connrefused --retry-max-time "$((KEY_TIMEOUT / 2))" \
    --connect-timeout 10 --max-time "$((KEY_TIMEOUT / 2))" -- "$1" | head -c 1048576)
  if [[ $key != '-----BEGIN PGP PUBLIC KEY BLOCK-----'*'-----END PGP PUBLIC KEY BLOCK-----'* ]]; then
    say "$1 is not a PGP public key"
    return 1
  fi
  printf '%s\n' "$key" | put_file "$2" 0644
}

# Takes the entries of Docker's repository out of older files: two entries with different keys are an error of apt.
step_disable_apt_entries() {
  local file entry='^[[:space:]]*deb[[:space:]].*/linux/(debian|ubuntu)/?[[:space:]]+[^[:space:]]+[[:space:]]+stable'
  for file in "$@"; do
    if grep -vE '^[[:space:]]*(#|$)' -- "$file" | grep -qvE "$entry"; then
      say "Commenting out Docker's repository in $file"
      sed -E "\\~$entry~s~^~# In docker.sources now: ~" -- "$file" | put_file "$file" 0644
    else
      say "Removing $file"
      rm -f -- "$file"
    fi
  done
}
