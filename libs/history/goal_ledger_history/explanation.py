"""The derivation of a score, a raw value or a status: what it was computed from, down to the facts (SPEC 5 "Explain").

A derivation is a list of nodes; a node names those that it depends on by their place in the list, so that what counts
twice is told once. Facts are named by their seq (:class:`Cited`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.measures import Measure

AMENDED, COMMITTED = "amended", "committed"
WEIGHTED_MEAN = "weighted_mean"
"""(Σ weight x score) / Σ weight, rounded once."""


class Cited(int):
    """The seq of a fact that something rests on."""


@dataclass(slots=True)
class CountedIn:
    """A child in a mean. ``weight_by``: the fact that gave it the weight."""

    ref: str
    node: int | None
    weight: Decimal
    weight_by: Cited | None
    score: Decimal


@dataclass(slots=True)
class NotCounted:
    """A child that is left out, and why. ``because``: the fact that makes it so, where it is one."""

    ref: str
    node: int | None
    why: str
    because: Cited | None


@dataclass(slots=True)
class Quotient:
    """Two exact numbers; ``rounded``: their quotient has more than 12 places."""

    numerator: Decimal
    denominator: Decimal
    rounded: bool


@dataclass(slots=True)
class PolicyInForce:
    scope: str
    set_by: Cited


@dataclass(slots=True)
class ObjectiveNode:
    """The roll-up of an objective. ``true_at``, ``known_to``: the moment it is scored at; of a closed one the closing."""

    objective: str
    side: str
    true_at: datetime
    known_to: int
    score: Decimal | None
    defined_by: Cited
    kept_by: Cited | None
    roll_up: str
    policies: list[PolicyInForce]
    formula: str = WEIGHTED_MEAN
    quotient: Quotient | None = None
    counted: list[CountedIn] = field(default_factory=list)
    left_out: list[NotCounted] = field(default_factory=list)


@dataclass(slots=True)
class WindowSeen:
    """A part's window as it is seen at the moment. ``moment_by``: the fact that says when the moment was."""

    start: datetime | None
    end: datetime | None
    moment: str | None
    waiting_for: str | None
    moment_by: Cited | None


@dataclass(slots=True)
class ReadingCited:
    """``role``: last, first, before (the stretch), max, min or counted. ``counts_from``: the fact since which it counts,
    where that is not the one that holds it."""

    role: str
    time: datetime
    value: Decimal
    recorded_by: Cited
    counts_from: Cited | None


@dataclass(slots=True)
class StretchSeen:
    """A part's span under one definition of the feed. ``base``: what a restarted counter counts from."""

    start: datetime | None
    end: datetime | None
    unit: str | None
    base: Decimal | None
    count: int | None
    total: Decimal | None
    readings: list[ReadingCited]


@dataclass(slots=True)
class FedBy:
    """``defined_by``: the feed's definition and what told of its counter's restarts."""

    feed: str
    aggregation: str
    bound_by: Cited
    defined_by: list[Cited]
    stretches: list[StretchSeen]


@dataclass(slots=True)
class PartNode:
    """``value`` is ``numerator / denominator`` of its readings where it is a mean. ``said_by``: check-ins."""

    part: str
    formula: str
    unit: str | None
    value: Decimal | None
    divisor: int
    done: list[str] | None
    value_at: datetime | None
    said_by: list[Cited]
    passed_over: bool
    window: WindowSeen | None
    fed: FedBy | None
    raw: Decimal | None
    score: Decimal | None
    clamped: bool
    state: str
    zone: str | None
    within_risk: bool
    quotient: Quotient | None


@dataclass(slots=True)
class KeyResultNode:
    """``measure_by``: the fact that set the measure; ``baseline_by``: those that found what the commitment lacked."""

    key_result: str
    objective: str
    formula: str
    measure: Measure
    measure_by: Cited
    baseline_by: list[Cited]
    raw: Decimal | None
    score: Decimal | None
    beyond: Decimal | None
    clamped: bool
    reached: bool | None
    mean: Decimal | None
    bottleneck: str | None
    state: str
    quotient: Quotient | None = None
    parts: list[PartNode] = field(default_factory=list)
    counted: list[CountedIn] = field(default_factory=list)
    left_out: list[NotCounted] = field(default_factory=list)


@dataclass(slots=True)
class FeedSeen:
    """When a feed was read last, and how often that is expected (none: within the rhythm)."""

    feed: str
    last_at: datetime | None
    interval: str | None


@dataclass(slots=True)
class StatusOf:
    ref: str
    status: str


@dataclass(slots=True)
class StatusNode:
    """How a status came about. ``decided_by``: closed, outdated, stated, computed, pending or worst_of_key_results.

    ``expected``: the share of [``start``, ``end``) that has gone at ``at``. ``gap``: (expected - score) x 100.
    """

    shown: str
    decided_by: str
    at: datetime
    closed_by: Cited | None
    stated: str | None
    stated_at: datetime | None
    stated_by: Cited | None
    last_check_in_at: datetime | None
    last_check_in_by: Cited | None
    active_since: datetime | None
    last_due_ends: datetime
    owed_since: datetime
    owed_ends: datetime
    outdated: bool
    fresh: bool | None
    feeds: list[FeedSeen]
    computed: str | None
    start: datetime | None
    end: datetime | None
    cycle_by: Cited | None
    expected: Decimal | None
    score: Decimal | None
    gap: Decimal | None
    within_risk: bool
    on_track_points: Decimal
    behind_points: Decimal
    policies: list[PolicyInForce]
    key_results: list[StatusOf]


@dataclass(slots=True)
class Explanation:
    """``amended``, ``committed``: the nodes that the two scores are; None: there is none."""

    score: Decimal | None
    score_committed: Decimal | None
    amended: int
    committed: int | None
    status: StatusNode
    nodes: list[ObjectiveNode | KeyResultNode]
