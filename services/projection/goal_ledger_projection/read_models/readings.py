"""Read model `readings`: what the feeds' systems reported, and from which seq on it counts.

In force at K: `seq <= K and (ended_seq is null or ended_seq > K)`; counted are those with state LIVE. A reading that was
quarantined has a row with state QUARANTINED from its own seq; its release ends that row and adds a LIVE one that counts
from the release's seq; its rejection only ends it. A correction ends the row and adds its new
content, in the state the reading had; a retraction only ends. `recorded_seq` is the fact that holds the content.

`time` is the fact's `effective_at`: the stated time, or when it was recorded for one stated a little ahead (SPEC 3).
One stated further ahead than that was quarantined; released, it counts from its stated time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from goal_ledger_contracts.canonical import parse_instant
from sqlalchemy import BigInteger, Column, DateTime, Index, Numeric, SmallInteger, Table, Text

from goal_ledger_projection.metadata import read
from goal_ledger_projection.read_models.changes import Changes, QuarantinedReading, ReadingKey, plain, text
from goal_ledger_projection.read_models.fact import CannotApply, FactRead
from goal_ledger_projection.read_models.sql import microseconds

LIVE, QUARANTINED = 0, 1
AHEAD_MAX = timedelta(minutes=5)
"""What is stated up to so far ahead was true when it was recorded (SPEC 3 "Backdating")."""

readings = Table(
    "readings",
    read,
    Column("workspace", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("ended_seq", BigInteger),
    Column("value", Numeric, nullable=False),
    Column("unit", Text),
    Column("mode", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("recorded_seq", BigInteger, nullable=False),
)
Index("readings_by_time", readings.c.workspace, readings.c.feed, readings.c.time, readings.c.seq)
Index(
    "readings_in_quarantine",
    readings.c.workspace,
    readings.c.feed,
    readings.c.source,
    readings.c.id,
    postgresql_where=(readings.c.state == QUARANTINED) & readings.c.ended_seq.is_(None),
)

COLUMNS = (
    "workspace",
    "feed",
    "source",
    "id",
    "seq",
    "time",
    "value",
    "unit",
    "mode",
    "state",
    "recorded_seq",
    "ended_seq",
)

TYPES = (
    "ReadingRecorded",
    "ReadingQuarantined",
    "ReadingReleased",
    "ReadingRejected",
    "ReadingCorrected",
    "ReadingRetracted",
)
COMING_IN = ("ReadingRecorded", "ReadingQuarantined")
"""The facts by which a reading is first there."""
_LOOKED_UP = ("ReadingReleased", "ReadingRejected", "ReadingCorrected", "ReadingRetracted")

_ENDS = """
UPDATE readings r SET ended_seq = e.seq
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS e (workspace, feed, source, id, seq)
CROSS JOIN LATERAL (SELECT o.ctid FROM readings o
                    WHERE o.workspace = e.workspace AND o.feed = e.feed AND o.source = e.source AND o.id = e.id
                      AND o.seq < e.seq AND o.ended_seq IS NULL{only}
                    ORDER BY o.seq OFFSET 0) o
