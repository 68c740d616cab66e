# shellcheck shell=bash
# On an instance: Docker comes from Docker's repository and was not updated for years.
# Source: https://docs.docker.com/engine/install/debian/ ("install a specific version")
# Argument: `images`, where an image and a running container are there too.
install_docker '5:26.*'
apt-mark hold docker-ce docker-ce-cli >/dev/null
[[ ${1-} != images ]] || docker run --detach --quiet --name theirs --restart always registry:3 >/dev/null
