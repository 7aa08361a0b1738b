"""What the scoring functions are given: definitions with the values in force, already looked up for one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.measures import Measure

from goal_ledger_scoring.numbers import ONE

KEY_RESULTS, ALIGNED, BOTH = "key_results", "aligned", "both"
DRAFT, ACTIVE, CLOSED, ARCHIVED = "draft", "active", "closed", "archived"
LEFT_OUT_OUTCOMES = frozenset({"dropped", "postponed"})


@dataclass(slots=True)
class PartInput:
    """The value in force of one part: ``value / divisor`` exactly (a mean has its count as divisor), or steps done.

    ``waiting_for``: the moment the part's window waits for. ``incomparable``: a later value exists under another unit
    or kind and does not count. ``evidence``: event ids the value comes from. ``feed``: the feed it is bound to.
    """

    value: Decimal | None = None
    divisor: int = 1
    done: tuple[str, ...] | None = None
    at: datetime | None = None
    evidence: tuple[str, ...] = ()
    feed: str | None = None
    waiting_for: str | None = None
    incomparable: bool = False

    @property
    def measured(self) -> bool:
        return self.value is not None or self.done is not None


NOTHING = PartInput()


@dataclass(slots=True)
class KeyResultInput:
    """A key result's definition and the values of its parts. ``dropped``: left out of the roll-up."""

    id: str
    measure: Measure
    weight: Decimal = ONE
    values: Mapping[str, PartInput] = field(default_factory=dict)
    dropped: bool = False


@dataclass(slots=True)
class ChildLink:
    """An objective aligned with a parent: counted if it contributes, only shown if it supports.

    ``key_result``: the parent's key result it is linked to; None: the parent objective itself. ``seq``: the fact that
    made the link. ``in_loop``: it would let its parent count in itself (:func:`score_tree` finds such links).
    """

    child: str
    contributes: bool = True
    weight: Decimal = ONE
    key_result: str | None = None
    seq: int = 0
    in_loop: bool = False


@dataclass(slots=True)
class ScoreAtClosing:
    """The score that a closed objective keeps; ``score`` None: it closed unmeasured. ``feeds``: how often each feed was
    counted beneath it, where its children are not given."""

    score: Decimal | None
    feeds: Mapping[str, int] | None = None


@dataclass(slots=True)
class GoalInput:
    """An objective in one set of definitions (as committed, or as amended).

    ``kept``: set when it is closed. ``committed`` False in the committed set: it was never activated, so it has no
    commitment and no score there. ``activated_seq``: the fact that activated it first; 0: none.
    """

    id: str
    key_results: tuple[KeyResultInput, ...] = ()
    children: tuple[ChildLink, ...] = ()
    roll_up: str = KEY_RESULTS
    state: str = ACTIVE
    outcome: str | None = None
    kept: ScoreAtClosing | None = None
    committed: bool = True
    activated_seq: int = 0
