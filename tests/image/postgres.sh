#!/bin/bash
# PostgreSQL from Debian's packages, set up by the variables of the official image that the compose file uses.
set -euo pipefail
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
if [ "$(id -u)" -eq 0 ]; then
  mkdir -p "$data"
  chown postgres "$data"
  exec su postgres -c "bash $0"
fi
if ! [ -e "$data/PG_VERSION" ]; then
  "$bin/initdb" --encoding=UTF8 --locale=C.UTF-8 --auth=scram-sha-256 --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") -D "$data" >/dev/null
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
  "$bin/postgres" --single -D "$data" postgres <<< "CREATE DATABASE $POSTGRES_DB" >/dev/null
fi
exec "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
