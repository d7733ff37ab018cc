#!/bin/bash
# Runs PostgreSQL on $PGDATA, which is initialised first when there is nothing. Arguments are passed on to postgres.
# POSTGRES_USER (default postgres) is the superuser, with POSTGRES_PASSWORD; POSTGRES_DB (default: the user's name) is
# created. They matter only at the initialisation. Durability stays at PostgreSQL's defaults: fsync, full_page_writes
# and synchronous_commit are on.
set -euo pipefail
: "${PGDATA:?must name the data folder, a folder below the volume}"
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  : "${POSTGRES_PASSWORD:?is needed to initialise the database}"
  # Made beside its place and moved there when complete: an initialisation that was killed starts over.
  new=$PGDATA.new
  rm -rf "$new"
  initdb --pgdata="$new" --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth-local=scram-sha-256 --auth-host=scram-sha-256 --data-checksums \
    --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C
  echo 'host all all all scram-sha-256' >> "$new/pg_hba.conf"
  if [[ $database != postgres ]]; then
    printf 'CREATE DATABASE "%s"\n' "${database//\"/\"\"}" | postgres --single -D "$new" postgres
  fi
  sync
  mv "$new" "$PGDATA"
  sync
fi

# A volume's group ownership (fsGroup) adds rights for the group at every mount, which PostgreSQL refuses.
chmod 0700 "$PGDATA"

exec postgres -D "$PGDATA" -c 'listen_addresses=*' -c unix_socket_directories=/tmp "$@"
