"""The rows of ``goal-ledger.organisation.v1``, as pydantic checks them. The guide is ``docs/guide/import.md``.

What a row leaves out is left as it is in the workspace; of a new thing it is the default. Unknown members are refused.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from goal_ledger_contracts.objective import PartValue
from pydantic import Field

from goal_ledger_command.api.measures import MeasureBody
from goal_ledger_command.api.values import Id, Number, Piece, Whole
from goal_ledger_command.api.workspace import PolicyBody
from goal_ledger_command.importing.when import LocalDay, When

FORMAT = "goal-ledger.organisation.v1"


class Happened(Piece):
    """When something happened. ``order``: its place in the record it comes from, where times alone do not tell."""

    at: When | None = None
    order: Whole | None = None
    reason: str | None = None


class DocumentRow(Piece):
    """``reason``: of each fact that comes of the row, where none is stated for that fact."""

    reason: str | None = None


class WorkspaceRow(DocumentRow):
    """The workspace imported into keeps its id and name; its time zone becomes this one."""

    id: str | None = None
    name: str | None = None
    time_zone: str | None = None


class UnitRow(DocumentRow):
    id: Id
    name: str
    parent: Id | None = None
    lead: Id | None = None
    waves: tuple[str, ...] = ()
    since: When | None = None
    closed: Happened | None = None


class Seat(Piece):
    unit: Id
    since: When | None = None


class PersonRow(DocumentRow):
    id: Id
    display_name: str
    units: tuple[Seat | str, ...] = ()
    since: When | None = None
    left: Happened | None = Field(default=None, description="The organisation. Needs the role admin too")


class OwnerRow(Piece):
    """A unit or person that other rows name and none lists. Not of the document: made on request."""

    kind: str
    id: str
    name: str
    since: When | None = None


class SystemRow(DocumentRow):
    id: str
    name: str
    retired: Happened | None = None


class FeedDefinition(Piece):
    kind: str
    unit: str | None = None
    interval: str | None = None
    low: Number | None = None
    high: Number | None = None
    description: str | None = None


class Redefinition(FeedDefinition):
    at: When | None = None
    reason: str | None = None


class RestartRow(Piece):
    """A counter began anew."""

    at: When
    base: Number = Decimal(0)
    order: Whole | None = None
    reason: str | None = None


class FeedRow(FeedDefinition, DocumentRow):
    name: Id
    system: str
    since: When | None = None
    redefinitions: tuple[Redefinition, ...] = ()
    restarts: tuple[RestartRow, ...] = ()


class Dates(Piece):
    start: LocalDay
    end: LocalDay


class CycleRow(DocumentRow):
    """Local dates, the end inclusive. ``first_dates``: those it was planned with, if they were ``moved``."""

    id: Id
    name: str
    start: LocalDay
    end: LocalDay
    parent: Id | None = None
    first_dates: Dates | None = None
    moved: Happened | None = None
    stage: Literal["planned", "open", "locked", "closed"] = "open"
    planned: Happened | None = None
    opened: Happened | None = None
    locked: Happened | None = None
    closed: Happened | None = None


class PolicyRow(DocumentRow):
    scope: str
    policy: PolicyBody
    effective_at: When | None = None


class MomentRow(DocumentRow):
    name: Id
    at: When
    order: Whole | None = None


class BindingRow(Piece):
    part: Id = "value"
    feed: Id
    aggregation: str
    bound: Happened | None = None
    unbound: Happened | None = None


class CommittedKeyResult(Piece):
    """What was otherwise at the activation: only the members stated."""

    text: str = ""
    description: str | None = None
    measure: MeasureBody | None = None
    weight: Number = Decimal(1)
    owner: str | None = None


class KeyResultRow(DocumentRow):
    """As it stands now; ``committed``: what was otherwise at the activation; ``changed``: when each was changed."""

    id: Id
    text: str
    description: str | None = None
    measure: MeasureBody
    weight: Number = Decimal(1)
    owner: str | None = None
    bindings: tuple[BindingRow, ...] = ()
    added: Happened | None = Field(default=None, description="Set if it was added after the activation")
    dropped: Happened | None = Field(
        default=None, description="Left out: it counts; dropped in the workspace, it is taken up again"
    )
    taken_up: Happened | None = Field(default=None, description="Again, after it was dropped")
    committed: CommittedKeyResult | None = None
    changed: dict[Literal["text", "measure", "weight", "owner"], Happened] = Field(default={})


class LinkRow(DocumentRow):
    """The last row of a parent is the link as it stands; those before it are what it was."""

    id: Id | None = None
    parent: str
    mode: str = "contributes"
    weight: Number = Decimal(1)
    linked: Happened | None = None
    ended: Happened | None = None


class ClosingRow(DocumentRow):
    outcome: str
    at: When | None = None
    order: Whole | None = None
    grade: Number | None = None
    suggested: Number | None = None
    retrospective: str | None = None
    author: str | None = None
    reopened: Happened | None = None


class CommittedObjective(Piece):
    """What was otherwise at the activation: only the members stated."""

    title: str = ""
    description: str | None = None
    owner: str = ""
    contributors: tuple[str, ...] = ()
    kind: str | None = None
    cycle: Id | None = None


class ObjectiveRow(DocumentRow):
    """As it stands now; without ``activated`` it stays a draft."""

    id: Id
    title: str
    owner: str
    description: str | None = None
    kind: str | None = None
    cycle: Id | None = None
    contributors: tuple[str, ...] = ()
    carried_from: Id | None = None
    drafted: Happened | None = None
    activated: Happened | None = None
    committed: CommittedObjective | None = None
    changed: dict[Literal["wording", "assignment", "kind", "cycle"], Happened] = Field(default={})
    key_results: tuple[KeyResultRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    closings: tuple[ClosingRow, ...] = ()
    archived: Happened | None = None


class ValueRow(Piece):
    part: Id = "value"
    value: Number | None = None
    done: tuple[str, ...] | None = None


class Said(Piece):
    """What a check-in says."""

    values: tuple[ValueRow, ...] = ()
    confidence: Number | None = None
    status: str | None = None
    method: str = "manual"
    author: str | None = None
    note: str | None = None
    blockers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    def part_values(self) -> tuple[PartValue, ...]:
        return tuple(PartValue(one.part, one.value, one.done) for one in self.values)


class EarlierSaid(Said):
    effective_at: When | None = None
    order: Whole | None = None
    reason: str | None = None


class CheckInRow(Said, DocumentRow):
    """On a key result or an objective. ``earlier``: what it said before each time that it was ``corrected``."""

    id: Id
    key_result: Id | None = None
    objective: Id | None = None
    effective_at: When | None = None
    order: Whole | None = None
    earlier: tuple[EarlierSaid, ...] = ()
    corrected: Happened | None = None
    retracted: Happened | None = None


class ReadingRow(DocumentRow):
    feed: Id
    source: str
    id: str
    time: When
    value: Number
    unit: str | None = None
    mode: str | None = None
    sequence: str | None = None
    order: Whole | None = None
    released: Happened | None = None


class KeyResultOfObjective(KeyResultRow):
    """A key result on its own, under an objective that the import need not hold."""

    objective: Id


NESTED: dict[str, type[DocumentRow]] = {"key_results": KeyResultRow, "links": LinkRow, "closings": ClosingRow}
"""Rows within an objective's: each is checked and reported on its own."""

ROWS: dict[str, type[DocumentRow]] = {
    "workspace": WorkspaceRow,
    "units": UnitRow,
    "people": PersonRow,
    "systems": SystemRow,
    "feeds": FeedRow,
    "cycles": CycleRow,
    "policies": PolicyRow,
    "moments": MomentRow,
    "objectives": ObjectiveRow,
    "key_results": KeyResultOfObjective,
    "check_ins": CheckInRow,
    "readings": ReadingRow,
}
"""Sections of the document, in the order in which they are taken; ``workspace`` is one object, the others are lists."""


def at_of(happened: Happened | None) -> datetime | None:
    return None if happened is None else happened.at


def reason_of(happened: Happened | None) -> str | None:
    return None if happened is None else happened.reason
