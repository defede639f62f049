#!/bin/bash
# Starts the emulator, or what the arguments say: a program of the image, or else words for `cloudlet`.
#
#   docker run IMAGE                    the emulator
#   docker run IMAGE control start      the control plane
#   docker run -it IMAGE bash           a shell
set -euo pipefail

volume=/var/lib/localstack

# LOCALSTACK_DEBUG=1 means DEBUG=1, and outranks it. What names this machine keeps its name.
for name in "${!LOCALSTACK_@}"; do
  short=${name#LOCALSTACK_}
  if [[ $name != LOCALSTACK_HOST* && $short =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]]; then
    export "$short=${!name}"
  fi
done

may_bind_443() {
  local first effective
  first=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)
  effective=$(awk '/^CapEff:/ { print $2 }' /proc/self/status)
  { [ "$first" -le 443 ] || (( 16#$effective >> 10 & 1 )); } && ! { : <>/dev/tcp/127.0.0.1/443; } 2>/dev/null
}

if [ $# -eq 0 ]; then
  if [ -z "${GATEWAY_LISTEN:-}" ] && may_bind_443; then
    export GATEWAY_LISTEN=0.0.0.0:4566,0.0.0.0:443
  fi
  if [ -z "${LOCALSTACK_VOLUME_DIR:-}" ] && ! [ -w "$volume" ]; then
    if [ "${PERSISTENCE:-0}" != 0 ]; then
      echo "PERSISTENCE=$PERSISTENCE, but user $(id -u) may not write to $volume: give the volume to that user, or choose" \
        "another with --user." >&2
      exit 1
    fi
    echo "User $(id -u) may not write to $volume: nothing is kept there, and every start asks for a license." >&2
    export LOCALSTACK_VOLUME_DIR=/tmp/localstack
  fi
  set -- python3 -m cloudlet.emulator
elif ! command -v -- "$1" >/dev/null; then
  set -- cloudlet "$@"
fi

# As the first process of the container somebody has to take care of orphans.
if [ $$ -eq 1 ] && command -v tini >/dev/null; then
  exec tini -- "$@"
fi
exec "$@"
