"""The statements of the append. See ``append.py`` for what they guarantee together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goal_ledger_ledger.batch import Batch
from goal_ledger_ledger.folded import Folded
from goal_ledger_ledger.merkle import EMPTY_ROOT

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

_WRITE = """
WITH moved AS (
    UPDATE heads SET seq = $4, recorded_at = $5, frontier = $6, root = $7, moved_at = clock_timestamp()
    WHERE workspace = $1 AND epoch = $2 AND seq = $3 AND root = $35
    RETURNING 1
), new_facts AS (
    INSERT INTO facts (workspace, seq, stream, version, type, event_id, recorded_at, hash, bytes, traceparent)
    SELECT $1, $3 + f.nr, coalesce(f.stream, ($8::text[])[1]), f.version, coalesce(f.type, ($10::text[])[1]),
        f.event_id, $5, f.hash, f.bytes, f.traceparent
    FROM moved, unnest($8::text[], $9::int[], $10::text[], $11::uuid[], $12::bytea[], $13::bytea[], $14::text[])
        WITH ORDINALITY AS f (stream, version, type, event_id, hash, bytes, traceparent, nr)
), new_answers AS (
    INSERT INTO answers (workspace, key, body, id, stream, version, first_seq, last_seq, epoch, seq, location)
    SELECT $1, a.key, a.body, a.id, a.stream, a.version, a.first_seq, a.last_seq, a.epoch, a.seq, a.location
    FROM moved, unnest($15::bytea[], $16::bytea[], $17::text[], $18::text[], $19::int[], $20::bigint[],
        $21::bigint[], $22::int[], $23::bigint[], $24::text[])
        AS a (key, body, id, stream, version, first_seq, last_seq, epoch, seq, location)
), new_identities AS (
    INSERT INTO identities (workspace, key, seq, state, subject)
    SELECT $1, i.key, i.seq, coalesce(i.state, ($27::smallint[])[1]), coalesce(i.subject, ($28::text[])[1])
    FROM moved, unnest($25::bytea[], $26::bigint[], $27::smallint[], $28::text[]) AS i (key, seq, state, subject)
    ON CONFLICT (workspace, key) DO UPDATE SET
        seq = CASE WHEN excluded.seq = 0 THEN identities.seq ELSE excluded.seq END,
        state = excluded.state, subject = excluded.subject
), new_points AS (
    INSERT INTO points (workspace, identity, series, at, seq, value)
    SELECT $1, p.identity, p.series, p.at, p.seq, p.value
    FROM moved, unnest($29::bytea[], $30::text[], $31::timestamptz[], $32::bigint[], $33::numeric[])
        AS p (identity, series, at, seq, value)
    ON CONFLICT (workspace, identity) DO UPDATE SET
        series = excluded.series, at = excluded.at, seq = excluded.seq, value = excluded.value
), gone_points AS (
    DELETE FROM points p USING moved
    WHERE cardinality($34::bytea[]) > 0 AND p.workspace = $1 AND p.identity = ANY($34::bytea[])
)
SELECT count(*) FROM moved
"""

_CREATE_HEAD = """
INSERT INTO heads (workspace, epoch, seq, recorded_at, frontier, root, moved_at)
VALUES ($1, 1, 0, 'epoch', '', $2, clock_timestamp()) ON CONFLICT DO NOTHING
"""
_CREATE_EPOCH = """
INSERT INTO epochs (workspace, epoch, fork_seq, started_at) VALUES ($1, 1, 0, clock_timestamp())
ON CONFLICT DO NOTHING
"""
_HOLDS_EVENT = "SELECT EXISTS (SELECT FROM facts WHERE workspace = $1 AND event_id = $2)"


async def write(raw: Raw, folded: Folded, batch: Batch) -> bool:
    """Write the batch if the head is still the one it was decided on; whether it was."""
    batch.sent = True
    frontier = batch.frontier
    moved = await raw.fetchval(
        _WRITE,
        folded.workspace,
        folded.epoch,
        folded.seq,
        frontier.size,
        batch.now if batch.rows else folded.recorded_at,
        frontier.to_bytes(),
        frontier.root,
        *_fact_columns(batch),
        *_answer_columns(batch),
        *_identity_columns(batch),
        *_point_columns(batch),
        folded.root,
    )
    batch.sent = moved == 1
    return batch.sent


def _fact_columns(batch: Batch) -> list[list[Any]]:
    rows = batch.rows
    return [
        _once_if_the_same([fact.stream for fact, _, _, _ in rows]),
        [fact.version for fact, _, _, _ in rows],
        _once_if_the_same([type(fact.data).__name__ for fact, _, _, _ in rows]),
        [fact.event_id for fact, _, _, _ in rows],
        [leaf for _, _, leaf, _ in rows],
        [stored for _, stored, _, _ in rows],
        [traceparent for _, _, _, traceparent in rows] if any(traced for _, _, _, traced in rows) else [],
    ]


def _answer_columns(batch: Batch) -> list[list[Any]]:
    kept = [(key, body, stream, answer) for key, (body, stream, answer) in batch.answers.items()]
    return [
        [bytes.fromhex(key) for key, _, _, _ in kept],
        [bytes.fromhex(body) for _, body, _, _ in kept],
        [answer.id for _, _, _, answer in kept],
        [stream for _, _, stream, _ in kept],
        [answer.version for _, _, _, answer in kept],
        [answer.facts[0].seq if answer.facts else 1 for _, _, _, answer in kept],
        [answer.facts[-1].seq if answer.facts else 0 for _, _, _, answer in kept],
        [answer.position.epoch for _, _, _, answer in kept],
        [answer.position.seq for _, _, _, answer in kept],
        [answer.location for _, _, _, answer in kept],
    ]


def _identity_columns(batch: Batch) -> list[list[Any]]:
    claims = batch.identities
    return [
        [batch.digest(identity) for identity in claims],
        [seq for seq, _, _ in claims.values()],
        _once_if_the_same([state for _, state, _ in claims.values()]),
        _once_if_the_same([subject for _, _, subject in claims.values()]),
    ]


def _once_if_the_same(column: list[Any]) -> list[Any]:
    """A column without nulls that holds one value throughout, as bulk has them: sent once. ``unnest`` fills the rest of
    it up with nulls, and the statement puts the first value in their place."""
    return column[:1] if column.count(column[0] if column else None) == len(column) else column


def _point_columns(batch: Batch) -> list[list[Any]]:
    put = batch.series.put
    return [
        [batch.digest(identity) for identity in put],
        [series for series, _, _, _ in put.values()],
        [at for _, at, _, _ in put.values()],
        [seq for _, _, seq, _ in put.values()],
        [value for _, _, _, value in put.values()],
        [batch.digest(identity) for identity in batch.series.gone],
    ]


async def create_head(raw: Raw, workspace: str) -> None:
    """The head of a new workspace, at seq 0 of epoch 1; within a transaction that goes on to record its first fact."""
    await raw.execute(_CREATE_HEAD, workspace, EMPTY_ROOT)
    await raw.execute(_CREATE_EPOCH, workspace)


async def is_committed(raw: Raw, folded: Folded, batch: Batch) -> bool:
    """Whether a batch that was sent is in the store. Without facts it cannot be told, and is decided again."""
    if not batch.rows:
        return False
    found: bool = await raw.fetchval(_HOLDS_EVENT, folded.workspace, batch.rows[0][0].event_id)
    return found
