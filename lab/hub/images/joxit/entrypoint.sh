#!/bin/sh
# Writes nginx's configuration and the page from the variables that joxit/docker-registry-ui knows.
set -eu

page=/usr/share/nginx/html/index.html

# Puts the value of a variable in place of ${NAME} in the page, with sed and without any escaping, as the original
# does: what sed or HTML takes for its own in a value is the caller's to escape.
fill() {
  sed -i "s~\${$1}~$2~" "$page"
}

REGISTRY_PROXY=''
if [ -n "${NGINX_PROXY_PASS_URL:-}" ]; then
  # With a resolver, nginx looks the name up again and again; without, once at its start.
  if [ -n "${NGINX_RESOLVER:-}" ]; then
    target="resolver $NGINX_RESOLVER valid=5s; set \$registry $NGINX_PROXY_PASS_URL; proxy_pass \$registry;"
  else
    target="proxy_pass $NGINX_PROXY_PASS_URL;"
  fi
  REGISTRY_PROXY="location /v2 { proxy_set_header Host \$http_host; $target }"
fi
sed -e "s|\${REGISTRY_PROXY}|$REGISTRY_PROXY|" -e "s|\${NGINX_LISTEN_PORT}|$NGINX_LISTEN_PORT|" \
  /etc/nginx/nginx.conf.template >/etc/nginx/nginx.conf
cp /usr/share/nginx/index.html.template "$page"
cp /usr/share/nginx/page.js /usr/share/nginx/html/
fill REGISTRY_TITLE "${REGISTRY_TITLE-}"
fill REGISTRY_URL "${REGISTRY_URL-}"
fill SINGLE_REGISTRY "${SINGLE_REGISTRY-}"
fill SHOW_CONTENT_DIGEST "${SHOW_CONTENT_DIGEST-}"
fill DELETE_IMAGES "${DELETE_IMAGES-}"
exec "$@"
