# shellcheck shell=bash
# certificate-expires.sh start SECONDS | end: the front shows a certificate by the instance's own authority that ends then, with
# the names of the one before. The next run makes another one.
[[ $1 == start ]] || exit 0
cd /etc/gce-registry || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key" -subj /CN=old \
  -out "$work/request" 2>/dev/null </dev/null
openssl x509 -noout -ext subjectAltName -in front/tls/server.crt | tail -n 1 |
  sed 's/IP Address:/IP:/g; s/ //g; s/^/subjectAltName=/' >"$work/names"
openssl x509 -req -in "$work/request" -CA ca/ca.crt -CAkey ca/ca.key -extfile "$work/names" -out "$work/certificate" \
  -not_before "$(date -u -d '-300 days' +%Y%m%d%H%M%SZ)" -not_after "$(date -u -d "+$2 seconds" +%Y%m%d%H%M%SZ)" \
  2>/dev/null </dev/null
cat "$work/certificate" "$work/key" >front/tls/server.pem
cp "$work/certificate" front/tls/server.crt
docker exec -i gce-registry-front-1 caddy reload --force --config - --adapter caddyfile \
  --address unix//run/front/admin.sock <front/Caddyfile >/dev/null 2>&1
