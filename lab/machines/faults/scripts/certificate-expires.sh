# shellcheck shell=bash
# certificate-expires.sh start SECONDS CA KEY | end: the front shows a certificate that ends in SECONDS, 0 for one that has just
# ended, and began 300 days ago; for the same names. The instance's own CA has signed it where there is one, otherwise one that
# the machines trust, which comes as PEM in base64. At the end the one before is back, unless there is another one by then.
stack=/etc/gce-registry
before=/var/lib/gcelab/certificate
front=gce-registry-front-1

# load FILE: what lies there now is what the front shows. Caddy keeps what it has by ACME in memory, also when it is configured anew.
load() {
  if [[ $1 == */acme/* ]]; then
    docker restart --time 1 "$front" >/dev/null
  else
    docker exec --interactive "$front" caddy reload --force --config - --adapter caddyfile \
      --address unix//run/front/admin.sock <"$stack/front/Caddyfile" 2>/dev/null
  fi
}

if [[ $1 == end ]]; then
  [[ -d $before ]] || exit 0
  certificate=$(<"$before/place")
  if cmp -s "$certificate" "$before/expiring"; then
    cp -a "$before/files/." "${certificate%/*}/"
    load "$certificate"
  fi
  rm -rf "$before"
  exit 0
fi

certificate=$stack/front/tls/server.crt
if grep -qs 'issuer acme' "$stack/front/Caddyfile"; then
  certificate=$(compgen -G "$stack/acme/caddy/certificates/*/*/*.crt" | tail -n 1)
fi
folder=${certificate%/*}
if [[ ! -d $before ]]; then
  mkdir -p "$before/files"
  cp -a "$folder/." "$before/files/"
fi
printf '%s\n' "$certificate" >"$before/place"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit
names=$(openssl x509 -noout -ext subjectAltName -in "$certificate" | tail -n 1 | sed 's/IP Address:/IP:/g; s/ //g')
# Caddy takes a common name for the first of the names, and would look for what it renewed under that
# (https://github.com/caddyserver/certmagic/blob/v0.25.6/certificates.go, fillCertFromLeaf).
first=${names%%,*}
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -subj "/O=expiring/CN=${first#*:}" -out request 2>/dev/null
printf '%s\n' "subjectAltName=$names" 'basicConstraints=critical,CA:FALSE' 'extendedKeyUsage=serverAuth' >extensions
base64 -d <<<"$3" >ca.crt
base64 -d <<<"$4" >ca.key
own=$stack/ca/ca
if [[ $certificate == */front/tls/* && -f $own.key ]] && openssl verify -no_check_time -CAfile "$own.crt" "$certificate" >/dev/null 2>&1; then
  cp "$own.crt" "$own.key" .
fi
openssl x509 -req -in request -CA ca.crt -CAkey ca.key -extfile extensions -out expiring 2>/dev/null \
  -not_before "$(date -u -d '-300 days' +%Y%m%d%H%M%SZ)" -not_after "$(date -u -d "+$2 seconds" +%Y%m%d%H%M%SZ)"

cp expiring "$before/expiring"
if [[ $certificate == */acme/* ]]; then
  cat key >"${certificate%.crt}.key"
else
  cat expiring key >"$folder/server.pem"
fi
cat expiring >"$certificate"
load "$certificate"
