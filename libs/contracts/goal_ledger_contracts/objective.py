"""Facts of the stream ``objective/<id>``: the objective with its key results, links, check-ins and comments.

References are written ``person/<id>``, ``unit/<id>``, ``objective/<id>``, ``key-result/<id>``, ``check-in/<id>``.
These names and fields are stored for ever and published.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from goal_ledger_contracts.measures import Measure
from goal_ledger_contracts.personal import Personal, personal


@dataclass(frozen=True, slots=True)
class ObjectiveDrafted:
    """``owner`` is a unit or a person; ``carried_from`` the objective whose lineage it continues."""

    title: str
    owner: str
    description: str | None = None
    kind: str | None = None
    cycle: str | None = None
    contributors: tuple[str, ...] = ()
    carried_from: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveReworded:
    title: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveAssigned:
    owner: str
    contributors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KindGiven:
    """``committed`` or ``aspirational``."""

    kind: str


@dataclass(frozen=True, slots=True)
class PutInCycle:
    cycle: str


@dataclass(frozen=True, slots=True)
class MovedToCycle:
    cycle: str


@dataclass(frozen=True, slots=True)
class ObjectiveAligned:
    """``parent`` is ``objective/<id>`` or ``key-result/<id>``; ``mode`` is contributes (counted) or supports (shown)."""

    link: str
    parent: str
    mode: str
    weight: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class ObjectiveUnaligned:
    link: str
    parent: str


@dataclass(frozen=True, slots=True)
class ObjectiveActivated:
    """From here the definition is the commitment."""


@dataclass(frozen=True, slots=True)
class ObjectiveClosed:
    """``outcome``: achieved, partial, missed, dropped or postponed. ``suggested`` is what the score suggested."""

    outcome: str
    grade: Decimal | None = None
    suggested: Decimal | None = None
    author: str | None = None
    retrospective: Personal | None = personal(default=None)


@dataclass(frozen=True, slots=True)
class ObjectiveReopened:
    pass


@dataclass(frozen=True, slots=True)
class ObjectivePaused:
    """Owes no words until it is resumed or closed; its definition and scores stay as they are."""


@dataclass(frozen=True, slots=True)
class ObjectiveResumed:
    """Owes words again."""


@dataclass(frozen=True, slots=True)
class CarriedThing:
    """What became of one thing of a goal that was carried over: ``taken``, ``changed`` or ``left_behind``.

    ``thing``: its path in the old goal (``title``, ``key_results/<id>/window``, ``links/<parent>``); ``into``: what it
    became, where that has a name of its own; ``why``: a code.
    """

    thing: str
    became: str
    into: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveCarriedOver:
    """``into`` is the new objective, in ``cycle``; ``things``: what became of each."""

    into: str
    cycle: str | None = None
    things: tuple[CarriedThing, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectiveArchived:
    pass


@dataclass(frozen=True, slots=True)
class ChangeEndorsed:
    """Another person stands behind the change recorded as fact ``change`` (an event id of this stream)."""

    change: str


@dataclass(frozen=True, slots=True)
class CommentAdded:
    """``on`` is the objective or one of its check-ins."""

    comment: str
    on: str
    author: str | None = None
    text: Personal = personal(default="")


@dataclass(frozen=True, slots=True)
class KudosGiven:
    kudos: str
    on: str
    author: str | None = None
    text: Personal | None = personal(default=None)


@dataclass(frozen=True, slots=True)
class KeyResultAdded:
    """``carried_from`` is the key result whose lineage it continues."""

    key_result: str
    text: str
    measure: Measure
    weight: Decimal = Decimal(1)
    owner: str | None = None
    description: str | None = None
    carried_from: str | None = None


@dataclass(frozen=True, slots=True)
class KeyResultReworded:
    """The whole wording: without a description it has none from here on."""

    key_result: str
    text: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class MeasureChanged:
    """The whole new measure: target, baseline, band, steps, window, unit or kind."""

    key_result: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class KeyResultWeightChanged:
    key_result: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class KeyResultOwnerChanged:
    key_result: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class PartBound:
    """The part's value comes from ``feed`` by ``aggregation``: last, max, mean, min, sum, count or increase (a counter's)."""

    key_result: str
    part: str
    feed: str
    aggregation: str


@dataclass(frozen=True, slots=True)
class PartUnbound:
    key_result: str
    part: str


@dataclass(frozen=True, slots=True)
class KeyResultDropped:
    key_result: str


@dataclass(frozen=True, slots=True)
class KeyResultTakenUp:
    """The dropped key result counts again: the same one, its history unbroken."""

    key_result: str


@dataclass(frozen=True, slots=True)
class PartValue:
    """The value of one part, or the complete list of a checklist's steps done."""

    part: str
    value: Decimal | None = None
    done: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CheckInRecorded:
    """On a key result, or on the objective (``key_result`` None). When it was true is the fact's ``effective_at``.

    ``confidence`` 0–1 in steps of 0.1; ``status``: on_track, behind or at_risk; ``method``: measured, estimated, manual
    or imputed; ``author`` is set in an import: the person whose word and text it is.
    """

    check_in: str
    key_result: str | None = None
    values: tuple[PartValue, ...] = ()
    confidence: Decimal | None = None
    status: str | None = None
    method: str = "manual"
    after_closing: bool = False
    author: str | None = None
    note: Personal | None = personal(default=None)
    blockers: tuple[Personal, ...] = personal(default=())
    evidence: tuple[Personal, ...] = personal(default=())


@dataclass(frozen=True, slots=True)
class CheckInCorrected:
    """The whole new content of the check-in, also another ``effective_at`` (the fact's)."""

    check_in: str
    key_result: str | None = None
    values: tuple[PartValue, ...] = ()
    confidence: Decimal | None = None
    status: str | None = None
    method: str = "manual"
    after_closing: bool = False
    author: str | None = None
    note: Personal | None = personal(default=None)
    blockers: tuple[Personal, ...] = personal(default=())
    evidence: tuple[Personal, ...] = personal(default=())


@dataclass(frozen=True, slots=True)
class CheckInRetracted:
    """Retracted; it cannot come back."""

    check_in: str
    key_result: str | None = None
