"""Deciding the next batch while the one before it is being written.

**The guarantee** is that of ``append.py``, unchanged: each decision is taken on exactly the facts before it. A batch
decided ahead stands on the state that the batch under way will leave (:meth:`Folded.after`). Nothing of it is sent
before that batch is committed, and its own guard names the head that that batch left. Is the batch under way not
committed, or has anything else come in between, the batch decided ahead is dropped and its submissions are decided
again in the usual way: all that is lost is the work.

**What was looked up for it** was read beside the write, so either before it took effect or after it; the head read with
it says which, any other head means that somebody else wrote. What the batch under way adds is put over it: over what
was read before, that makes it whole, over what was read after, it changes nothing.

Only bulk is decided ahead (``line.py``), and nothing where what the batch under way adds cannot be told from memory: where
it moved points of a series, or shredded somebody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goal_ledger_database.pulse import Now
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.batch import Batch, decide_batch
from goal_ledger_ledger.folded import Folded
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.lookup import look_up
from goal_ledger_ledger.store import is_passing, raw_connection
from goal_ledger_ledger.submission import Domain, Submission

MOST_AT_ONCE = 4
"""Workspaces of a process that decide ahead at the same time: each holds a second connection meanwhile."""

Following = Callable[[int], Sequence[Submission]]
"""What will be handed in next, if so many of the submissions under way are decided."""

log = logging.getLogger(__name__)


def nothing_follows(decided: int) -> Sequence[Submission]:
    return ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """A batch decided on what the one under way would leave."""

    submissions: Sequence[Submission]
    before: Folded
    state: Folded
    """What ``before`` becomes with the batch under way."""
    batch: Batch

    def fits(self, folded: Folded, submissions: Sequence[Submission]) -> bool:
        """Whether it is of these submissions and on this very state."""
        return (
            self.submissions is submissions
            and self.before is folded
            and self.state.position == folded.position
            and self.state.last_leaf == folded.last_leaf
        )


class DecidesAhead:
    """Decides the batches ahead of all workspaces of a process."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring, domain: Domain, now: Now) -> None:
        self._engine, self._keyring, self._domain, self._now = engine, keyring, domain, now
        self._at_once = 0

    async def after(self, folded: Folded, batch: Batch, submissions: Sequence[Submission]) -> Ahead | None:
        """What follows the batch that is being written; None: it is to be decided when that one is committed.

        Never raises for want of a database: the usual way will say so.
        """
        if not batch.rows or batch.shredded or self._at_once >= MOST_AT_ONCE:
            return None
        self._at_once += 1
        try:
            return await self._decided(folded, batch, submissions)
        except Exception as failure:
            if not is_passing(failure):
                log.exception("nothing was decided ahead of %s", folded.workspace)
            return None
        finally:
            self._at_once -= 1

    async def _decided(self, folded: Folded, batch: Batch, submissions: Sequence[Submission]) -> Ahead | None:
        before, state = folded.position, folded.with_batch(batch)
        async with raw_connection(self._engine) as raw:
            looked = await look_up(raw, submissions, folded.workspace, self._keyring)
        if looked.position not in (None, before, state.position) or not batch.lay_over(looked):
            return None
        keys = self._keyring.keys(folded.workspace)
        at = state.next_recorded_at(self._now())
        ahead = decide_batch(state, looked, submissions, at, keys, self._domain)
        return None if ahead.missing_keys else Ahead(submissions, folded, state, ahead)
