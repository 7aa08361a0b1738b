"""The one read of a batch: what was recorded under its idempotency keys and identities, and next to its points.

All of it is read in one statement, so in one snapshot, together with the head. If that head is the one the batch is
decided on, the guard of the append makes the read valid to the commit; if not, the race is lost already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goal_ledger_contracts.decision import Found, Identity
from goal_ledger_contracts.envelope import from_json
from goal_ledger_contracts.position import Position

from goal_ledger_ledger.folded import open_texts
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.submission import CommandAnswer, FactRef, Submission

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

_HEAD, _ANSWER, _IDENTITY, _NEIGHBOURS = 0, 1, 2, 3

_LOOK_UP = f"""
SELECT {_HEAD} AS what, NULL::bytea AS key, NULL::bytea AS content, epoch AS e, seq AS a, NULL::bigint AS b,
    NULL::bigint AS c, NULL::text AS t, NULL::text AS u, NULL::numeric AS x, NULL::numeric AS y,
    NULL::timestamptz AS x_at, NULL::timestamptz AS y_at
FROM heads WHERE workspace = $1
UNION ALL
SELECT {_ANSWER}, a.key, a.body, a.epoch, a.first_seq, a.last_seq, a.seq, a.id, a.location, a.version,
    NULL, NULL, NULL
FROM unnest($2::bytea[]) AS asked (key)
CROSS JOIN LATERAL (
    SELECT * FROM answers w WHERE w.workspace = $1 AND w.key = asked.key ORDER BY w.workspace, w.key LIMIT 1
) a
UNION ALL
SELECT {_IDENTITY}, i.key, i.bytes, i.state, NULL, NULL, NULL, i.subject, NULL, NULL, NULL, NULL, NULL
FROM unnest($3::bytea[]) AS asked (key)
CROSS JOIN LATERAL (
    SELECT w.key, w.state, w.subject, (
        SELECT f.bytes FROM facts f WHERE f.workspace = $1 AND f.seq = w.seq ORDER BY f.workspace, f.seq LIMIT 1
    ) AS bytes
    FROM identities w WHERE w.workspace = $1 AND w.key = asked.key ORDER BY w.workspace, w.key LIMIT 1
) i
UNION ALL
SELECT {_NEIGHBOURS}, NULL, NULL, asked.nr::int, NULL, NULL, NULL, NULL, NULL, b.value, a.value, b.at, a.at
FROM unnest($4::text[], $5::timestamptz[], $6::bytea[]) WITH ORDINALITY AS asked (series, at, own, nr)
LEFT JOIN LATERAL (
    SELECT p.value, p.at FROM points p
    WHERE p.workspace = $1 AND p.series = asked.series AND p.at <= asked.at AND p.identity <> asked.own
    ORDER BY p.at DESC, p.seq DESC LIMIT 1
) b ON true
LEFT JOIN LATERAL (
    SELECT p.value, p.at FROM points p
    WHERE p.workspace = $1 AND p.series = asked.series AND p.at > asked.at AND p.identity <> asked.own
    ORDER BY p.at, p.seq LIMIT 1
) a ON true
"""

_FACTS_OF_ANSWERS = """
SELECT asked.nr, f.seq, f.event_id, f.type
FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS asked (first, last, nr)
JOIN facts f ON f.workspace = $1 AND f.seq BETWEEN asked.first AND asked.last
ORDER BY asked.nr, f.seq
"""

NeighbourQuestion = tuple[str, datetime, bytes]
"""A neighbour question: series, time, and the digest of the identity whose own point is left out (b"": none)."""

Near = tuple[datetime, Decimal] | None


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer kept under an idempotency key, and the keyed hash of the body it answered."""

    body: str
    answer: CommandAnswer


@dataclass(slots=True)
class Looked:
    """What the store holds for a batch, at a position (None: nothing was asked, so nothing was read)."""

    position: Position | None = None
    answers: dict[str, KeptAnswer] = field(default_factory=dict)
    found: dict[Identity, Found] = field(default_factory=dict)
    near: dict[NeighbourQuestion, tuple[Near, Near]] = field(default_factory=dict)
    digests: dict[Identity, bytes] = field(default_factory=dict)


def asked_neighbours(submission: Submission, digests: dict[Identity, bytes]) -> list[NeighbourQuestion]:
    """A submission's questions; the point of the identity it is about is no neighbour of itself."""
    own = digests[submission.lookups[0]] if submission.lookups else b""
    return [(series, at, own) for series, at in submission.neighbours]


async def look_up(raw: Raw, submissions: Iterable[Submission], workspace: str, keyring: Keyring) -> Looked:
    """Read what the submissions ask for, in one statement; nothing if they ask for nothing."""
    looked, marks, asked = Looked(), dict[str, None](), dict[NeighbourQuestion, None]()
    for submission in submissions:
        for identity in submission.lookups:
            if identity not in looked.digests:
                looked.digests[identity] = identity.digest
        if submission.mark is not None:
            marks[submission.mark.key] = None
        if submission.neighbours:
            asked.update(dict.fromkeys(asked_neighbours(submission, looked.digests)))
    if not marks and not looked.digests and not asked:
        return looked
    questions = list(asked)
    rows = await raw.fetch(
        _LOOK_UP,
        workspace,
        [bytes.fromhex(mark) for mark in marks],
        list(looked.digests.values()),
        [series for series, _, _ in questions],
        [at for _, at, _ in questions],
        [own for _, _, own in questions],
    )
    await _take_identities(looked, [row for row in rows if row[0] == _IDENTITY], workspace, keyring)
    await _take_answers(looked, [row for row in rows if row[0] == _ANSWER], workspace, raw)
    for row in rows:
        if row[0] == _HEAD:
            looked.position = Position(row[3], row[4])
        elif row[0] == _NEIGHBOURS:
            looked.near[questions[row[3] - 1]] = (_near(row[11], row[9]), _near(row[12], row[10]))
    return looked


def _near(at: datetime | None, value: Decimal | None) -> Near:
    return None if at is None or value is None else (at, value)


async def _take_identities(looked: Looked, rows: Sequence[Any], workspace: str, keyring: Keyring) -> None:
    if not rows:
        return
    by_digest = {digest: identity for identity, digest in looked.digests.items()}
    facts = await open_texts([from_json(json.loads(row[2])) for row in rows], workspace, keyring)
    for row, fact in zip(rows, facts, strict=True):
        looked.found[by_digest[row[1]]] = Found(fact, row[3], row[7])


async def _take_answers(looked: Looked, rows: Sequence[Any], workspace: str, raw: Raw) -> None:
    if not rows:
        return
    facts: dict[int, list[FactRef]] = {}
    firsts, lasts = [row[4] for row in rows], [row[5] for row in rows]
    for number, seq, event_id, type_name in await raw.fetch(_FACTS_OF_ANSWERS, workspace, firsts, lasts):
        facts.setdefault(number, []).append(FactRef(seq, str(event_id), type_name))
    for number, row in enumerate(rows, 1):
        answer = CommandAnswer(
            id=row[7],
            version=int(row[9]),
            facts=tuple(facts.get(number, ())),
            position=Position(row[3], row[6]),
            replayed=True,
            location=row[8],
        )
        looked.answers[row[1].hex()] = KeptAnswer(row[2].hex(), answer)


def replayed(answer: CommandAnswer) -> CommandAnswer:
    """The same answer, said again."""
    return replace(answer, replayed=True)
