#!/bin/bash
# Runs once inside a server's container, when its directory is empty: the database, the role that owns it, and the roles
# of the processes. What a process may do there, the migrations say. The superuser's password leaves the container never.
#   DATABASE   its name; its owner is <DATABASE>_owner
#   ROLES      the roles of the processes that use it
#   SECRETS    a directory with one file per role: its password
set -euo pipefail
owner=${DATABASE}_owner
secrets=${SECRETS:-/secrets}

statements() {
  local role
  for role in "$owner" $ROLES; do
    echo "CREATE ROLE \"$role\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '$(<"$secrets/$role")';"
  done
  echo "CREATE DATABASE \"$DATABASE\" OWNER \"$owner\";"
  echo "REVOKE ALL ON DATABASE \"$DATABASE\", postgres, template1 FROM PUBLIC;"
  for role in $ROLES; do echo "GRANT CONNECT ON DATABASE \"$DATABASE\" TO \"$role\";"; done
}

statements | psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" --dbname postgres
