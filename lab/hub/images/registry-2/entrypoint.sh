#!/bin/sh
# A configuration file means "serve"; anything else is a command of the registry, or a shell.
set -e
if [ -f "$1" ]; then
  exec /bin/registry serve "$@"
fi
if [ "$1" = sh ]; then
  exec "$@"
fi
exec /bin/registry "$@"
