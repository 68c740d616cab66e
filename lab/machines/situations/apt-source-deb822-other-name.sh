# shellcheck shell=bash
# On an instance: download.docker.com is an apt source under another name, in deb822 form, with another key file.
# Source: https://github.com/geerlingguy/ansible-role-docker/issues/409 (names that roles give), and the conflict of two
# keys for one source, https://github.com/docker/for-linux/issues/1349
curl -fsSL https://download.docker.com/linux/debian/gpg -o /usr/share/keyrings/docker-archive-keyring.asc
cat >/etc/apt/sources.list.d/download_docker_com_linux_debian.sources <<SOURCES
Enabled: yes
Types: deb
URIs: https://download.docker.com/linux/debian
Suites: $(. /etc/os-release && echo "$VERSION_CODENAME")
Components: stable
Architectures: $(dpkg --print-architecture)
Signed-By: /usr/share/keyrings/docker-archive-keyring.asc
SOURCES
apt-get update -qq
