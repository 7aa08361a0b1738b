"""The order in which an import's steps are taken (docs/guide/import.md, "The order").

First what others refer to: units, people, systems, feeds, cycles, then the drafts of all objectives, key results,
bindings, links and policies. Then everything that has a time: by its place in the record it comes from (``order``),
else by its time. So a check-in comes before the closing that it was known at, and a goal that was aligned with a parent
after the parent's activation is no part of the parent's commitment. Where rows stand in the file decides nothing: of
things of the same time those with the lesser id come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from goal_ledger_command.importing import owners, steps_of_check_ins, steps_of_goals, steps_of_key_results
from goal_ledger_command.importing import steps_of_organisation as organisation
from goal_ledger_command.importing.document import Happened, ObjectiveRow
from goal_ledger_command.importing.lives import NO_LIFE, Life
from goal_ledger_command.importing.rows import ImportRow
from goal_ledger_command.importing.steps import ImportStep, Phase, Rank

_BEGINNING, _END = "", "9"
_STEPS: dict[str, Any] = {
    "workspace": organisation.workspace_steps,
    "units": organisation.unit_steps,
    "people": organisation.person_steps,
    "systems": organisation.system_steps,
    "feeds": organisation.feed_steps,
    "cycles": organisation.cycle_steps,
    "policies": organisation.policy_steps,
    "moments": organisation.moment_steps,
    "readings": organisation.reading_steps,
    "check_ins": steps_of_check_ins.check_in_steps,
    "owners": owners.owner_steps,
}
_OF_GOALS: dict[str, Any] = {
    "objectives": steps_of_goals.objective_steps,
    "key_results": steps_of_key_results.key_result_steps,
    "links": steps_of_goals.link_steps,
    "closings": steps_of_goals.closing_steps,
}
ABOVE = {"units": "parent", "cycles": "parent", "objectives": "carried_from"}
"""What lies above a row of its own kind, and so comes before it."""


class Turn(NamedTuple):
    """When a timed step's turn comes."""

    is_unordered: int
    order: int
    at: str


class RowOrder(NamedTuple):
    """Steps are taken in the order of their keys."""

    phase: int
    sort: int
    depth: int
    turn: Turn
    rank: int
    tie: str


class Notes(Protocol):
    """What the rows of the import say that the steps of other rows depend on."""

    def life(self, objective: str) -> Life | None: ...
    def added(self, key_result: str) -> tuple[str, Happened | None] | None: ...
    def depth(self, name: str) -> int: ...
    def said(self, on: str, since: datetime, until: datetime) -> datetime | None: ...


def steps_of(row: ImportRow, notes: Notes) -> Iterator[ImportStep]:
    """The row's steps, the same ones whenever they are asked for."""
    if row.section in _OF_GOALS:
        objective = row.item.id if isinstance(row.item, ObjectiveRow) else row.of
        yield from _OF_GOALS[row.section](row, notes.life(objective) or NO_LIFE, notes.said)
        return
    yield from _STEPS[row.section](row.item)


def turn_of(happened: Happened, at: datetime | None = None, *, without: str = _END) -> Turn:
    """``at``: when it comes if no time is stated."""
    if happened.order is not None:
        return Turn(0, happened.order, _BEGINNING)
    when = happened.at or at
    return Turn(1, 0, without if when is None else when.astimezone(UTC).isoformat(timespec="microseconds"))


@dataclass(frozen=True, slots=True)
class Openings:
    """When what the import creates or activates can be met by other steps."""

    notes: Notes

    def of(self, name: str) -> Turn | None:
        """``key-result/<id>``: when it is there, if it is added after the activation; ``open/<either>``: for check-ins."""
        what, _, rest = name.partition("/")
        if what == "key-result":
            _, added = self.notes.added(rest) or ("", None)
            return None if added is None else turn_of(added, self._activated(rest))
        if what != "open":
            return None
        kind, _, id = rest.partition("/")
        if kind == "objective":
            return self._activation(id)
        objective, _ = self.notes.added(id) or ("", None)
        turns = [turn for turn in (self.of(rest), self._activation(objective)) if turn is not None]
        return max(turns, default=None)

    def _activation(self, objective: str) -> Turn | None:
        life = self.notes.life(objective)
        if life is None or life.activation is None:
            return None
        return turn_of(life.activation, life.activated, without=_BEGINNING)

    def _activated(self, key_result: str) -> datetime | None:
        objective, _ = self.notes.added(key_result) or ("", None)
        return (self.notes.life(objective) or NO_LIFE).activated


def key_of(step: ImportStep, row: ImportRow, notes: Notes) -> RowOrder:
    """What a step waits for makes it come later, never earlier."""
    openings = Openings(notes)
    opened = max((turn for name in step.after if (turn := openings.of(name)) is not None), default=None)
    phase, rank = step.phase, step.rank
    own = turn_of(Happened.model_construct(at=step.comes_at, order=step.order))
    if opened is not None and phase < Phase.TIMED:
        phase, own = Phase.TIMED, opened
    if phase is Phase.TIMED:
        if opened is not None and opened >= own:
            own, rank = opened, rank if rank > Rank.ACTIVATION else Rank.CHECK_IN
        return RowOrder(phase, 0, 0, own, rank, f"{row.kind} {row.id}")
    turn = own if phase is Phase.POLICIES else Turn(0, 0, _BEGINNING)
    return RowOrder(phase, step.sort, notes.depth(row.names[0]), turn, 0, "")


def above(row: ImportRow) -> str | None:
    """The name of what lies above the row's thing."""
    if row.section not in ABOVE:
        return None
    found = getattr(row.item, ABOVE[row.section])
    return None if found is None else f"{row.kind}/{found}"
