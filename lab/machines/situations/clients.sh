# shellcheck shell=bash
# On the runner: Podman, Skopeo and crane, as beside Docker on GitHub's images and in people's workflows.
# Source: https://github.com/actions/runner-images/blob/main/images/ubuntu/Ubuntu2404-Readme.md
apt-get update -qq
install_packages podman skopeo
ln -sf "$(echo "$LAB_ACTION_FOLDER"/.lab/cache/bin/crane-*)" /usr/local/bin/crane
