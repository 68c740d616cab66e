# shellcheck shell=bash
#
# The steps that have to do with certificates: a CA of this instance's own, whose key never leaves it, and the certificate
# that the front shows. Sent after containers.sh, and before apply.sh.
#
# Steps are called by name, which ShellCheck cannot follow:
# shellcheck disable=SC2317

CA_DAYS=3650
# https://cabforum.org/working-groups/server/baseline-requirements/ has had 398 days as the most, and Apple's clients keep to it
# also for a CA of one's own.
SERVER_DAYS=397

# The extension with the names of a certificate: alternative_names NAME …
alternative_names() {
  local name list=()
  for name in "$@"; do
    if is_address "$name"; then list+=("IP:$name"); else list+=("DNS:$name"); fi
  done
  local IFS=,
  printf '%s' "${list[*]}"
}

# What a CA may sign for: these names, and nothing else, whoever has its key. constraints NAME …
constraints() {
  local name list=()
  for name in "$@"; do
    case $name in
      *:*) list+=("permitted;IP:$name/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") ;;
      *) if is_address "$name"; then list+=("permitted;IP:$name/255.255.255.255"); else list+=("permitted;DNS:$name"); fi ;;
    esac
  done
  local IFS=,
  printf '%s' "${list[*]}"
}

is_address() { [[ $1 == *:* || $1 =~ ^[0-9.]+$ ]]; }

# step_make_ca NAME …: for these names alone. The key takes its place first: a certificate stands beside its key always, and
# `names` last says that all is there.
step_make_ca() {
  local directory=$STACK/ca key certificate
  install -d -m 0755 -- "$directory"
  rm -f -- "$directory/names"
  key=$(openssl ecparam -name prime256v1 -genkey -noout)
  certificate=$(openssl req -x509 -new -key /dev/stdin -days "$CA_DAYS" -sha256 \
    -subj "/O=gce-registry-action/CN=Registry $(hostname | head -c 40) $(date -u +%Y-%m-%d)" \
    -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
    -addext "nameConstraints=critical,$(constraints "$@")" <<<"$key")
  printf '%s\n' "$key" | put_file "$directory/ca.key" 0600
  printf '%s\n' "$certificate" | put_file "$directory/ca.crt" 0644
  printf '%s\n' "$@" | put_file "$directory/names" 0644
}

# step_make_certificate NAME …: signed by this instance's CA.
step_make_certificate() {
  local directory=$STACK/ca key request certificate
  key=$(openssl ecparam -name prime256v1 -genkey -noout)
  request=$(openssl req -new -key /dev/stdin -subj "/CN=$(head -c 64 <<<"$1")" <<<"$key")
  certificate=$(openssl x509 -req -in /dev/stdin -days "$SERVER_DAYS" -sha256 -CA "$directory/ca.crt" -CAkey "$directory/ca.key" \
    -set_serial "0x$(openssl rand -hex 16)" -extfile <(
      printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth' \
        'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' "subjectAltName=$(alternative_names "$@")"
    ) <<<"$request" 2>/dev/null)
  use_certificate "$certificate" "$key"
}

# step_use_certificate CHAIN KEY: PEM in base64, which was checked before.
step_use_certificate() {
  use_certificate "$(base64 -d <<<"$1")" "$(base64 -d <<<"$2")"
}

# Caddy tries again a minute after the first failure, and then less and less often.
OBTAIN_SECONDS=120
# What another try cannot mend, by the authority's own names (RFC 8555, section 6.7).
REFUSALS='error:(rateLimited|rejectedIdentifier|unsupportedIdentifier|caa|invalidContact|unsupportedContact|invalidProfile'
REFUSALS+='|externalAccountRequired|userActionRequired|badCSR|malformed)'

# step_obtain_certificate FILE ANEW SERVICE:SCHEME:PORT:PATH,…: waits until the front has a certificate in FILE, and everything
# answers by it. Caddy asks for it as it starts, so with ANEW it is started again: by a new configuration it would not ask again
# for what it has in memory, expired or not, and nobody can be connected to a front without a good certificate.
step_obtain_certificate() {
  local file=$1 anew=$2 since complaint endpoints end=$((SECONDS + OBTAIN_SECONDS))
  IFS=, read -r -a endpoints <<<"$3"
  [[ $anew == false ]] || docker container restart "$PROJECT-front-1" >/dev/null
  since=$(docker container inspect --format '{{.State.StartedAt}}' "$PROJECT-front-1")
  until is_good_certificate "$file"; do
    complaint=$(front_complaint "$since") || true
    if ((SECONDS >= end)) || [[ $complaint =~ $REFUSALS ]]; then
      [[ -z $complaint ]] || say "The front got no certificate: $complaint"
      [[ -n $complaint ]] || say "The front has no certificate after $OBTAIN_SECONDS s"
      return 1
    fi
    sleep 0.3
  done
  await_answers "${endpoints[@]}"
}

is_good_certificate() {
  [[ -s $1 ]] && openssl x509 -in "$1" -noout -checkend 0 >/dev/null 2>&1
}

# use_certificate CHAIN KEY: a front that runs shows it to the next who connects. What is shown lies in one file, so that
# certificate and key fit whatever happens; `server.crt` beside it is for those who look, and says that all is done.
use_certificate() {
  local directory=$STACK/front/tls
  printf '%s\n%s\n' "$1" "$2" | put_file "$directory/server.pem" 0600
  if front_runs && [[ -f $STACK/front/Caddyfile ]]; then load_front <"$STACK/front/Caddyfile"; fi
  printf '%s\n' "$1" | put_file "$directory/server.crt" 0644
}
