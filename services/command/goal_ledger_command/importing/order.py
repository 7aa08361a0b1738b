"""The order in which an import's steps are taken (docs/guide/import.md, "The order").

First what others refer to: units, people, systems, feeds, cycles, then the drafts of all objectives, key results,
bindings, links and policies. Then everything that has a time: by its place in the record it comes from (``order``),
else by its time. So a check-in comes before the closing that it was known at, and a goal that was aligned with a parent
after the parent's activation is no part of the parent's commitment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from goal_ledger_command.importing import steps_of_check_ins, steps_of_goals
from goal_ledger_command.importing import steps_of_organisation as organisation
from goal_ledger_command.importing.document import CheckInRow, ObjectiveRow, UnitRow
from goal_ledger_command.importing.rows import Row
from goal_ledger_command.importing.steps import Phase, Step

_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_STEPS: dict[str, Any] = {
    "workspace": organisation.of_workspace,
    "units": organisation.of_unit,
    "people": organisation.of_person,
    "systems": organisation.of_system,
    "feeds": organisation.of_feed,
    "cycles": organisation.of_cycle,
    "policies": organisation.of_policy,
    "moments": organisation.of_moment,
    "key_results": steps_of_goals.of_key_result,
    "readings": organisation.of_reading,
}
_ABOVE = {"units": "parent", "cycles": "parent", "objectives": "carried_from"}


def steps_in_order(rows: list[Row]) -> list[Step]:
    """All steps of the rows, each in its turn."""
    depths, activated = _depths(rows), _activations(rows)
    found: list[Step] = []
    for row in rows:
        depth = depths.get((row.section, getattr(row.item, "id", "")), 0)
        for step in _steps_of(row, activated):
            step.depth = depth
            found.append(step)
    keys = {id(step): _key(step, number) for number, step in enumerate(found)}
    return sorted(found, key=lambda step: keys[id(step)])


def _steps_of(row: Row, activated: Mapping[str, datetime]) -> Iterator[Step]:
    if isinstance(row.item, CheckInRow):
        yield from steps_of_check_ins.of_check_in(row.place, row.item, activated)
        return
    if isinstance(row.item, ObjectiveRow):
        yield from steps_of_goals.of_objective(row.place, row.item, row.places)
        return
    yield from _STEPS[row.section](row.place, row.item)
    if isinstance(row.item, UnitRow):
        yield from organisation.of_people_in_unit(row.place, row.item)


_SORTS = ("person", "unit", "system", "feed", "cycle")


def _key(step: Step, number: int) -> tuple[Any, ...]:
    if step.phase is Phase.TIMED:
        ordered = step.order is not None
        at = _BEGINNING if ordered else step.comes_at or _END
        return (step.phase, 0 if ordered else 1, step.order or 0, at, step.rank, number)
    if step.phase is Phase.POLICIES:
        return (step.phase, 0, 0, step.comes_at or _END, 0, number)
    kind = _SORTS.index(step.kind) if step.phase is Phase.ORGANISATION and step.kind in _SORTS else 0
    return (step.phase, kind, step.depth, _BEGINNING, 0, number)


def _depths(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """How many of its own kind lie above each unit, cycle and carried-over objective, within the import."""
    above = {
        (row.section, row.item.id): getattr(row.item, _ABOVE[row.section])  # type: ignore[attr-defined]
        for row in rows
        if row.section in _ABOVE
    }
    found: dict[tuple[str, str], int] = {}
    for section, id in above:
        depth, at, seen = 0, above[section, id], {id}
        while at is not None and at not in seen and (section, at) in above:
            seen.add(at)
            depth, at = depth + 1, above[section, at]
        found[section, id] = depth
    return found


def _activations(rows: Iterable[Row]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for row in rows:
        item = row.item
        if isinstance(item, ObjectiveRow) and item.activated is not None and item.activated.at is not None:
            found[f"objective/{item.id}"] = item.activated.at
            found |= {f"key-result/{one.id}": item.activated.at for one in item.key_results}
    return found
