"""Read model `facts`: every fact as it was stored, with the members that it is searched by.

`bytes` are the fact's canonical bytes, untouched: what was hashed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid

from goal_ledger_projection.metadata import read
from goal_ledger_projection.read_models.changes import Changes
from goal_ledger_projection.read_models.fact import FactRead
from goal_ledger_projection.read_models.sql import microseconds

facts = Table(
    "facts",
    read,
    Column("workspace", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
)
Index("facts_by_stream", facts.c.workspace, facts.c.stream, facts.c.seq)

SEQ_RECORDED_BY = """
WITH RECURSIVE halving (low, high) AS (
    SELECT 0::bigint, coalesce((SELECT seq FROM facts WHERE workspace = $1 ORDER BY seq DESC LIMIT 1), 0)
    UNION ALL
    SELECT CASE WHEN f.recorded_at <= $2 THEN f.seq ELSE h.low END,
           CASE WHEN f.recorded_at <= $2 THEN h.high ELSE f.seq - 1 END
    FROM halving h CROSS JOIN LATERAL (SELECT f.seq, f.recorded_at FROM facts f
                                       WHERE f.workspace = $1 AND f.seq = (h.low + h.high + 1) / 2 LIMIT 1) f
    WHERE h.low < h.high
)
SELECT low FROM halving WHERE low = high
"""
"""The highest seq of workspace `$1` recorded by the instant `$2` (0: none). `recorded_at` never runs backwards along
seq, so halving the primary key finds it in about twenty look-ups, without an index of its own."""

ENDS_OF_STREAMS = """
SELECT s.workspace, s.stream, f.version, sha256('\\x00'::bytea || f.bytes)
FROM unnest($1::text[], $2::text[]) AS s (workspace, stream)
CROSS JOIN LATERAL (SELECT f.version, f.bytes FROM facts f
                    WHERE f.workspace = s.workspace AND f.stream = s.stream ORDER BY f.seq DESC LIMIT 1) f
"""
"""The last fact of each stream: (workspace, stream, version, hash of its bytes)."""

BYTES_BETWEEN = "SELECT bytes FROM facts WHERE workspace = $1 AND seq > $2 AND seq <= $3 ORDER BY seq"
"""The bytes of the facts after one seq up to another, in order."""

NEXT_FACTS = """
SELECT seq, event_id, type, stream, recorded_at FROM facts
WHERE workspace = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
"""
"""What causes are made of, of the facts after one seq up to another."""

LAST_OF_TYPE = """
SELECT seq, event_id, type, stream, recorded_at FROM facts
WHERE workspace = $1 AND type = $2 AND seq <= $3 ORDER BY seq DESC LIMIT 1
"""

HASHES_BETWEEN = """
SELECT seq, sha256('\\x00'::bytea || bytes) FROM facts WHERE workspace = $1 AND seq > $2 AND seq <= $3
"""
"""The leaf hash of each of these facts, computed from its row."""

PAGE_OF_LOG = "SELECT seq, bytes FROM {version}.facts WHERE workspace = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4"
"""The next facts of a version that is named: (seq, bytes)."""

COLUMNS = tuple(column.name for column in facts.columns)


def fold(fact: FactRead, changes: Changes) -> None:
    """Every fact is one row."""
    body = fact.body
    stored = fact.text.replace("\\", "\\\\\\\\")
    changes.facts.append(
        f"{fact.workspace}\t{fact.seq}\t{body['stream']}\t{body['version']}\t{fact.type}\t{body['actor']}\t"
        f"{body['effective_at']}\t{body['recorded_at']}\t{body['event_id']}\t{stored}\n"
    )


VERSIONS_OF_STREAMS = """
SELECT s.stream, f.version FROM unnest($2::text[]) AS s (stream)
CROSS JOIN LATERAL (SELECT f.version FROM facts f WHERE f.workspace = $1 AND f.stream = s.stream AND f.seq <= $3
                    ORDER BY f.seq DESC LIMIT 1) f
