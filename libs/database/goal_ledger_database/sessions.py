"""What every session on a database of ours is held to, so that no process that stops can stop another.

*A process that is paused in a transaction* holds its locks: the server ends a transaction that is idle for
``idle_in_transaction_ms``, and a statement that waits for a paused client (COPY) after ``statement_ms``. *Who waits for a
lock* gives up after ``lock_ms`` and comes again. *A host that is gone* without a word is noticed by keepalives.

These are the server's. A server that hangs itself cannot keep them: see ``pulse.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

CONNECTION_FAILED = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a client meets when its server is away, besides what the server itself says (``PostgresError``). asyncpg raises
``InternalClientError`` on a connection whose server was killed in the middle of an answer."""

CONNECT_TIMEOUT_S = 2.0
"""A server that lives answers in milliseconds; a client's patience is five seconds in all."""

KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "client_connection_check_interval": "5000",
}
"""Seconds and probes; unacknowledged data and the look whether a client is still there in milliseconds. Over a Unix
socket the server ignores those of TCP."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Milliseconds; 0: none."""

    idle_in_transaction_ms: int = 5_000
    lock_ms: int = 2_000
    statement_ms: int = 25_000

    def server_settings(self, application: str) -> dict[str, str]:
        """For the start of a session; ``application`` is its name in ``pg_stat_activity``."""
        return {
            "application_name": application,
            "idle_in_transaction_session_timeout": str(self.idle_in_transaction_ms),
            "lock_timeout": str(self.lock_ms),
            "statement_timeout": str(self.statement_ms),
            **KEEPALIVES,
        }


USUAL = SessionLimits()
LONG_WORK = SessionLimits(idle_in_transaction_ms=60_000, lock_ms=0, statement_ms=0)
"""Of migrations, rebuilds and the switch to one: their statements take as long as they take."""
