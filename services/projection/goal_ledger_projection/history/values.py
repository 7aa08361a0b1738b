"""What the values were, answered from tables for any number of parts at once, each at a moment of its own (SPEC 7).

A checked-in value in force at (T, K) is the first by (effective_at desc, seq desc) with `effective_at <= T`, `seq <= K`,
not ended by a revision with seq <= K, inside the part's window, and under the unit and kind of the part's measure: a
value under another unit or kind stands aside, and the last comparable one stays.

A fed part's value is the aggregation of its feed's accepted readings in the part's span, which the database looks
up by the hour (`stretches.py`) and sums up by day and hour (`summed.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from goal_ledger_history.behind import Behind
from goal_ledger_history.last_check_ins import CheckInsBetween, CheckInsHoweverOld, LastCheckIns
from goal_ledger_history.protocols import CheckedIn, Fed, FeedAt, Wanted
from goal_ledger_scoring.aggregation import (
    COUNT,
    INCREASE,
    LAST,
    Reading,
    Stretch,
    Sums,
    based,
    combine,
    compares,
)
from goal_ledger_scoring.inputs import PartInput

from goal_ledger_projection.history.behind import readings_behind
from goal_ledger_projection.history.last_check_ins import check_ins_between, check_ins_however_old
from goal_ledger_projection.history.snapshots import Row, Snapshot
from goal_ledger_projection.history.stretches import (
    ACCEPTED_THEN,
    BEGINNING,
    STRETCH,
    newest,
    oldest,
    stretch_columns,
    until,
)
from goal_ledger_projection.history.summed import summed_up

_CHECKED_IN = """
SELECT q.n::int AS n, v.seq, v.effective_at, v.value, v.done, v.unit, v.measure_seq, v.check_in
FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[]{asked})
     WITH ORDINALITY AS q (key_result, part, since, until, k{named}, n)
CROSS JOIN LATERAL (
    SELECT v.seq, v.effective_at, v.value, v.done, v.unit, v.measure_seq, v.check_in
    FROM value_rows v
    WHERE v.workspace = $1 AND v.key_result = q.key_result AND v.part = q.part
      AND v.effective_at <= q.until AND v.effective_at >= q.since
      AND v.seq <= q.k AND (v.ended_seq IS NULL OR v.ended_seq > q.k) {more}
    ORDER BY v.effective_at DESC, v.seq DESC
    LIMIT 1
) v
"""
_FIRST = _CHECKED_IN.format(asked="", named="", more="")
_FIRST_OF_OTHERS = _CHECKED_IN.format(
    asked=", $7::text[]",
    named=", passed",
    more="AND v.measure_seq <> ALL (string_to_array(q.passed, ',')::bigint[])",
)
"""The first that was not recorded under one of these revisions of the measure."""
_FIRST_ALIKE = """
SELECT q.n::int AS n, v.seq, v.effective_at, v.value, v.done, v.unit, v.measure_seq, v.check_in
FROM unnest(string_to_array($2, ','), string_to_array($3, ',')) WITH ORDINALITY AS q (key_result, part, n)
CROSS JOIN LATERAL (
    SELECT v.seq, v.effective_at, v.value, v.done, v.unit, v.measure_seq, v.check_in
    FROM value_rows v
    WHERE v.workspace = $1 AND v.key_result = q.key_result AND v.part = q.part
      AND v.effective_at <= $5 AND v.effective_at >= $4 AND v.seq <= $6 AND (v.ended_seq IS NULL OR v.ended_seq > $6)
    ORDER BY v.effective_at DESC, v.seq DESC
    LIMIT 1
) v
"""
"""The same where all are asked at one moment, as almost all of a tree are; ids hold no commas."""

_LAST_READING = f"""
SELECT q.n::int AS n, l.time, l.value, l.recorded_seq FROM {STRETCH}
CROSS JOIN LATERAL ({newest("r.time, r.value, r.recorded_seq")}) l
"""
_BEFORE = "least(q.until, q.since - interval '1 microsecond')"
_GAINED = f"""
SELECT q.n::int AS n, l.time, l.value, l.recorded_seq, f.value AS first, b.value AS before FROM {STRETCH}
CROSS JOIN LATERAL ({newest("r.time, r.value, r.recorded_seq")}) l
CROSS JOIN LATERAL ({oldest("r.value")}) f
LEFT JOIN LATERAL ({newest("r.value", since="q.opened", until=_BEFORE)}) b ON true
"""
_NEWEST = f"""
SELECT q.n::int AS n, l.time, l.seq, l.value, l.unit
FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[]) WITH ORDINALITY AS q (feed, since, until, k, n)
CROSS JOIN LATERAL ({newest("r.time, r.seq, r.value, r.unit", ACCEPTED_THEN)}) l
"""
"""Whatever its unit."""

MeasureKinds = dict[tuple[str, str, int], dict[str, str]]
"""(objective, key result, seq of the measure) → kind by part."""

_MEASURES = """
SELECT w.objective, w.key_result, w.seq, k->'measure' AS measure
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS w (objective, key_result, seq)
CROSS JOIN LATERAL (SELECT d.body FROM definitions d
                    WHERE d.workspace = $1 AND d.kind = 'objective' AND d.id = w.objective AND d.seq = w.seq
                    ORDER BY d.workspace, d.kind, d.id, d.seq LIMIT 1) d
