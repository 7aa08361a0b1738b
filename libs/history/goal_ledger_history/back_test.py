"""A status policy tried over goals that are closed: would it have warned, how early, and was it right."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.numbers import quotient
from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.status import AT_RISK, BEHIND, computed_status

from goal_ledger_history.followed import FollowedGoal

WARNINGS = {AT_RISK: frozenset({AT_RISK}), BEHIND: frozenset({AT_RISK, BEHIND})}
"""What counts as a warning, by the mildest status that does."""
VERDICTS = ("true_positive", "false_positive", "false_negative", "true_negative")


@dataclass(frozen=True, slots=True)
class TriedPolicy:
    """The members of the policy that are otherwise; None: as set."""

    on_track_points: Decimal | None = None
    behind_points: Decimal | None = None

    def over(self, rules: Rules) -> Rules:
        return replace(
            rules,
            on_track_points=rules.on_track_points if self.on_track_points is None else self.on_track_points,
            behind_points=rules.behind_points if self.behind_points is None else self.behind_points,
        )


@dataclass(frozen=True, slots=True)
class TriedGoal:
    """``warned_at``: the first due date with a warning; ``lead_days``: whole days from there to the closing."""

    followed: FollowedGoal
    short: bool
    warned_at: datetime | None
    facts: tuple[int, ...]

    @property
    def verdict(self) -> str:
        if self.warned_at is None:
            return "false_negative" if self.short else "true_negative"
        return "true_positive" if self.short else "false_positive"

    @property
    def lead_days(self) -> int | None:
        closing = self.followed.goal.closing
        return None if self.warned_at is None or closing is None else (closing.at - self.warned_at).days


@dataclass(frozen=True, slots=True)
class BackTest:
    """How many of each verdict; the share of warnings that were right, and of goals that fell short which were warned of
    (None: there were none); the mean lead of right warnings, in days."""

    counts: dict[str, int]
    precision: Decimal | None
    recall: Decimal | None
    mean_lead_days: Decimal | None


def tried(of: FollowedGoal, policy: TriedPolicy, warns: str, short: Collection[str]) -> TriedGoal:
    """One goal. ``warns``: a key of ``WARNINGS``; ``short``: outcomes that fall short."""
    under = policy.over(of.rules)
    for one in of.dues:
        if computed_status(one.expected, one.score, under) in WARNINGS[warns]:
            return TriedGoal(of, of.goal.outcome in short, one.at, one.facts)
    return TriedGoal(of, of.goal.outcome in short, None, ())


def summed_up(many: Iterable[TriedGoal]) -> BackTest:
    """All of them together."""
    goals = list(many)
    counts = {name: sum(one.verdict == name for one in goals) for name in VERDICTS}
    right, wrong, missed, _ = (counts[name] for name in VERDICTS)
    leads = [one.lead_days for one in goals if one.verdict == VERDICTS[0] and one.lead_days is not None]
    return BackTest(
        counts, _share(right, right + wrong), _share(right, right + missed), _share(sum(leads), len(leads))
    )


def _share(part: int, whole: int) -> Decimal | None:
    return quotient(Decimal(part), Decimal(whole)) if whole else None