WHERE r.ctid = o.ctid
RETURNING r.workspace, r.feed, r.unit, to_char(r.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS hour, r.state
"""
ENDS = _ENDS.format(only="")
ENDS_IN_QUARANTINE = _ENDS.format(only=" AND o.state = 1")
"""Of readings in quarantine alone, by their small index."""

IN_QUARANTINE = """
SELECT k.workspace, k.feed, k.source, k.id, r.time, r.value, r.unit, r.mode, r.recorded_seq
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (workspace, feed, source, id)
CROSS JOIN LATERAL (SELECT r.time, r.value, r.unit, r.mode, r.recorded_seq FROM readings r
                    WHERE r.workspace = k.workspace AND r.feed = k.feed AND r.source = k.source AND r.id = k.id
                      AND r.state = 1 AND r.ended_seq IS NULL LIMIT 1) r
"""


def key_of(fact: FactRead) -> ReadingKey:
    return (fact.workspace, fact.id, fact.data["source"], fact.data["id"])


def touched(fact: FactRead) -> list[ReadingKey]:
    """The readings whose quarantine matters to the fact."""
    return [key_of(fact)] if fact.type in _LOOKED_UP else []


def fold(fact: FactRead, changes: Changes) -> None:
    """A reading's content and state, from the fact's seq on."""
    key = key_of(fact)
    match fact.type:
        case "ReadingRecorded":
            _add(fact, changes, key, _content(fact), LIVE)
        case "ReadingQuarantined":
            changes.quarantined[key] = content = _content(fact)
            _add(fact, changes, key, content, QUARANTINED)
        case "ReadingReleased":
            released = changes.quarantined.pop(key, None)
            if released is None:
                raise CannotApply(fact.seq, "ReadingReleased of a reading that is not in quarantine")
            _end(fact, changes, key)
            _add(fact, changes, key, released, LIVE)
        case "ReadingCorrected":
            _end(fact, changes, key)
            content = _content(fact)
            if key in changes.quarantined:
                changes.quarantined[key] = content
            _add(fact, changes, key, content, QUARANTINED if key in changes.quarantined else LIVE)
        case _:
            changes.quarantined.pop(key, None)
            _end(fact, changes, key)


def _content(fact: FactRead) -> QuarantinedReading:
    data = fact.data
    return QuarantinedReading(
        _time(fact), data["value"], text(data.get("unit")), text(data["mode"]), fact.seq
    )


def _time(fact: FactRead) -> str:
    if fact.type == "ReadingQuarantined" and "stated_at" in fact.body:
        stated = fact.body["stated_at"]
        if parse_instant(stated) - parse_instant(fact.effective_at) > AHEAD_MAX:
            return str(stated)
    return fact.effective_at


def _end(fact: FactRead, changes: Changes, key: ReadingKey) -> None:
    for line in changes.readings.end(key, fact.seq):
        row = dict(zip(COLUMNS, line.split("\t"), strict=False))
        if int(row["state"]) == LIVE:
            changes.reading_sums.end(fact.workspace, fact.id, plain(row["unit"]), row["time"])


def _add(fact: FactRead, changes: Changes, key: ReadingKey, content: QuarantinedReading, state: int) -> None:
    changes.readings.add(
        key,
        f"{fact.workspace}\t{fact.id}\t{text(key[2])}\t{text(key[3])}\t{fact.seq}\t{content.time}\t"
        f"{content.value}\t{content.unit}\t{content.mode}\t{state}\t{content.recorded_seq}",
    )
    if state == LIVE:
        changes.reading_sums.add(
            fact.workspace, fact.id, plain(content.unit), content.time, content.value, fact.seq
        )


LAST_OF_FEEDS = """
SELECT q.feed, l.* FROM unnest($2::text[]) AS q (feed)
CROSS JOIN LATERAL (SELECT r.source, r.id, r.time, r.value, r.unit, r.mode, r.recorded_seq FROM readings r
    WHERE r.workspace = $1 AND r.feed = q.feed AND r.state = 0 AND r.time <= $4
      AND r.seq <= $3 AND (r.ended_seq IS NULL OR r.ended_seq > $3)
    ORDER BY r.time DESC, r.seq DESC LIMIT 1) l
"""

_WAITING = """
SELECT feed, source, id, time, value, unit, mode, recorded_seq FROM readings
WHERE workspace = $1 AND feed = ANY ($2) AND state = 1 AND seq <= $3 AND {in_force}
ORDER BY feed, seq
"""
WAITING_NOW = _WAITING.format(in_force="ended_seq IS NULL")
"""Now: by the small index of what waits."""
WAITED_THEN = _WAITING.format(in_force="(ended_seq IS NULL OR ended_seq > $3)")


IN_FORCE = (
    "workspace = $1",
    "seq <= $2",
    "(ended_seq IS NULL OR ended_seq > $2)",
    "time <= $3",
)
_EXPORTED = """
SELECT feed, source, id, {time}, value, unit, mode, state = 1, seq, recorded_seq
FROM readings WHERE {conditions} ORDER BY feed, time, seq LIMIT {limit}
"""


def exported_readings(conditions: Sequence[str], limit: int) -> str:
    """Those, in the columns of the dataset `readings`."""
    return _EXPORTED.format(time=microseconds("time"), conditions=" AND ".join(conditions), limit=limit)
