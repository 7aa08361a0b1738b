"""Attention flags: habits of following a goal that deserve a word, never grades. Pure functions of
:class:`followed.FollowedGoal`; the formulas and where they come from are in docs/guide/habits.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.numbers import ONE, ZERO, quotient, subtract
from goal_ledger_scoring.status import ON_TRACK, OUTDATED

from goal_ledger_history.followed import HALF_PERCENT, TAIL_PERCENT, FollowedGoal, GoalSeen, percent_of

WATERMELON, FROZEN, HOCKEY_STICK = "watermelon", "frozen", "hockey_stick"
SANDBAG, FELL_OFF = "sandbag", "fell_off"
FLAGS = (WATERMELON, FROZEN, HOCKEY_STICK, SANDBAG, FELL_OFF)

BEHIND_POINTS = Decimal(25)
IN_A_ROW, STILL_IN_A_ROW = 2, 4
TAIL_SHARE = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class AttentionFlag:
    """``at``: when it first held. ``value``: points behind, due dates, or a share of the progress. ``facts``: the seqs of
    the facts it rests on."""

    flag: str
    at: datetime
    value: Decimal
    facts: tuple[int, ...]


def attention_flags(of: FollowedGoal) -> list[AttentionFlag]:
    """In the order of ``FLAGS``."""
    found = (_watermelon(of), _frozen(of), _hockey_stick(of), _sandbag(of), _fell_off(of))
    return [one for one in found if one is not None]


def _watermelon(of: FollowedGoal) -> AttentionFlag | None:
    """Green outside, red within: stated on track while at least 25 points behind, at two due dates in a row."""
    for row in _rows(of.dues, IN_A_ROW):
        gaps = [one.gap for one in row if one.stated == ON_TRACK]
        behind = [gap for gap in gaps if gap is not None and gap >= BEHIND_POINTS]
        if len(behind) == IN_A_ROW:
            return _flag(WATERMELON, row, behind[-1])
    return None


def _frozen(of: FollowedGoal) -> AttentionFlag | None:
    """The same score below 1 at four due dates in a row."""
    for row in _rows(of.dues, STILL_IN_A_ROW):
        score = row[0].score
        if score is not None and score < ONE and all(one.score == score for one in row):
            return _flag(FROZEN, row, Decimal(STILL_IN_A_ROW))
    return None


def _hockey_stick(of: FollowedGoal) -> AttentionFlag | None:
    """At least half of the progress in the last 15 % of the cycle, once that is over."""
    measured = [one for one in of.seen if one.score is not None]
    tail = [one for one in measured if one.at <= percent_of(of.span, TAIL_PERCENT)]
    if not tail or measured[-1].at < percent_of(of.span, TAIL_PERCENT + 1):
        return None
    first, last = measured[0].score or ZERO, measured[-1].score or ZERO
    whole = subtract(last, first)
    if whole <= ZERO:
        return None
    share = quotient(subtract(last, tail[-1].score or ZERO), whole)
    return _flag(HOCKEY_STICK, [tail[-1], measured[-1]], share) if share >= TAIL_SHARE else None


def _sandbag(of: FollowedGoal) -> AttentionFlag | None:
    """A score of 1 before half time."""
    half = percent_of(of.span, HALF_PERCENT)
    for one in of.seen:
        if one.at < half and one.score is not None and one.score >= ONE:
            return _flag(SANDBAG, [one], one.score)
    return None


def _fell_off(of: FollowedGoal) -> AttentionFlag | None:
    """Outdated at the last two due dates, and not at an earlier one."""
    silent = [one.shown == OUTDATED for one in of.dues]
    if len(silent) <= IN_A_ROW or not all(silent[-IN_A_ROW:]) or all(silent):
        return None
    many = next(n for n, one in enumerate(reversed(silent)) if not one)
    return _flag(FELL_OFF, of.dues[-many:], Decimal(many))


def _rows(dues: Sequence[GoalSeen], many: int) -> Iterator[Sequence[GoalSeen]]:
    """So many in a row, the earliest first."""
    for n in range(len(dues) - many + 1):
        yield dues[n : n + many]


def _flag(name: str, row: Sequence[GoalSeen], value: Decimal) -> AttentionFlag:
    facts = sorted({seq for one in row for seq in one.facts})
    return AttentionFlag(name, row[-1].at, value, tuple(facts))
