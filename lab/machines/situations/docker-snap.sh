# shellcheck shell=bash
# On an instance: Docker came from snap, with its own unit, data, daemon.json and no package of apt.
# Source: https://github.com/docker/for-linux/issues/406 (the unit), https://github.com/canonical/docker-snap (folders of
# the daemon, bin/dockerd-wrapper). A stand-in: the same layout, without snapd and without its confinement.
install_docker
folder=/snap/docker/2963
install -d "$folder/bin" "$folder/libexec/docker/cli-plugins" /snap/bin /var/snap/docker/common/var-lib-docker \
  /var/snap/docker/2963/config
ln -sfn 2963 /snap/docker/current
ln -sfn 2963 /var/snap/docker/current
cp /usr/bin/{docker,dockerd,docker-proxy,docker-init,containerd,containerd-shim-runc-v2} "$(realpath /usr/bin/runc)" "$folder/bin/"
cp -r /usr/libexec/docker/cli-plugins/. "$folder/libexec/docker/cli-plugins/"
DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq docker-ce docker-ce-cli containerd.io docker-buildx-plugin \
  docker-compose-plugin >/dev/null 2>&1
rm -rf /etc/docker /etc/apt/sources.list.d/docker.sources /etc/apt/keyrings/docker.asc
find /var/lib/docker /var/lib/containerd -mindepth 1 -delete
on_disk /var/snap/docker/common/var-lib-docker
echo '{ "log-level": "error" }' >/var/snap/docker/2963/config/daemon.json

cat >/usr/bin/snap <<'SNAP'
#!/bin/sh
# Runs a command of the one snap that there is; by its own name, or by that of a link to it.
export SNAP=/snap/docker/current SNAP_DATA=/var/snap/docker/current SNAP_COMMON=/var/snap/docker/common
export PATH="$SNAP/bin:$PATH"
case "${0##*/} $*" in
  'snap run docker.dockerd'*)
    exec dockerd --exec-root=/run/snap.docker --data-root="$SNAP_COMMON/var-lib-docker" \
      --pidfile=/run/snap.docker/docker.pid --config-file="$SNAP_DATA/config/daemon.json" ;;
  'docker '*) exec docker "$@" ;;
  'snap list'*) printf 'Name    Version  Rev   Tracking       Publisher   Notes\ndocker  28.4.0   2963  latest/stable  canonical✓  -\n' ;;
  *) echo "error: unknown command \"$1\", see 'snap help'." >&2; exit 64 ;;
esac
SNAP
chmod 0755 /usr/bin/snap
ln -sf /usr/bin/snap /snap/bin/docker
ln -sfn /snap/docker/current/libexec/docker /usr/local/lib/docker
# shellcheck disable=SC2016 # expanded by the login shell
echo 'PATH=$PATH:/snap/bin' >/etc/profile.d/apps-bin-path.sh
cat >/etc/systemd/system/snap.docker.dockerd.service <<'UNIT'
[Unit]
# Auto-generated, DO NOT EDIT
Description=Service for snap application docker.dockerd

[Service]
ExecStart=/usr/bin/snap run docker.dockerd
SyslogIdentifier=docker.dockerd
Restart=on-failure
WorkingDirectory=/var/snap/docker/2963
TimeoutStopSec=30
Type=simple

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --now --quiet snap.docker.dockerd.service
timeout 30 sh -c 'until /snap/bin/docker version >/dev/null 2>&1; do sleep 0.2; done'
