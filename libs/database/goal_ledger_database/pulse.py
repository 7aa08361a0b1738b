"""Whether a database answers, what its clock says, and whether it can be written to: looked at all the time.

A server that is gone is noticed at once: connections break. One that *hangs* (stopped, its disk stuck, its host frozen) is
noticed by nobody: every request waits for it. So each process looks at each of its databases twice a second, on a
connection of its own. If no answer comes in :data:`ANSWER_WITHIN_S`, those told (:meth:`Pulse.tell`) break their
connections, so that whatever waits fails as if the server had gone, and open none until it answers again.

The look also ends what stands still (see ``standing.py``), and compares clocks. ``recorded_at`` is taken from a process's own clock and never runs backwards within a
workspace: one process an hour ahead would push everybody's an hour ahead, for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from goal_ledger_database import standing
from goal_ledger_database.sessions import SessionLimits

LOOK_EVERY_S = 0.5
ANSWER_WITHIN_S = 2.0
SECOND_CHANCE_S = 0.5
"""An answer that came while this process itself was not given time is read in these."""
CLOCK_SKEW_MAX_S = 5.0

_LOOK = """
SELECT clock_timestamp(), pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'
"""
_LIMITS = SessionLimits(lock_ms=1_000, statement_ms=10_000)

Now = Callable[[], datetime]

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]

log = logging.getLogger(__name__)


def own_clock() -> datetime:
    """The process's clock, in UTC."""
    return datetime.now(UTC)


class Pulse:
    """One database as one process sees it. ``name`` is for people; ``also``: looked at with it, on its connection."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        now: Now = own_clock,
        skew_max_s: float = CLOCK_SKEW_MAX_S,
        also: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self.silent_because: str | None = None
        """Why it does not answer; None while it does, and before the first look."""
        self.is_read_only = False
        self.skew_s = 0.0
        """How far this process's clock is ahead of the database's; what the way there may have taken is left out."""
        self.looked = asyncio.Event()
        """It has answered at least once."""
        self._url, self._now, self._skew_max_s, self._also = url, now, skew_max_s, also
        self._connection: Connection | None = None
        self._standing_looked_at = -standing.LOOK_EVERY_S
        self._told: list[Callable[[], None]] = []

    def tell(self, silent: Callable[[], None]) -> None:
        """``silent`` is called when the database stops answering, and at every look until it does again."""
        self._told.append(silent)

    @property
    def is_skewed(self) -> bool:
        """The clocks differ by more than is allowed."""
        return abs(self.skew_s) > self._skew_max_s

    @property
    def wrong(self) -> str | None:
        """In a few words, for readiness: silent or skewed. None: nothing."""
        if self.silent_because is not None:
            return self.silent_because
        if self.is_skewed:
            return f"this process's clock is {self.skew_s:+.1f} s from the database's"
        return None

    @property
    def wrong_for_writers(self) -> str | None:
        """The same, for a process that writes: also that it cannot, or has not been looked at yet."""
        if self.wrong is None and self.is_read_only:
            return "read-only"
        return self.wrong or (None if self.looked.is_set() else "not looked at yet")

    async def run(self) -> None:
        """Looks until cancelled; never raises."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._drop()

    async def look(self) -> None:
        """Looks once: at most :data:`ANSWER_WITHIN_S` and a second chance."""
        task = asyncio.ensure_future(self._ask())
        task.add_done_callback(_seen)
        done, _ = await asyncio.wait({task}, timeout=ANSWER_WITHIN_S)
        if not done:
            done, _ = await asyncio.wait({task}, timeout=SECOND_CHANCE_S)
        if not done:
            self._drop()
            task.cancel()
            self._is_silent(f"no answer within {ANSWER_WITHIN_S:g} s")
        elif (failed := task.exception()) is not None:
            self._drop()
            self._is_silent(f"{type(failed).__name__}")
        else:
            self._answered()

    async def _ask(self) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._url,
                timeout=ANSWER_WITHIN_S,
                server_settings={**_LIMITS.server_settings("pulse"), "timezone": "UTC"},
            )
        asked_at = self._now()
        there, self.is_read_only = await self._connection.fetchrow(_LOOK)  # type: ignore[misc]
        self._compare(asked_at, there, self._now())
        await self._end_standing(self._connection)
        if self._also is not None:
            await self._also(self._connection)

    async def _end_standing(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._standing_looked_at + standing.LOOK_EVERY_S:
            return
        self._standing_looked_at = now
        ended = await standing.end_standing(connection)
        if ended:
            log.error("%d sessions of stopped processes were ended on the %s database", ended, self.name)

    def _compare(self, asked_at: datetime, there: datetime, answered_at: datetime) -> None:
        """Our clock was between the two when theirs said that: what may be the way is no skew."""
        was_skewed = self.is_skewed
        early, late = (asked_at - there).total_seconds(), (answered_at - there).total_seconds()
        self.skew_s = early if early > 0 else min(0.0, late)
        if self.is_skewed != was_skewed:
            log.log(
                logging.ERROR if self.is_skewed else logging.WARNING,
                "the clock of this process is %+.1f s from that of the %s database",
                self.skew_s,
                self.name,
            )

    def _answered(self) -> None:
        if self.silent_because is not None:
            log.warning("the %s database answers again", self.name)
        self.silent_because = None
        self.looked.set()

    def _is_silent(self, because: str) -> None:
        if self.silent_because is None:
            log.error("the %s database does not answer: %s", self.name, because)
        self.silent_because = because
        for silent in self._told:
            silent()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()


def _seen(task: asyncio.Task[None]) -> None:
    """What nobody waits for any more may fail without a word: its connection was dropped."""
    if not task.cancelled():
        task.exception()