"""

EVENT_IDS = """
SELECT w.seq, f.event_id FROM unnest($2::bigint[]) AS w (seq)
CROSS JOIN LATERAL (SELECT f.event_id FROM facts f WHERE f.workspace = $1 AND f.seq = w.seq LIMIT 1) f
"""

EVENT_IDS_AND_VERSION = f"""
SELECT e.seq, e.event_id, NULL::int AS version FROM ({EVENT_IDS}) e
UNION ALL
SELECT NULL, NULL, (SELECT f.version FROM facts f WHERE f.workspace = $1 AND f.stream = $3 AND f.seq <= $4
                    ORDER BY f.seq DESC LIMIT 1)
"""

CITED = """
SELECT w.seq, f.event_id, f.stream, f.type, f.actor, f.effective_at, f.recorded_at,
       convert_from(f.bytes, 'UTF8')::jsonb ->> 'reason' AS reason
FROM unnest($2::bigint[]) AS w (seq)
CROSS JOIN LATERAL (SELECT * FROM facts f WHERE f.workspace = $1 AND f.seq = w.seq LIMIT 1) f
ORDER BY w.seq
"""

PAGE_OF_STREAM = """
SELECT seq, version, bytes FROM facts
WHERE workspace = $1 AND stream = $2 AND seq <= $3 AND effective_at <= $4 AND seq > $5 ORDER BY seq LIMIT $6
"""

OF_STREAMS = """
SELECT f.bytes FROM unnest($2::text[]) AS s (stream)
CROSS JOIN LATERAL (SELECT f.seq, f.type, f.bytes FROM facts f
                    WHERE f.workspace = $1 AND f.stream = s.stream AND f.seq <= $3 AND f.type <> ALL ($4)
                      AND (s.stream NOT LIKE 'workspace/%' OR f.type = ANY ($5))
                    ORDER BY f.workspace, f.stream, f.seq LIMIT $6) f
LIMIT $6
"""
"""The facts of these streams up to a seq, without those of some types; of the workspace's own only those of others."""

OF_TYPE_IN_STREAMS = """
SELECT f.bytes FROM unnest($2::text[]) AS s (stream)
CROSS JOIN LATERAL (SELECT f.seq, f.bytes FROM facts f
                    WHERE f.workspace = $1 AND f.stream = s.stream AND f.seq <= $3 AND f.effective_at <= $4 AND f.type = $5
                    ORDER BY f.workspace, f.stream, f.seq) f
ORDER BY f.seq
"""

KEY_RESULTS_OF = """
SELECT seq, convert_from(bytes, 'UTF8')::jsonb #>> '{data,key_result}' AS key_result FROM facts
WHERE workspace = $1 AND seq = ANY ($2::bigint[])
"""

FIRST_OF_STREAM = (
    "SELECT seq FROM facts WHERE workspace = $1 AND stream = $2 AND seq <= $3 ORDER BY seq LIMIT 1"
)

THEN = ("workspace = $1", "seq <= $2", "effective_at <= $3")
"""The facts of an answer: recorded up to its position, true at its moment."""
SINCE = ("workspace = $1", "seq <= $2", "seq > $3")
"""The facts after one seq up to another, whenever they were true."""


def page_of_facts(conditions: Sequence[str], descending: bool, limit: int) -> str:
    """The facts for which all conditions hold."""
    order = "DESC" if descending else "ASC"
    return f"SELECT seq, bytes FROM facts WHERE {' AND '.join(conditions)} ORDER BY seq {order} LIMIT {limit}"


_EXPORTED = """
SELECT seq, event_id, stream, version, type, actor, {effective_at}, {recorded_at}, NULL, NULL, convert_from(bytes, 'UTF8'),
       encode(sha256('\\x00'::bytea || bytes), 'hex')
FROM facts WHERE {conditions} ORDER BY seq LIMIT {limit}
"""


def exported_facts(conditions: Sequence[str], limit: int) -> str:
    """Those, in the columns of the dataset `facts`, `reason` and `data` empty."""
    return _EXPORTED.format(
        effective_at=microseconds("effective_at"),
        recorded_at=microseconds("recorded_at"),
        conditions=" AND ".join(conditions),
        limit=limit,
    )
