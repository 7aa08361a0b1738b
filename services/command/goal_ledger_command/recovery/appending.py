"""Recovered facts go through the statement of the append, as batches that were decided long ago: those of one
``recorded_at`` together, with the answers, identities and points that they had. The head guards each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from goal_ledger_contracts.decision import Identity
from goal_ledger_contracts.envelope import from_bytes
from goal_ledger_contracts.feed import ReadingReleased
from goal_ledger_contracts.workspace import StoreRestored
from goal_ledger_domain.kept_beside import TakenReading, kept_beside
from goal_ledger_domain.reading import identity
from goal_ledger_ledger.batch import Batch
from goal_ledger_ledger.epoch import note_epoch
from goal_ledger_ledger.folded import SHREDDING, Folded, open_texts
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.lookup import Looked
from goal_ledger_ledger.statements import write
from goal_ledger_ledger.submission import Domain, NotRecorded

from goal_ledger_command.recovery.beside import answers
from goal_ledger_command.recovery.continuing import NextFact

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

_TAKEN = """
SELECT i.key, f.bytes FROM identities i JOIN facts f ON f.workspace = i.workspace AND f.seq = i.seq
WHERE i.workspace = $1 AND i.key = ANY($2::bytea[])
"""


def batches(facts: Sequence[NextFact]) -> list[list[NextFact]]:
    """As they were recorded: one ``recorded_at`` and one epoch each."""
    return [list(some) for _, some in groupby(facts, key=lambda one: (one.fact.recorded_at, one.epoch))]


async def append(
    raw: Raw, keyring: Keyring, domain: Domain, folded: Folded, facts: Sequence[NextFact]
) -> None:
    """Write them behind the head, in the transaction of ``raw``. Raises NotRecorded if the head is not where it was."""
    for some in batches(facts):
        if isinstance(some[0].fact.data, StoreRestored):
            await note_epoch(raw, folded, some[0].epoch, some[0].fact.recorded_at)
        batch = await _batch(raw, keyring, domain, folded, some)
        if not await write(raw, folded, batch):
            raise NotRecorded(f"Somebody else has written to {folded.workspace}. Run it again.")
        folded.take(batch)


async def _batch(
    raw: Raw, keyring: Keyring, domain: Domain, folded: Folded, some: Sequence[NextFact]
) -> Batch:
    batch = Batch(folded, Looked(), some[0].fact.recorded_at, {}, domain)
    taken = await _taken(raw, folded.workspace, some)
    clear = await open_texts([one.fact for one in some], folded.workspace, keyring)
    for one, opened in zip(some, clear, strict=True):
        fact = one.fact
        _keep(batch, fact, taken)
        batch.rows.append((fact, one.stored, one.leaf, one.traceparent))
        batch.tips[fact.stream] = (fact.version, one.leaf)
        if fact.type == SHREDDING:
            batch.shredded.add(fact.stream)
        if fact.type in domain.folded:
            domain.evolve(batch.world, opened)
    batch.answers |= answers(some)
    return batch


def _keep(batch: Batch, fact: Any, taken: dict[bytes, TakenReading]) -> None:
    """Its identities and points, on the state before it."""
    claims, points = kept_beside(batch.world, fact, lambda known_as: taken[known_as.digest])
    for claim in claims:
        before = batch.identities.get(claim.identity, (0, 0, ""))[0]
        seq = before if claim.keeps_content else fact.seq
        batch.identities[claim.identity] = (seq, claim.state, claim.subject)
        if claim.identity.kind == "reading" and not claim.keeps_content:
            taken[claim.identity.digest] = fact.data
    for point in points:
        batch.series.take(point, fact.seq)


async def _taken(raw: Raw, workspace: str, some: Sequence[NextFact]) -> dict[bytes, TakenReading]:
    """The readings that are released here, as far as they were taken before."""
    released = [one.fact.data for one in some if isinstance(one.fact.data, ReadingReleased)]
    if not released:
        return {}
    wanted: list[Identity] = [identity(one.source, one.id) for one in released]
    rows = await raw.fetch(_TAKEN, workspace, [one.digest for one in wanted])
    return {row["key"]: from_bytes(row["bytes"]).data for row in rows}
