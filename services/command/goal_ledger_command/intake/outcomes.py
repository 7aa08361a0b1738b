"""What became of records that left no fact: duplicates, refusals, and what could not be read.

Kept under the record's place, so that a record taken twice has one outcome; the relay publishes them. A refusal stays
for the look-up by (source, id) until the reading is recorded after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiokafka import ConsumerRecord
from goal_ledger_domain.reading import identity
from goal_ledger_messaging.topics import Emitter

from goal_ledger_command.intake.positions import Inbox
from goal_ledger_command.relay.answers import pack_record

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

DUPLICATE, REFUSED, UNREADABLE = "duplicate", "refused", "unreadable"

_KEEP = """
INSERT INTO outcomes (topic, generation, partition, "offset", workspace, system, outcome, identity, source, id, feed,
    code, reason, event_id, position, recorded_at, record)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT DO NOTHING
"""
_KEPT_REFUSAL = """
SELECT system, feed, code, reason, recorded_at FROM outcomes
WHERE workspace = $1 AND identity = $2 AND outcome <> 'duplicate' ORDER BY recorded_at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one record; ``record`` is given for an unreadable one, to be kept whole."""

    offset: int
    outcome: str
    source: str | None = None
    id: str | None = None
    feed: str | None = None
    code: str | None = None
    reason: str | None = None
    event_id: str | None = None
    position: str | None = None
    record: ConsumerRecord | None = None


async def keep(raw: Raw, inbox: Inbox, emitter: Emitter, outcomes: Sequence[Outcome]) -> None:
    """Writes them on the transaction that moves the inbox's position."""
    now = datetime.now(UTC)
    await raw.executemany(_KEEP, [_row(inbox, emitter, one, now) for one in outcomes])


async def kept_refusal(raw: Raw, workspace: str, source: str, id: str) -> Any:
    """(system, feed, code, reason, recorded_at) of the latest refusal of this reading out of Kafka; None if there is none."""
    return await raw.fetchrow(_KEPT_REFUSAL, workspace, identity(source, id).digest)


def _row(inbox: Inbox, emitter: Emitter, one: Outcome, now: datetime) -> tuple[Any, ...]:
    named = one.source is not None and one.id is not None
    return (
        inbox.topic,
        inbox.generation,
        inbox.partition,
        one.offset,
        emitter.workspace,
        emitter.system,
        one.outcome,
        identity(one.source or "", one.id or "").digest if named else None,
        _storable(one.source),
        _storable(one.id),
        _storable(one.feed),
        one.code,
        _storable(one.reason),
        one.event_id,
        one.position,
        now,
        None if one.record is None else pack_record(one.record.key, one.record.value, one.record.headers),
    )


def _storable(text: str | None) -> str | None:
    """PostgreSQL keeps no NUL in a text, and no half of a surrogate pair."""
    if text is None:
        return None
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
