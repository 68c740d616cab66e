# shellcheck shell=bash
# On an instance: download.docker.com is an apt source in one line of /etc/apt/sources.list itself, with another key file.
# Source: https://github.com/opendatacube/cube-in-a-box/issues/62 (what add-apt-repository and older instructions wrote)
curl -fsSL https://download.docker.com/linux/debian/gpg -o /etc/apt/trusted.gpg.d/docker.asc
cat >>/etc/apt/sources.list <<SOURCES
deb [arch=$(dpkg --print-architecture) signed-by=/etc/apt/trusted.gpg.d/docker.asc] https://download.docker.com/linux/debian $(. /etc/os-release && echo "$VERSION_CODENAME") stable
SOURCES
apt-get update -qq
