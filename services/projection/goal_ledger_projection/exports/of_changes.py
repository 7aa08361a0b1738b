"""Datasets of what was done over time: goalpost moves, and who took part."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from decimal import Decimal
from typing import Any

import orjson
from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_history.goalposts import FLAGS
from goal_ledger_history.participation import Tally

from goal_ledger_projection.api.goalpost_moves import moves_written
from goal_ledger_projection.api.participation import Periods
from goal_ledger_projection.exports.arrow import batch_of_rows
from goal_ledger_projection.exports.pages import Again
from goal_ledger_projection.exports.pyarrow_later import pa
from goal_ledger_projection.exports.schemas import GOALPOST_MOVES
from goal_ledger_projection.history.changes_of_goals import ChangeOfGoal
from goal_ledger_projection.history.memberships import ALL, PILOTS, REST

MOVES_A_PAGE = 100
Json = dict[str, Any]
ExportRow = tuple[Any, ...]


async def pages_of_moves(changes: Sequence[ChangeOfGoal], again: Again) -> AsyncIterator[pa.Table]:
    """One row for each."""
    for at in range(0, len(changes), MOVES_A_PAGE):
        async with again() as view:
            items = await moves_written(view, changes[at : at + MOVES_A_PAGE])
        yield pa.Table.from_batches([batch_of_rows(GOALPOST_MOVES, [_move(one) for one in items])])


def _move(one: Json) -> ExportRow:
    return (
        *(one[name] for name in ("event_id", "seq", "objective", "key_result", "type")),
        *(parse_instant(one[name]) for name in ("at", "recorded_at")),
        *(one[name] for name in ("actor", "reason", "direction")),
        *(name in one["flags"] for name in FLAGS),
        *(_decimal(one[name]) for name in ("effect", "effect_committed")),
        *(orjson.dumps(one[name]).decode() for name in ("endorsed_by", "changes")),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def rows_of_participation(tallies: dict[str, list[Tally]], periods: Periods) -> Iterable[ExportRow]:
    """By group, then period. Of all, pilots and the rest also where nothing was due."""
    nothing = [Tally() for _ in periods.starts]
    others = sorted(
        tallies.keys() - {ALL, PILOTS, REST}, key=lambda name: (not name.startswith("wave/"), name)
    )
    for group in (ALL, PILOTS, REST, *others):
        for n, tally in enumerate(tallies.get(group, nothing)):
            yield (group, periods.starts[n], periods.end(n), *_tally(tally))


def _tally(one: Tally) -> ExportRow:
    counts = (one.due, one.on_time, one.late, one.missed, one.pending)
    return (*counts, one.rate, one.owners, one.owners_heard)
