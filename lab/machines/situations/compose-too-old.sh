# shellcheck shell=bash
# On an instance: Compose is one of the first of its second version, put there by hand.
# Source: https://github.com/letsencrypt/boulder/pull/6997 (releases put into cli-plugins and never updated). A stand-in:
# it answers as a plugin of that version does, and knows nothing else.
install_docker
DEBIAN_FRONTEND=noninteractive apt-get remove -y -qq docker-compose-plugin >/dev/null
install -d /usr/local/lib/docker/cli-plugins
cat >/usr/local/lib/docker/cli-plugins/docker-compose <<'PLUGIN'
#!/bin/sh
case " $* " in
  *' docker-cli-plugin-metadata '*)
    echo '{"SchemaVersion":"0.1.0","Vendor":"Docker Inc.","Version":"v2.0.1","ShortDescription":"Docker Compose"}' ;;
  *' version '*'--short'*) echo 2.0.1 ;;
  *' version '*) echo 'Docker Compose version v2.0.1' ;;
  *) echo 'unknown flag: this Compose is too old' >&2; exit 125 ;;
esac
PLUGIN
chmod 0755 /usr/local/lib/docker/cli-plugins/docker-compose
