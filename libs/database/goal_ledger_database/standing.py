"""Transactions of clients that stand still where the server's own time-outs do not look.

``idle_in_transaction_session_timeout`` runs once the server has said that it is ready for the next statement. A client
that was stopped between Parse and Bind, as asyncpg sends a statement that a connection has not seen yet, has not let it
say so: its transaction is ``active``, waits in ``ClientRead``, and holds its locks for as long as the client is stopped;
``statement_timeout`` is not looked at there either. So whoever lives ends such sessions of its own role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg

from goal_ledger_database.sessions import USUAL

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]

LOOK_EVERY_S = 2.0

_END = """
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
AND state = 'active' AND wait_event = 'ClientRead' AND query !~* '^\\s*copy\\s'
AND greatest(query_start, state_change) < clock_timestamp() - make_interval(secs => $1::float8)
"""
"""COPY waits for its client too, and is held to ``statement_timeout``."""


async def end_standing(connection: Connection, after_ms: int = USUAL.idle_in_transaction_ms) -> int:
    """End the sessions of this role, on this database, that have stood so for ``after_ms`` milliseconds; how many."""
    ended: int = await connection.fetchval(_END, after_ms / 1000)
    return ended