CROSS JOIN LATERAL jsonb_array_elements(d.body->'key_results') k
WHERE k->>'id' = w.key_result
"""


class ValuesInTables:
    """Those of one snapshot (`goal_ledger_history.protocols.Values`)."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def in_force(self, wanted: Sequence[Wanted]) -> list[PartInput]:
        return await values_in_force(self._snapshot, wanted)

    async def behind(self, wanted: Sequence[Fed]) -> list[Behind]:
        return await readings_behind(self._snapshot, wanted)

    async def last_readings(self, wanted: Iterable[FeedAt]) -> dict[FeedAt, datetime]:
        return await last_readings(self._snapshot, wanted)

    async def check_ins_between(self, wanted: Sequence[CheckInsBetween]) -> LastCheckIns:
        return await check_ins_between(self._snapshot, wanted)

    async def check_ins_however_old(self, wanted: Sequence[CheckInsHoweverOld]) -> LastCheckIns:
        return await check_ins_however_old(self._snapshot, wanted)


async def values_in_force(snapshot: Snapshot, wanted: Sequence[Wanted]) -> list[PartInput]:
    """The value of each, in the same order; evidence are the seqs of the facts it comes from, as text."""
    found = [PartInput()] * len(wanted)
    checked_in = [(n, one) for n, one in enumerate(wanted) if type(one) is CheckedIn]
    fed = [(n, one) for n, one in enumerate(wanted) if type(one) is Fed]
    if checked_in:
        await _checked_in(snapshot, checked_in, found)
    if fed:
        for (n, _), value in zip(fed, await _fed(snapshot, [one for _, one in fed]), strict=True):
            found[n] = value
    return found


async def _checked_in(
    snapshot: Snapshot, wanted: Sequence[tuple[int, CheckedIn]], found: list[PartInput]
) -> None:
    doubtful: list[tuple[int, CheckedIn, Row]] = []
    alike, others = _by_moment(wanted)
    for some, rows in (
        (alike, await _at_one_moment(snapshot, [one for _, one in alike])),
        (others, await snapshot.fetch(_FIRST, *_columns([one for _, one in others])) if others else ()),
    ):
        for row in rows:
            n, one = some[row["n"] - 1]
            if row["measure_seq"] == one.measure_seq:
                found[n] = _input(row)
            else:
                doubtful.append((n, one, row))
    if doubtful:
        values = await _comparable(snapshot, [(one, row) for _, one, row in doubtful])
        for (n, _, _), value in zip(doubtful, values, strict=True):
            found[n] = value


NumberedQuestions = list[tuple[int, CheckedIn]]


def _by_moment(wanted: Sequence[tuple[int, CheckedIn]]) -> tuple[NumberedQuestions, NumberedQuestions]:
    """Those asked as the first one is, and the others."""
    _, first = wanted[0]
    key = (first.at, first.known, first.since, first.until)
    alike: NumberedQuestions = []
    others: NumberedQuestions = []
    for pair in wanted:
        one = pair[1]
        same = one.at is key[0] and (one.known, one.since, one.until) == key[1:]
        (alike if same else others).append(pair)
    return alike, others


async def _at_one_moment(snapshot: Snapshot, wanted: Sequence[CheckedIn]) -> Sequence[Row]:
    first = wanted[0]
    return await snapshot.fetch(
        _FIRST_ALIKE,
        ",".join([one.key_result for one in wanted]),
        ",".join([one.part for one in wanted]),
        first.since or BEGINNING,
        until(first.at, first.until),
        first.known,
    )


async def _comparable(snapshot: Snapshot, doubtful: Sequence[tuple[CheckedIn, Row]]) -> list[PartInput]:
    """The last value recorded under the part's unit and kind, of parts whose last one was recorded under another revision
    of the measure: a revision that does not compare is passed over, then the last value under another one is looked at."""
    found = [PartInput(incomparable=True)] * len(doubtful)
    passed: list[list[int]] = [[] for _ in doubtful]
    looked_at = {n: row for n, (_, row) in enumerate(doubtful)}
    while looked_at:
        kinds = await _kinds_of(snapshot, [(doubtful[n][0], row) for n, row in looked_at.items()])
        others: list[int] = []
        for n, row in looked_at.items():
            one = doubtful[n][0]
            kind = kinds.get((one.objective, one.key_result, row["measure_seq"]), {}).get(one.part)
            if kind == one.kind and row["unit"] == one.unit:
                found[n] = _input(row, incomparable=bool(passed[n]))
            else:
                passed[n].append(row["measure_seq"] or 0)
                others.append(n)
        looked_at = {}
        if others:
            columns = _columns([doubtful[n][0] for n in others])
            columns.append([",".join(map(str, passed[n])) for n in others])
            rows = await snapshot.fetch(_FIRST_OF_OTHERS, *columns)
            looked_at = {others[row["n"] - 1]: row for row in rows}
    return found


