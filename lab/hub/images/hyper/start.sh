#!/bin/bash
# Writes nginx's configuration from the variables that hyper/docker-registry-web knows, and runs it.
set -eu
url=${REGISTRY_URL:-http://localhost:5000/v2}
if [[ $url != */v2 ]]; then
  echo "REGISTRY_URL must end in /v2: $url" >&2
  exit 1
fi
authorization=''
if [[ -n ${REGISTRY_BASIC_AUTH:-} ]]; then
  authorization="proxy_set_header Authorization \"Basic $REGISTRY_BASIC_AUTH\";"
fi

# The name as JSON, so that the page shows it literally.
name=${REGISTRY_NAME:-localhost:5000}
name=${name//\\/\\\\}
name=${name//\"/\\\"}
name=${name//$'\n'/\\n}
printf '{"name": "%s"}\n' "$name" >/usr/share/nginx/html/registry.json

cat >/tmp/nginx.conf <<CONFIGURATION
user nginx;
worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events {}
http {
  include /etc/nginx/mime.types;
  access_log /dev/stdout;
  server {
    listen 8080;
    root /usr/share/nginx/html;
    location /registry/ {
      proxy_pass $url/;
      $authorization
    }
  }
}
CONFIGURATION
exec nginx -c /tmp/nginx.conf -g 'daemon off;'
