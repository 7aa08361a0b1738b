"""An outbox on disk: what an emitter has to say outlives its crash, and the ledger's or Kafka's absence.

:meth:`Outbox.add` returns when the readings are on disk (SQLite, every commit synchronised). They leave it when Kafka has
acknowledged them or the ledger has said what became of them; whoever crashes between the two sends them once more, and the
ledger knows a reading by (source, id): it counts once. Refused readings stay, with the reason, until they are dropped or
sent again. Several processes may share one file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from goal_ledger_client.client import AsyncGoalLedger, GoalLedger
    from goal_ledger_client.emitter import Emitter, Reading

BATCH_MAX_ITEMS = 1000
BUSY_S = 30.0
RECORDED = ("applied", "duplicate", "quarantined")
"""Outcomes of readings that the ledger holds."""

_TABLE = """
CREATE TABLE IF NOT EXISTS readings (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    event TEXT NOT NULL,
    refusal TEXT,
    UNIQUE (source, id)
)
"""
_WAITING = "SELECT place, event FROM readings WHERE refusal IS NULL AND place > ? ORDER BY place LIMIT ?"
_REFUSED = "SELECT event, refusal FROM readings WHERE refusal IS NOT NULL ORDER BY place"


class OtherContent(ValueError):
    """A reading of this source and id waits already, with other content: its second would be refused."""


@dataclass(frozen=True, slots=True)
class RefusedReading:
    """``event``: the CloudEvent; ``receipt``: what the ledger said, with its ``reason`` (a code) and ``detail``."""

    event: Mapping[str, Any]
    receipt: Mapping[str, Any]


PlacedEvents = Sequence[tuple[int, Mapping[str, Any]]]
"""Places in the outbox with their CloudEvents."""


class Outbox:
    """``path`` is made if it is not there. One object belongs to one thread."""

    def __init__(self, path: str | Path, batch_max_items: int = BATCH_MAX_ITEMS) -> None:
        self._batch_max_items = batch_max_items
        self._file = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def add(self, readings: Iterable[Reading]) -> int:
        """Keeps the readings, all or none; how many are new. Raises :class:`OtherContent`."""
        events = [one.cloud_event() for one in readings]
        self._file.execute("BEGIN IMMEDIATE")
        try:
            added = sum(self._add(event) for event in events)
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")
        return added

    def _add(self, event: Mapping[str, Any]) -> int:
        named, written = (event["source"], event["id"]), json.dumps(event)
        made = self._file.execute(
            "INSERT INTO readings (source, id, event) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (*named, written),
        )
        if made.rowcount:
            return 1
        (kept,) = self._file.execute(
            "SELECT event FROM readings WHERE source = ? AND id = ?", named
        ).fetchone()
        if kept != written:
            raise OtherContent(
                f"the reading {event['id']} of {event['source']} waits already, with other content"
            )
        return 0

    @property
    def waiting(self) -> int:
        """How many are still to be sent; the refused are not among them."""
        (many,) = self._file.execute("SELECT count(*) FROM readings WHERE refusal IS NULL").fetchone()
        return int(many)

    def refused(self) -> list[RefusedReading]:
        """Those that the ledger refused, in the order in which they were added."""
        return [
            RefusedReading(json.loads(event), json.loads(receipt))
            for event, receipt in self._file.execute(_REFUSED)
        ]

    def send_refused_again(self) -> int:
        """They wait again, for instance once their feed is registered; how many."""
        return self._file.execute("UPDATE readings SET refusal = NULL WHERE refusal IS NOT NULL").rowcount

    def drop_refused(self) -> int:
        """They are forgotten; how many."""
        return self._file.execute("DELETE FROM readings WHERE refusal IS NOT NULL").rowcount

    def send(self, ledger: GoalLedger) -> list[dict[str, Any]]:
        """Sends what waits over HTTP, in order, batch by batch; the receipts. Raises as ``ledger.readings``: what had no
        receipt by then still waits."""
        receipts = []
        for batch in self._batches():
            receipts += self._settled(batch, ledger.readings(_events(batch)))
        return receipts

    async def send_async(self, ledger: AsyncGoalLedger) -> list[dict[str, Any]]:
        """See :meth:`send`."""
        receipts = []
        for batch in self._batches():
            receipts += self._settled(batch, await ledger.readings(_events(batch)))
        return receipts

    async def emit(self, emitter: Emitter) -> int:
        """Sends what waits over Kafka, in order; how many Kafka has acknowledged. What becomes of each stands on the
        system's receipts topic. Raises what the producer raises: what was not acknowledged by then still waits."""
        sent = 0
        for batch in self._batches():
            sent += await emitter.emit_events(_events(batch))
            self._forget(place for place, _ in batch)
        return sent

    def _batches(self) -> Iterator[PlacedEvents]:
        after = 0
        while rows := self._file.execute(_WAITING, (after, self._batch_max_items)).fetchall():
            yield [(place, json.loads(event)) for place, event in rows]
            after = rows[-1][0]

    def _settled(self, batch: PlacedEvents, receipts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What is ``not_recorded`` goes on waiting."""
        told = [(place, receipt) for (place, _), receipt in zip(batch, receipts, strict=True)]
        refused = [(json.dumps(receipt), place) for place, receipt in told if receipt["outcome"] == "refused"]
        self._forget((place for place, receipt in told if receipt["outcome"] in RECORDED), refused)
        return receipts

    def _forget(self, places: Iterable[int], refused: Iterable[tuple[str, int]] = ()) -> None:
        """In one transaction: each commit waits for the disk."""
        self._file.execute("BEGIN IMMEDIATE")
        self._file.executemany("DELETE FROM readings WHERE place = ?", [(place,) for place in places])
        self._file.executemany("UPDATE readings SET refusal = ? WHERE place = ?", refused)
        self._file.execute("COMMIT")


def _events(batch: PlacedEvents) -> list[Mapping[str, Any]]:
    return [event for _, event in batch]
