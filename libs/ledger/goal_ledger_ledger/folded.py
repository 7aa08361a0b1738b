"""One workspace in memory: what decisions need, folded up to its head.

Facts that no decider needs are not parsed: of them only the tip of their stream is kept (version and hash), which
stand in columns of their own. Display names reach the deciders in clear, opened while folding; a name whose key was
deleted reads ``[erased]``.
"""

from __future__ import annotations

import json
import time
from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from goal_ledger_contracts.envelope import Fact, from_json
from goal_ledger_contracts.facts import PERSONAL_FIELDS
from goal_ledger_contracts.position import Position

from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.merkle import EMPTY_ROOT, Frontier
from goal_ledger_ledger.sealing import key_ids, open_fact_data
from goal_ledger_ledger.submission import Domain, FoldedState, StoreBehindLog, UnknownWorkspace

if TYPE_CHECKING:
    from goal_ledger_ledger.batch import Batch
    from goal_ledger_ledger.store import Raw

SHREDDING = "PersonShredded"
PAGE_FACTS = 5_000

_HEAD = "SELECT epoch, seq, recorded_at, frontier, root FROM heads WHERE workspace = $1"
_HEAD_LOCKED = _HEAD + " FOR UPDATE"
_TAIL = """
SELECT seq, stream, version, hash, type, CASE WHEN type = ANY($4::text[]) THEN bytes END
FROM facts WHERE workspace = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq LIMIT $5
"""

Tip = tuple[int, bytes]
"""Of a stream: the version and the hash of its last fact."""


class EpochChanged(Exception):
    """The workspace was recovered: what was folded along the old epoch is void."""


class LedgerBroken(StoreBehindLog):
    """The store holds what no writer writes (a gap in seq), as while it is restored: the workspace cannot be folded."""


class Folded:
    """The state of one workspace at a position. Changed only by :func:`catch_up` and by a committed batch."""

    __slots__ = (
        "checked_at",
        "epoch",
        "frontier",
        "last_leaf",
        "recorded_at",
        "root",
        "seq",
        "shredded",
        "tips",
        "workspace",
        "world",
    )

    def __init__(self, workspace: str, world: FoldedState, epoch: int) -> None:
        self.workspace = workspace
        self.world = world
        self.epoch = epoch
        self.seq = 0
        self.recorded_at: datetime | None = None
        self.frontier = Frontier()
        self.root = EMPTY_ROOT
        self.last_leaf = b""
        """Hash of the last fact folded: what follows must follow upon it."""
        self.tips: MutableMapping[str, Tip] = {}
        self.shredded: set[str] = set()
        self.checked_at = 0.0
        """When it was last known to stand at the head (monotonic seconds)."""

    def take(self, batch: Batch) -> None:
        """The batch is committed: its state is the state."""
        self.seq += len(batch.rows)
        self.world.absorb(batch.world)
        self.tips.update(batch.tips)
        self.shredded |= batch.shredded
        if batch.rows:
            self.frontier = batch.frontier
            self.root = batch.frontier.root
            self.last_leaf = batch.rows[-1][2]
            self.recorded_at = batch.now
        self.checked_at = time.monotonic()

    def with_batch(self, batch: Batch) -> Folded:
        """The state that the batch will leave. This one is untouched; to be used before it has gone beyond the batch."""
        ahead = Folded(self.workspace, batch.world, self.epoch)
        ahead.seq, ahead.recorded_at = self.seq + len(batch.rows), batch.now
        ahead.frontier, ahead.root = batch.frontier, batch.frontier.root
        ahead.last_leaf = batch.rows[-1][2]
        ahead.tips = ChainMap(batch.tips, self.tips)
        ahead.shredded = self.shredded | batch.shredded
        return ahead

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.seq)

    def next_recorded_at(self, now: datetime) -> datetime:
        """The ``recorded_at`` of a batch that is decided now: never below that of the last fact."""
        return now if self.recorded_at is None else max(now, self.recorded_at)


async def head_of(raw: Raw, workspace: str, *, lock: bool = False) -> Any:
    """(epoch, seq, recorded_at, frontier, root), the row locked until the end of the transaction if asked; None: no such."""
    return await raw.fetchrow(_HEAD_LOCKED if lock else _HEAD, workspace)


async def catch_up(raw: Raw, folded: Folded, domain: Domain, keyring: Keyring, *, lock: bool = False) -> bool:
    """Fold the facts that others recorded meanwhile. True if there were any.

    Raises:
        UnknownWorkspace: there is no head.
        EpochChanged: fold anew.
        StoreBehindLog: the head is below what was folded, or what was folded is not what is there.
    """
    head = await head_of(raw, folded.workspace, lock=lock)
    if head is None and not folded.seq:
        raise UnknownWorkspace(folded.workspace)
    epoch, seq, recorded_at, frontier, root = head or (0, 0, None, b"", b"")
    if epoch > folded.epoch:
        raise EpochChanged
    if epoch < folded.epoch or seq < folded.seq or (seq == folded.seq and seq and root != folded.root):
        raise _behind(folded, f"is at {epoch}-{seq}")
    behind = folded.seq < seq
    wanted = [*domain.folded, SHREDDING]
    while folded.seq < seq:
        rows = await raw.fetch(_TAIL, folded.workspace, folded.seq, seq, wanted, PAGE_FACTS)
        await _fold(folded, rows, domain, keyring)
    folded.recorded_at, folded.root = recorded_at, root
    folded.frontier = Frontier.from_bytes(seq, frontier)
    folded.checked_at = time.monotonic()
    return behind


def _behind(folded: Folded, state: str) -> StoreBehindLog:
    found = StoreBehindLog(
        f"The store of this workspace {state}; {folded.position} was there before. "
        "It was set back, and has to be recovered."
    )
    found.is_own_finding = True
    return found


async def _fold(folded: Folded, rows: Sequence[Any], domain: Domain, keyring: Keyring) -> None:
    """One page, which begins with the last fact already folded: parsed, its keys loaded, applied without a pause."""
    if folded.seq:
        if not rows or rows[0][3] != folded.last_leaf:
            raise _behind(folded, f"has another fact at seq {folded.seq}")
        rows = rows[1:]
    if not rows or rows[0][0] != folded.seq + 1 or rows[-1][0] != folded.seq + len(rows):
        raise LedgerBroken(f"facts of {folded.workspace} after seq {folded.seq} are not dense")
    parsed = [from_json(json.loads(row[5].decode())) for row in rows if row[5] is not None]
    clear = await open_texts(parsed, folded.workspace, keyring)
    for fact in clear:
        if fact.type == SHREDDING:
            folded.shredded.add(fact.stream)
            keyring.forget(folded.workspace, fact.stream)
        domain.evolve(folded.world, fact)
    folded.tips.update((stream, (version, hash)) for _, stream, version, hash, _, _ in rows)
    folded.seq, folded.last_leaf = rows[-1][0], rows[-1][3]


async def open_texts(facts: Sequence[Fact], workspace: str, keyring: Keyring) -> list[Fact]:
    """The facts with their personal text in clear; the keys are loaded in one go."""
    personal = [number for number, fact in enumerate(facts) if PERSONAL_FIELDS[type(fact.data)]]
    opened = list(facts)
    if personal:
        await keyring.load(workspace, {key for number in personal for key in key_ids(facts[number].data)})
        keys = keyring.keys(workspace)
        for number in personal:
            fact = facts[number]
            opened[number] = replace(fact, data=open_fact_data(fact.data, workspace, fact.event_id, keys))
    return opened
