"""The lease: which relay is the active one, and in which term.

One row. Whoever finds it run out takes it with the next term and renews it while it works; times are the database's
clock alone. The lease only keeps two relays from working in vain. Safety comes from the term: every mark is moved in a
statement that names the term, so a zombie (stopped for longer than its lease, then continued) may publish records
again, which readers drop by (epoch, seq), but can never move a mark.
"""

from __future__ import annotations

import asyncio
import os
import socket

from goal_ledger_contracts.ids import uuid7
from goal_ledger_ledger.store import raw_connection
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

NAME = "relay"
LEASE_S = 4.0
RENEW_EVERY_S = 1.0
RETRY_EVERY_S = 0.5

log = logger("relay.lease")


class LeaseLost(Exception):
    """Another relay has the lease, or it could not be renewed in time."""


_ACQUIRE = """
INSERT INTO leases AS lease (name, holder, term, until)
VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE
SET holder = EXCLUDED.holder, term = lease.term + 1, until = EXCLUDED.until
WHERE lease.until < clock_timestamp()
RETURNING term
"""
_RENEW = """
UPDATE leases SET until = clock_timestamp() + make_interval(secs => $3) WHERE name = $1 AND term = $2 RETURNING term
"""
_RELEASE = "UPDATE leases SET until = clock_timestamp() WHERE name = $1 AND term = $2"


class Lease:
    """One contender for the lease."""

    def __init__(self, engine: AsyncEngine, *, seconds: float = LEASE_S) -> None:
        self._engine = engine
        self._seconds = seconds
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{uuid7()}"

    async def acquire(self) -> int | None:
        """The term, or None while another has the lease. Raises what the database raises."""
        async with raw_connection(self._engine) as raw:
            term: int | None = await raw.fetchval(_ACQUIRE, NAME, self._holder, self._seconds)
        return term

    async def keep(self, term: int) -> None:
        """Renews until cancelled. Raises LeaseLost when another took it or the database was away for too long."""
        loop = asyncio.get_running_loop()
        good_until = loop.time() + self._seconds
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            asked_at = loop.time()
            try:
                async with (
                    asyncio.timeout(max(0.0, good_until - asked_at)),
                    raw_connection(self._engine) as raw,
                ):
                    if await raw.fetchval(_RENEW, NAME, term, self._seconds) is None:
                        raise LeaseLost(f"term {term} has ended: another relay has the lease")
            except LeaseLost:
                raise
            except Exception as away:
                if loop.time() >= good_until:
                    raise LeaseLost(f"term {term} could not be renewed: {away}") from away
            else:
                good_until = asked_at + self._seconds

    async def release(self, term: int) -> None:
        """Lets the next one take it at once. Never raises: it would run out by itself."""
        try:
            async with raw_connection(self._engine) as raw:
                await raw.execute(_RELEASE, NAME, term)
        except Exception as away:
            log.warning("lease not released", term=term, error=failure_text(away))
