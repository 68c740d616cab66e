# shellcheck shell=bash
# On an instance: another Compose project publishes the registry's port as part of a range.
# Source: https://docs.docker.com/reference/compose-file/services/#ports (ranges)
install_docker
install -d /srv/theirs
cat >/srv/theirs/compose.yaml <<'COMPOSE'
name: theirs
services:
  app:
    image: registry:3
    restart: unless-stopped
    ports: ["5000-5001:5000-5001"]
COMPOSE
docker compose --progress quiet --project-directory /srv/theirs up --detach
