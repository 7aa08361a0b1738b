"""Which readings the value of a fed part comes from, answered from the table `readings`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from goal_ledger_history.behind import BEFORE, COUNTED, FIRST, READINGS_MAX, Behind, Deciding, StretchBehind
from goal_ledger_history.protocols import Fed
from goal_ledger_scoring.aggregation import COUNT, INCREASE, LAST, MAX, MEAN, MIN, SUM, Reading, Stretch
from goal_ledger_scoring.numbers import ZERO

from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.history.stretches import ACCEPTED, STRETCH, stretch_columns

_INSIDE = "r.time >= q.since AND r.time <= q.until"
_NEWEST = "r.time DESC, r.seq DESC"
_LISTED = """
SELECT q.n::int AS n, l.* FROM {stretch}
CROSS JOIN LATERAL (SELECT r.time, r.seq, r.value, r.unit, r.recorded_seq FROM readings r
                    WHERE {accepted} AND {where} ORDER BY {order} LIMIT {limit}) l
"""
_COUNTED = f"""
SELECT q.n::int AS n, s.* FROM {STRETCH}
CROSS JOIN LATERAL (SELECT count(*) AS count, sum(r.value) AS total FROM readings r WHERE {ACCEPTED} AND {_INSIDE}) s
"""


def _listed(order: str, limit: int = 1, where: str = _INSIDE) -> str:
    return _LISTED.format(stretch=STRETCH, accepted=ACCEPTED, where=where, order=order, limit=limit)


_ROLES = {
    LAST: _listed(_NEWEST),
    FIRST: _listed("r.time, r.seq"),
    BEFORE: _listed(_NEWEST, where="r.time >= q.opened AND r.time < q.since AND r.time <= q.until"),
    MAX: _listed(f"r.value DESC, {_NEWEST}"),
    MIN: _listed(f"r.value, {_NEWEST}"),
    COUNTED: _listed(_NEWEST, READINGS_MAX),
}
_ROLES_OF = {LAST: (LAST,), INCREASE: (LAST, FIRST, BEFORE), MAX: (MAX,), MIN: (MIN,)}

_Asked = list[tuple[Fed, Stretch]]


async def readings_behind(snapshot: Snapshot, wanted: Sequence[Fed]) -> list[Behind]:
    """As `goal_ledger_history.protocols.Values.behind`."""
    asked = [(one, stretch) for one in wanted for stretch in one.stretches]
    deciding = await _deciding(snapshot, asked)
    counts = await _counts(snapshot, asked)
    made = iter(
        [
            StretchBehind(stretch, tuple(deciding[n]) if _counts_any(deciding[n]) else (), *counts.get(n, ()))
            for n, (_, stretch) in enumerate(asked)
        ]
    )
    return [tuple(next(made) for _ in one.stretches) for one in wanted]


def _counts_any(deciding: Sequence[Deciding]) -> bool:
    """A reading before the stretch alone decides nothing."""
    return any(one.role != BEFORE for one in deciding)


async def _deciding(snapshot: Snapshot, asked: _Asked) -> list[list[Deciding]]:
    found: list[list[Deciding]] = [[] for _ in asked]
    for role, statement in _ROLES.items():
        some = [n for n, (one, _) in enumerate(asked) if role in _ROLES_OF.get(one.aggregation, (COUNTED,))]
        if not some:
            continue
        for row in await snapshot.fetch(statement, *stretch_columns([asked[n] for n in some])):
            reading = Reading(row["time"], row["seq"], row["value"], row["unit"], str(row["recorded_seq"]))
            found[some[row["n"] - 1]].append(Deciding(role, reading))
    return found


async def _counts(snapshot: Snapshot, asked: _Asked) -> dict[int, tuple[int, Decimal]]:
    some = [n for n, (one, _) in enumerate(asked) if one.aggregation in (MAX, MIN, MEAN, SUM, COUNT)]
    if not some:
        return {}
    rows = await snapshot.fetch(_COUNTED, *stretch_columns([asked[n] for n in some]))
    return {some[row["n"] - 1]: (row["count"], row["total"] or ZERO) for row in rows}