async def _kinds_of(snapshot: Snapshot, looked_at: Sequence[tuple[CheckedIn, Row]]) -> MeasureKinds:
    asked = sorted(
        {
            (one.objective, one.key_result, row["measure_seq"])
            for one, row in looked_at
            if row["measure_seq"] is not None
        }
    )
    if not asked:
        return {}
    columns = [list(column) for column in zip(*asked, strict=True)]
    return {
        (row["objective"], row["key_result"], row["seq"]): kinds_by_part(json.loads(row["measure"]))
        for row in await snapshot.fetch(_MEASURES, *columns)
    }


def kinds_by_part(measure: dict[str, Any]) -> dict[str, str]:
    """The kinds of a stored measure's parts."""
    if measure["kind"] == "compound":
        return {part["id"]: part["measure"]["kind"] for part in measure["parts"]}
    return {"value": measure["kind"]}


def _columns(wanted: Sequence[CheckedIn]) -> list[list[Any]]:
    return [
        [one.key_result for one in wanted],
        [one.part for one in wanted],
        [one.since or BEGINNING for one in wanted],
        [until(one.at, one.until) for one in wanted],
        [one.known for one in wanted],
    ]


def _input(row: Row, *, incomparable: bool = False) -> PartInput:
    done = None if row["done"] is None else tuple(row["done"])
    return PartInput(
        row["value"],
        done=done,
        at=row["effective_at"],
        evidence=(str(row["seq"]),),
        incomparable=incomparable,
    )


async def _fed(snapshot: Snapshot, wanted: Sequence[Fed]) -> list[PartInput]:
    sums: dict[tuple[int, int], Sums] = {}
    for aggregations, look_up in (
        ((LAST,), _last_values),
        ((INCREASE,), _gains),
        (("max", "min", "mean", "sum", COUNT), summed_up),
    ):
        asked = [
            (n, s, stretch)
            for n, one in enumerate(wanted)
            if one.aggregation in aggregations
            for s, stretch in enumerate(one.stretches)
        ]
        if asked:
            found = await look_up(snapshot, [(wanted[n], stretch) for n, _, stretch in asked])
            for (n, s, stretch), one in zip(asked, found, strict=True):
                sums[n, s] = based(one, stretch)
    values = [
        combine(one.aggregation, [sums[n, s] for s in range(len(one.stretches))], one.feed)
        for n, one in enumerate(wanted)
    ]
    for n, last in await _newest(snapshot, wanted):
        if not compares(last, wanted[n].stretches, wanted[n].unit):
            values[n].incomparable = True
    return values


async def _newest(snapshot: Snapshot, wanted: Sequence[Fed]) -> list[tuple[int, Reading]]:
    """The last reading in each one's span, of those that have one."""
    columns = (
        [one.feed for one in wanted],
        [one.span.start or BEGINNING for one in wanted],
        [until(one.at, one.span.end) for one in wanted],
        [one.known for one in wanted],
    )
    return [
        (row["n"] - 1, Reading(row["time"], row["seq"], row["value"], row["unit"]))
        for row in await snapshot.fetch(_NEWEST, *columns)
    ]


async def _last_values(snapshot: Snapshot, asked: Sequence[tuple[Fed, Stretch]]) -> list[Sums]:
    return await _looked_up(snapshot, _LAST_READING, asked, _last_of)


async def _gains(snapshot: Snapshot, asked: Sequence[tuple[Fed, Stretch]]) -> list[Sums]:
    return await _looked_up(snapshot, _GAINED, asked, _gain_of)


async def _looked_up(
    snapshot: Snapshot, statement: str, asked: Sequence[tuple[Fed, Stretch]], read: Callable[[Row], Sums]
) -> list[Sums]:
    found = [Sums()] * len(asked)
    for row in await snapshot.fetch(statement, *stretch_columns(asked)):
        found[row["n"] - 1] = read(row)
    return found


def _last_of(row: Row) -> Sums:
    return Sums(1, last=row["value"], last_at=row["time"], evidence=str(row["recorded_seq"]))


def _gain_of(row: Row) -> Sums:
    return replace(_last_of(row), first=row["first"], before=row["before"])


_FRESHEST = f"""
SELECT q.feed, q.until, q.k, l.time
FROM (SELECT a.feed, a.until, a.k, $5::timestamptz AS since
      FROM unnest($2::text[], $3::timestamptz[], $4::bigint[]) AS a (feed, until, k)) q
CROSS JOIN LATERAL ({newest("r.time", ACCEPTED_THEN)}) l
"""


async def last_readings(snapshot: Snapshot, wanted: Iterable[FeedAt]) -> dict[FeedAt, datetime]:
    """The time of each feed's last accepted reading at (T, K)."""
    asked = sorted(set(wanted))
    if not asked:
        return {}
    columns = [list(column) for column in zip(*asked, strict=True)]
    rows = await snapshot.fetch(_FRESHEST, *columns, BEGINNING)
    return {(row["feed"], row["until"], row["k"]): row["time"] for row in rows}
