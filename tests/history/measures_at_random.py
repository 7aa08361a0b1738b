"""Measures of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from goal_ledger_contracts.measures import (
    Aligned,
    Checklist,
    Compound,
    Decrease,
    DoneOrNot,
    Increase,
    Measure,
    Part,
    Ranged,
    Reach,
    Simple,
    StayAbove,
    StayBelow,
    StayBetween,
    Step,
    Window,
)

UNITS = (None, None, None, None, None, "kg", "g")
JANUARY = datetime(2026, 1, 5, tzinfo=UTC)


def measure(random: Random, *, aligned: bool = False, like: Measure | None = None) -> Measure:
    """Any; ``like``: rather of that kind, with the same parts."""
    if isinstance(like, Compound):
        return _compound(random)
    if like is not None:
        same_kind = random.random() < 0.7
        return _simple(random, like.kind if same_kind else None)
    if aligned and random.random() < 0.2:
        return Aligned()
    return _compound(random) if random.random() < 0.2 else _simple(random)


def _compound(random: Random) -> Compound:
    parts = tuple(Part(id, _simple(random), Decimal(random.choice(("1", "3")))) for id in ("a", "b"))
    return Compound(random.choice(("all", "any", "at_least", "weighted")), parts, random.choice((1, 2)))


def _simple(random: Random, kind: str | None = None) -> Simple:
    chosen = kind or random.choice(("increase", "increase", "increase", *_MAKE))
    made: Simple = _MAKE[chosen](random, window=_window(random))
    return made


def _window(random: Random) -> Window | None:
    match random.randrange(9):
        case 0:
            start = JANUARY + timedelta(days=random.randint(0, 20))
            return Window(start, random.choice((None, start + timedelta(days=15))))
        case 1:
            return Window(moment="launch", duration=random.choice((None, "P1M", "P10D")))
    return None


def _number(random: Random, low: int, high: int) -> Decimal:
    return Decimal(random.randint(low * 4, high * 4)) / 4


def _unit(random: Random) -> str | None:
    return random.choice(UNITS)


def _increase(random: Random, **more: Any) -> Increase:
    baseline = random.choice((None, *[_number(random, -3, 4)] * 4))
    return Increase(_number(random, 5, 15), baseline, _unit(random), **more)


def _decrease(random: Random, **more: Any) -> Decrease:
    baseline = random.choice((None, *[_number(random, 10, 20)] * 4))
    return Decrease(_number(random, 0, 9), baseline, _unit(random), **more)


def _reach(random: Random, **more: Any) -> Reach:
    return Reach(_number(random, 5, 15), _number(random, 16, 20), _unit(random), **more)


def _below(random: Random, **more: Any) -> StayBelow:
    return StayBelow(_number(random, 0, 8), random.choice((None, Decimal(12))), _unit(random), **more)


def _above(random: Random, **more: Any) -> StayAbove:
    return StayAbove(_number(random, 6, 12), random.choice((None, Decimal(2))), _unit(random), **more)


def _between(random: Random, **more: Any) -> StayBetween:
    tolerance = random.choice((None, Decimal(4)))
    return StayBetween(_number(random, 0, 4), _number(random, 5, 9), tolerance, _unit(random), **more)


def _checklist(random: Random, **more: Any) -> Checklist:
    return Checklist(tuple(Step(id, id, Decimal(random.randint(1, 3))) for id in "xyz"), **more)


def _done(_: Random, **more: Any) -> DoneOrNot:
    return DoneOrNot(**more)


def _ranged(random: Random, **more: Any) -> Ranged:
    edges = [Decimal(0), Decimal(3), Decimal(7), Decimal(11)]
    if random.random() < 0.3:
        edges.reverse()
    return Ranged(*edges, unit=_unit(random), **more)


_MAKE: dict[str, Any] = {
    "increase": _increase,
    "decrease": _decrease,
    "reach": _reach,
    "stay_below": _below,
    "stay_above": _above,
    "stay_between": _between,
    "checklist": _checklist,
    "done_or_not": _done,
    "ranged": _ranged,
}
