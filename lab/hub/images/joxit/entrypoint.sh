#!/bin/sh
# Writes nginx's configuration and the page from the variables that joxit/docker-registry-ui knows.
set -eu

# Puts the values of variables, made safe for HTML, in place of ${NAME}.
render() {
  awk '{
    line = $0
    out = ""
    while (match(line, /\$\{[A-Z_]+\}/)) {
      value = ENVIRON[substr(line, RSTART + 2, RLENGTH - 3)]
      if (html) {
        gsub(/&/, "\\&amp;", value); gsub(/</, "\\&lt;", value); gsub(/>/, "\\&gt;", value)
        gsub(/"/, "\\&quot;", value); gsub(/\047/, "\\&#39;", value)
      }
      out = out substr(line, 1, RSTART - 1) value
      line = substr(line, RSTART + RLENGTH)
    }
    print out line
  }' html="$1"
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
export REGISTRY_PROXY
render 0 </etc/nginx/nginx.conf.template >/etc/nginx/nginx.conf
render 1 </usr/share/nginx/index.html.template >/usr/share/nginx/html/index.html
cp /usr/share/nginx/page.js /usr/share/nginx/html/
exec "$@"
