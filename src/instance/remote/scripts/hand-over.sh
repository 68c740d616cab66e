# shellcheck shell=bash
#
# Replaces the front while transfers go on. Docker lets one container publish a port, so a second front, without ports of its
# own, is led to by rules of NAT: connections that are new go to it, those that stand stay where they are (their
# translation was decided when they began). The old one ends what it does, is replaced, and gets the new connections back.
# Where the rules do not lead there, the front is replaced as any container, with some seconds in which nothing answers.

NEXT=$PROJECT-front-next
# All of its rules. They come before Docker's, whichever program it makes its own with: what is translated first counts.
RULES=gce_registry_hand_over
# For transfers that are going on, before each of the two moves, in seconds.
DRAIN=600

# hand_over_front PORT:everywhere|loopback,… SERVICE:SCHEME:PORT:PATH,…: new connections go to a front as it is to be, and the
# old one has ended. Fails while the old one is at work where the new one does not start.
hand_over_front() {
  local ports endpoints port fresh=() standing=()
  HANDED_OVER='' LED=''
  IFS=, read -r -a ports <<<"$1"
  IFS=, read -r -a endpoints <<<"$2"
  ((${#ports[@]})) && front_runs && command -v nft >/dev/null || return 0
  for port in "${ports[@]}"; do
    if publishes "${port%%:*}"; then standing+=("$port"); else fresh+=("$port"); fi
  done
  start_next "${ports[@]}"
  # What the old one does not have, such as the port for challenges, is there before the second one asks for a certificate. What
  # it does not get at once it asks for again after a minute (https://caddyserver.com/docs/automatic-https#errors).
  if ! lead_to_next "${fresh[@]}" || ! wake_next || ! wait_for 100 next_answers "${endpoints[@]}" ||
    ! lead_to_next "${standing[@]}" || ! comes_to_next "${standing[@]}"; then
    say 'The front is replaced without a hand-over'
    end_hand_over
    return 0
  fi
  HANDED_OVER=handed-over
  say "New connections go to a second front; the old one has up to $DRAIN s for those that stand"
  drain "$PROJECT-front-1" own_and_docker
}

# take_back_front SERVICE:SCHEME:PORT:PATH,…: the other way round, once the new front answers.
take_back_front() {
  local endpoints
  [[ -n $HANDED_OVER ]] || return 0
  IFS=, read -r -a endpoints <<<"$1"
  if ! wait_for 60 container_answers "$PROJECT-front-1" "${endpoints[@]}"; then
    bounded docker logs --tail 20 "$PROJECT-front-1"
    say "The container of front does not answer; $NEXT goes on for it until the next run"
    return 1
  fi
  forget_rules
  say "New connections go to the new front; the second one has up to $DRAIN s for those that stand"
  drain "$NEXT" own
  end_hand_over
}

# drain NAME own|own_and_docker: that front takes no connection any more, those that stand come to their end, and then it
# does. It is not simply stopped: with a container goes what its kernel has not delivered yet.
drain() {
  local pid port filter='' end=$((SECONDS + DRAIN))
  while read -r port; do filter+="${filter:+ or }sport = :${port%%/*}"; done < <(docker container port "$1")
  pid=$(docker container inspect --format '{{.State.Pid}}' "$1")
  docker exec --interactive "$1" caddy reload --force --config - --adapter caddyfile --address unix//run/front/admin.sock \
    <<<"$WITHOUT_PORTS" >/dev/null 2>&1 || true
  while [[ -n $filter ]] && has_connections "$pid" "$2" "( $filter )"; do
    ((SECONDS < end)) || { HANDED_OVER=cut-off && break; }
    sleep 0.2
  done
  docker stop -t 2 "$1" >/dev/null
}

WITHOUT_PORTS='{
	admin unix//run/front/admin.sock
	persist_config off
	auto_https off
}
http://127.0.0.1:8079 {
	bind 127.0.0.1
	respond "well"
}'

# has_connections PID own|own_and_docker FILTER: whether something is not delivered yet, in the network of that process or by
# Docker's own, through which the loopback of the instance leads to the front.
has_connections() {
  local undelivered=(-Htn state connected exclude time-wait exclude fin-wait-2 exclude syn-recv "$3")
  [[ -n $(nsenter --target "$1" --net ss "${undelivered[@]}" 2>/dev/null) ]] ||
    [[ $2 == own_and_docker && -n $(ss "${undelivered[@]}" 2>/dev/null) ]]
}

# begin_watch PORT:everywhere|loopback,…: where the front is replaced without a hand-over, somebody asks for it meanwhile, at these
# ports and those that it has now.
begin_watch() {
  local port ports=() step=$BASHPID
  WATCH='' WATCH_FD=''
  [[ -n $1 && -z $HANDED_OVER ]] && front_runs || return 0
  while read -r port; do ports+=("${port%%/*}"); done < <(docker container port "$PROJECT-front-1")
  for port in ${1//,/ }; do ports+=("${port%%:*}"); done
  exec {WATCH_FD}< <(longest_silence "$step" "${ports[@]}" 3>&- 2>/dev/null)
  WATCH=$!
}

# end_watch PORT:everywhere|loopback,…: says how the front was replaced, if it was, for front-replacement.ts.
end_watch() {
  local words=$HANDED_OVER silence=
  [[ -n $1 ]] || return 0
  if [[ -n $WATCH ]]; then
    kill -USR1 "$WATCH" 2>/dev/null && read -r -t 10 silence <&"$WATCH_FD" || silence=
  fi
  : "${words:=away${silence:+ $silence}}"
  printf '\n%s front %s\n' "$TOKEN" "$words"
}

# longest_silence PID PORT …: until it is told to end by a signal, or that process is no more, asks ten times a second; prints the
# longest time, in milliseconds, between two answers of a front at any of these ports. One with TLS answers plain HTTP as
# well, by a redirect.
longest_silence() {
  local asking_for=$1 port last now longest=0 ends=
  shift
  trap 'ends=yes' USR1
  last=${EPOCHREALTIME//[!0-9]/}
  until [[ -n $ends ]] || ! kill -0 "$asking_for"; do
    for port in "$@"; do
      [[ -n $(http_status http "$port" /v2/ 127.0.0.1 1) ]] || continue
      now=${EPOCHREALTIME//[!0-9]/}
      ((now - last <= longest)) || longest=$((now - last))
      last=$now
      break
    done
    sleep 0.1
  done
  printf '%s\n' "$((longest / 1000))"
}

# Rules first: they lead to the container.
end_hand_over() {
  forget_rules
  docker container rm --force --volumes "$NEXT" >/dev/null 2>&1 || true
}

# After a hand-over that was cut off: a front that still runs may have let go of its ports. It has them back before the second
# one goes; where it does not take them, what follows replaces it, or says that it does not answer.
mend_hand_over() {
  if [[ -n $(docker container ls --all --quiet --filter "name=^$NEXT\$") ]] && front_runs; then
    load_front <"$STACK/front/Caddyfile" || true
  fi
  end_hand_over
}

# Compose gives it all that the front has, but for the ports. Ports of the loopback that nobody knows make Docker let through
# what comes for those in the container. It begins without any, and is told of them by wake_next.
start_next() {
  local port options=() output
  for port in "$@"; do options+=(--publish "127.0.0.1::${port%%:*}"); done
  # shellcheck disable=SC2016 # the shell of the container is to expand it
  if output=$(bounded compose run --detach --no-deps --name "$NEXT" "${options[@]}" front \
    sh -c 'printf "%s" "$1" >/tmp/Caddyfile && exec caddy run --config /tmp/Caddyfile --adapter caddyfile' sh "$WITHOUT_PORTS") && wait_for 60 next_is_settled &&
    container_is_well "$NEXT"; then
    return 0
  fi
  say "$output"
  bounded docker logs --tail 20 "$NEXT" || true
  end_hand_over
  say 'A front as it is to be does not start; the one that runs stays'
  return 1
}

wake_next() {
  local output
  output=$(bounded docker exec "$NEXT" caddy reload --force --config /etc/caddy/Caddyfile --adapter caddyfile \
    --address unix//run/front/admin.sock) || {
    say "$output"
    return 1
  }
}

# publishes PORT: the front that runs.
publishes() { docker container port "$PROJECT-front-1" "$1/tcp" >/dev/null 2>&1; }

next_is_settled() { container_is_well "$NEXT" || ! container_runs "$NEXT"; }
next_answers() { container_answers "$NEXT" "$@"; }

container_runs() { [[ $(docker container inspect --format '{{.State.Status}}' "$1" 2>/dev/null) == running ]]; }
container_is_well() { timeout 10 docker exec "$1" wget -q -O /dev/null http://127.0.0.1:8079/ 2>/dev/null; }

# container_answers NAME SERVICE:SCHEME:PORT:PATH …: the front of that name, for all services that are well now.
container_answers() {
  local address endpoint service scheme port path
  address=$(address_of "$1") && [[ -n $address ]] || return 1
  shift
  for endpoint in "$@"; do
    IFS=: read -r service scheme port path <<<"$endpoint"
    [[ $service != registry || -n $(http_status "$scheme" "$port" "$path" "$address") ]] || return 1
  done
}

address_of() {
  docker container inspect --format "{{(index .NetworkSettings.Networks \"${PROJECT}_default\").IPAddress}}" "$1" 2>/dev/null
}

# lead_to_next PORT:everywhere|loopback …
lead_to_next() {
  local address port
  (($#)) || return 0
  address=$(address_of "$NEXT") || return 1
  [[ -n $LED ]] || make_rules "$address" || return 1
  LED=yes
  for port in "$@"; do
    if [[ ${port##*:} == loopback ]]; then
      nft add rule ip "$RULES" own ip daddr 127.0.0.0/8 tcp dport "${port%%:*}" dnat to "$address" || return 1
      continue
    fi
    nft add rule ip "$RULES" own fib daddr type local tcp dport "${port%%:*}" dnat to "$address" || return 1
    nft add rule ip "$RULES" others fib daddr type local tcp dport "${port%%:*}" dnat to "$address" || return 1
  done
}

# make_rules ADDRESS: with those that lead the instance's own loopback to a container. Nothing that comes from the network of
# the containers may pass for the loopback meanwhile, or get to it.
make_rules() {
  local device setting
  device=$(ip -4 -o route get "$1" | sed -nE 's/.* dev ([^ ]+).*/\1/p') && [[ -n $device ]] || return 1
  nft -f - <<END || return 1
table ip $RULES {
  chain others { type nat hook prerouting priority -110; }
  chain own { type nat hook output priority -110; }
  chain back { type nat hook postrouting priority 90; ip saddr 127.0.0.0/8 ip daddr $1 masquerade; }
  chain guard { type filter hook prerouting priority -310; }
}
END
  setting=/proc/sys/net/ipv4/conf/$device/route_localnet
  [[ $(<"$setting") == 0 ]] || return 0
  nft add rule ip "$RULES" guard iifname "$device" ip saddr 127.0.0.0/8 drop || return 1
  nft add rule ip "$RULES" guard iifname "$device" ip daddr 127.0.0.0/8 drop || return 1
  echo 1 >"$setting"
}

# comes_to_next PORT:everywhere|loopback …: whether the rules hold, by connections of our own.
comes_to_next() {
  local port own
  own=$(ip -4 -o route get 192.0.2.1 2>/dev/null | sed -nE 's/.* src ([0-9.]+).*/\1/p') || own=
  for port in "$@"; do
    is_led 127.0.0.1 "${port%%:*}" || return 1
    [[ ${port##*:} == loopback ]] || is_led "${own:-127.0.0.1}" "${port%%:*}" || return 1
  done
}

# is_led ADDRESS PORT
is_led() {
  local pid
  pid=$(docker container inspect --format '{{.State.Pid}}' "$NEXT") || return 1
  (exec 9<>"/dev/tcp/$1/$2" && nsenter --target "$pid" --net ss -Htn state established "sport = :$2" | grep -q .) 2>/dev/null
}

# Where there is a guard, the setting that it makes harmless was ours.
forget_rules() {
  local device
  command -v nft >/dev/null || return 0
  device=$(nft list chain ip "$RULES" guard 2>/dev/null | sed -nE 's/.*iifname "([^"]+)".*/\1/p' | head -n 1) || device=
  [[ -z $device || ! -e /proc/sys/net/ipv4/conf/$device ]] || echo 0 >"/proc/sys/net/ipv4/conf/$device/route_localnet"
  nft delete table ip "$RULES" 2>/dev/null || true
}
