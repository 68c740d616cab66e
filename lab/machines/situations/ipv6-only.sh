# shellcheck shell=bash
# On the host: the instance has an external IPv6 address, and no IPv4 address at all, for the API.
# Source: https://cloud.google.com/compute/docs/ip-addresses/configure-ipv6-address (stackType IPV6_ONLY)
"$LAB_COMMAND" fault instance-shape ipv6-only --instance "$LAB_INSTANCE"
