"""A new epoch: how a workspace whose store was set back goes on without its log forking.

Whatever was acknowledged after the moment that was restored may be known to others: as answers, positions, signed heads.
Its numbers must never be given again within the same log. So the epoch is raised: the log of the new epoch is what is
in the store, from seq 1, then a fact of its own that names the fork point, then whatever comes. Positions up to the fork
mean the same in both; beyond it they are lost.

The head, the epoch's row and the fact are one transaction. Writers that decided on the old epoch lose by their guard and
fold anew. Doing it twice raises the epoch twice, which harms nobody: that is why it is not asked whether it was needed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from goal_ledger_contracts.decision import Decision, Situation
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.batch import decide_batch
from goal_ledger_ledger.folded import Folded, catch_up, head_of
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.lookup import Looked
from goal_ledger_ledger.snapshots import Snapshots
from goal_ledger_ledger.statements import write
from goal_ledger_ledger.store import raw_connection, transaction
from goal_ledger_ledger.submission import (
    CommandAnswer,
    Domain,
    FoldedState,
    NotRecorded,
    Submission,
    UnknownWorkspace,
)
from goal_ledger_ledger.tables import heads

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

_RAISE = "UPDATE heads SET epoch = $2, moved_at = clock_timestamp() WHERE workspace = $1"
_NOTE = """
INSERT INTO epochs (workspace, epoch, fork_seq, started_at) VALUES ($1, $2, $3, coalesce($4, clock_timestamp()))
"""


class Fork(NamedTuple):
    """Where a new epoch begins: ``seq`` is the last fact kept."""

    epoch: int
    seq: int


DecidesFork = Callable[[FoldedState, Situation, Fork], Decision]


async def workspaces(engine: AsyncEngine) -> list[str]:
    """All that the store holds."""
    known = select(heads.c.workspace).where(heads.c.seq > 0).order_by(heads.c.workspace)
    async with transaction(engine) as store:
        return list(await store.scalars(known))


async def begin_epoch(
    engine: AsyncEngine,
    keyring: Keyring,
    domain: Domain,
    snapshots: Snapshots,
    workspace: str,
    above: int,
    decide: DecidesFork,
    now: datetime,
) -> CommandAnswer:
    """Raise the epoch above the present one and ``above``; the fact that ``decide`` drafts is its first of its own.

    Raises:
        UnknownWorkspace, and what ``decide`` raises; Unreachable and asyncpg's errors. Then nothing was changed.
    """
    async with raw_connection(engine) as raw, raw.transaction():
        folded = await folded_at_head(raw, keyring, domain, snapshots, workspace)
        return await raise_epoch(raw, folded, domain, above, decide, now)


async def raise_epoch(
    raw: Raw, folded: Folded, domain: Domain, above: int, decide: DecidesFork, now: datetime
) -> CommandAnswer:
    """The same in the transaction of ``raw``, in which the head is locked. Raises what ``decide`` raises, and NotRecorded if
    the head is not where ``folded`` is: then the transaction is to be given up."""
    fork = Fork(max(folded.epoch, above) + 1, folded.seq)
    await note_epoch(raw, folded, fork.epoch)
    submission = Submission(folded.workspace, lambda world, situation: decide(world, situation, fork))
    batch = decide_batch(folded, Looked(), [submission], folded.next_recorded_at(now), {}, domain)
    outcome = batch.outcomes[0]
    if isinstance(outcome, Exception):
        raise outcome
    if not await write(raw, folded, batch):
        raise NotRecorded(f"Somebody else has written to {folded.workspace}. Run it again.")
    return outcome


async def note_epoch(raw: Raw, folded: Folded, epoch: int, started_at: datetime | None = None) -> None:
    """From here on the log is in that epoch; ``started_at``: None is now."""
    await raw.execute(_RAISE, folded.workspace, epoch)
    await raw.execute(_NOTE, folded.workspace, epoch, folded.seq, started_at)
    folded.epoch = epoch


async def folded_at_head(
    raw: Raw, keyring: Keyring, domain: Domain, snapshots: Snapshots, workspace: str
) -> Folded:
    """The state at the head, which stays locked to the end of the transaction."""
    head = await head_of(raw, workspace, lock=True)
    if head is None or not head[1]:
        raise UnknownWorkspace(workspace)
    folded = await snapshots.load(raw, workspace, head[0], head[1])
    folded = folded or Folded(workspace, domain.empty(), head[0])
    await catch_up(raw, folded, domain, keyring)
    return folded
