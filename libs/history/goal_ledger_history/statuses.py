"""The last step to a standing: expected scores, and what status is shown (SPEC 5 "Status").

A tree asks only what is shown of each key result; how that came about is worked out when one is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from goal_ledger_scoring.cadence import Rhythm, rhythm
from goal_ledger_scoring.expected import expected_score
from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.results import GoalScore
from goal_ledger_scoring.status import (
    FedPart,
    Status,
    computed_status,
    gap_points,
    is_fresh,
    key_result_status,
    objective_status,
    shown_for_key_result,
)
from goal_ledger_scoring.windows import Span

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Background
from goal_ledger_history.gathering import Gathering, Ground, unit_of
from goal_ledger_history.goals import Goal, KeyResult
from goal_ledger_history.last_check_ins import (
    NO_CHECK_IN,
    CheckInsBetween,
    CheckInsHoweverOld,
    LastCheckIn,
    LastCheckIns,
)
from goal_ledger_history.plan import Plan
from goal_ledger_history.protocols import FeedAt

LastReadings = dict[FeedAt, datetime]


@dataclass(frozen=True, slots=True)
class ScoredTree:
    """Goals with all that count in them: plans, and scores as amended and as committed, by objective."""

    plans: Mapping[str, Plan]
    amended: Mapping[str, GoalScore]
    committed: Mapping[str, GoalScore]


@dataclass(slots=True)
class KeyResultStanding:
    expected: Decimal | None
    status: Status
    said: LastCheckIn


@dataclass(slots=True)
class Standing:
    """One objective at the moment. ``shown``: the status shown of each key result. ``added_later``: key results that did
    not exist yet (``before_it_existed.py``). ``tree``: what it was scored with, if it was asked for by its id."""

    plan: Plan
    expected: Decimal | None
    amended: GoalScore
    as_committed: GoalScore
    status: Status
    said: LastCheckIn
    shown: dict[str, str]
    rhythm: Rhythm
    statuses: Statuses
    added_later: tuple[KeyResult, ...] = ()
    tree: ScoredTree | None = None

    @property
    def goal(self) -> Goal:
        return self.plan.goal

    @property
    def defined(self) -> Goal:
        return self.plan.defined

    @property
    def committed(self) -> Goal | None:
        return self.plan.committed

    @property
    def moment(self) -> AsOf:
        return self.plan.moment

    @property
    def rules(self) -> Rules:
        return self.plan.rules

    @property
    def cycle(self) -> Span | None:
        return self.plan.cycle

    @property
    def owing_since(self) -> datetime | None:
        """Since when word is owed."""
        return self.statuses.owing_since(self.plan, self.rhythm)

    def added_key_result(self, id: str) -> KeyResult | None:
        """A key result that was added later."""
        return next((one for one in self.added_later if one.id == id), None)

    def unit_of(self, one: KeyResult, part: str) -> str | None:
        """The unit of a part of one of its key results."""
        return self.statuses.unit_of(one, part)

    def key_result(self, one: KeyResult) -> KeyResultStanding:
        """Expected score and status of one of its key results, with how the status came about."""
        return self.statuses.of_key_result(self, one)


_rhythm = lru_cache(maxsize=4096)(rhythm)


def check_ins_between(plan: Plan) -> CheckInsBetween:
    """The check-ins that statuses depend on: those since the due dates that they look at."""
    moment = plan.moment
    now = _rhythm(plan.rules, moment.true_at)
    return CheckInsBetween(
        plan.goal.id, min(now.owed_since, now.last_due_ends), moment.true_at, moment.known_to
    )


def check_ins_however_old(plan: Plan) -> CheckInsHoweverOld:
    """The last check-ins, however old; a stated status is forgotten at the next due date."""
    moment = plan.moment
    key_results = tuple(one.id for one in plan.defined.key_results)
    since = _rhythm(plan.rules, moment.true_at).last_due_ends
    return CheckInsHoweverOld(plan.goal.id, key_results, since, moment.true_at, moment.known_to)


def _same_dues(one: Rhythm, other: Rhythm) -> bool:
    return (
        one.rules is other.rules
        and one.last_due_ends == other.last_due_ends
        and one.owed_ends == other.owed_ends
        and one.owed_since == other.owed_since
    )


class Statuses:
    """What statuses are computed from, for all goals of one answer."""

    def __init__(
        self, background: Background, gathering: Gathering, said: LastCheckIns, fed: LastReadings
    ) -> None:
        self.background, self._gathering, self._said, self._fed = background, gathering, said, fed
        self._expected: dict[tuple[Span | None, datetime], Decimal | None] = {}

    def owing_since(self, plan: Plan, now: Rhythm) -> datetime | None:
        """Since when word is owed: the activation; where it is paused at the end of the last due date, after that."""
        at = plan.moment
        pauses = self.background.pauses(plan.goal, at.known_to, at.true_at)
        if any(one.holds_before(now.owed_ends) for one in pauses):
            return now.owed_ends
        return plan.goal.activated_at

    def hear(self, more: LastCheckIns) -> None:
        """Also this was said."""
        self._said = {**self._said, **more}

    def standing(
        self, plan: Plan, amended: GoalScore, committed: GoalScore, unchanged: Standing | None = None
    ) -> Standing:
        """Of one objective. ``unchanged``: its standing at an earlier moment, since when it has no new facts or values;
        then its statuses change only when a due date passes."""
        goal, at = plan.goal, plan.moment.true_at
        now = _rhythm(plan.rules, at)
        expected = self._expected_at(plan.cycle, at)
        computed = computed_status(expected, amended.score, plan.rules)
        gap = gap_points(expected, amended.score)
        if unchanged is not None and _same_dues(now, unchanged.rhythm):
            before = unchanged.status
            status = Status(before.shown, before.stated, computed, gap)
            return Standing(
                plan, expected, amended, committed, status, unchanged.said, unchanged.shown, now, self
            )
        closed = goal.outcome if plan.is_closed else None
        shown = {one.id: self._shown(plan, one, amended, expected, now) for one in plan.defined.key_results}
        said = self._said.get((goal.id, None), NO_CHECK_IN)
        of_key_results = [shown[one.id] for one in plan.defined.key_results if not one.dropped]
        since = self.owing_since(plan, now)
        status = objective_status(said.word, of_key_results, computed, gap, now, since, closed)
        return Standing(plan, expected, amended, committed, status, said, shown, now, self)

    def of_key_result(self, standing: Standing, one: KeyResult) -> KeyResultStanding:
        """Of one key result."""
        plan = standing.plan
        expected = self._expected_of(plan, one, standing.expected)
        score = standing.amended.key_results[one.id]
        said = self._said.get((plan.goal.id, one.id), NO_CHECK_IN)
        status = key_result_status(
            said.word,
            self.fed_parts(one, plan.moment),
            computed_status(expected, score.score, plan.rules, within_risk=score.within_risk),
            gap_points(expected, score.score),
            standing.rhythm,
            standing.owing_since,
        )
        return KeyResultStanding(expected, status, said)

    def expected_span(self, plan: Plan, one: KeyResult) -> Span | None:
        """Over the windows of its parts if every part has one, else over the cycle."""
        ground = Ground(plan.goal.id, plan.moment, plan.cycle, plan.rules.time_zone)
        return self._gathering.expected_span(one, ground)

    def unit_of(self, one: KeyResult, part: str) -> str | None:
        """That of the measure, else the feed's at the binding."""
        return unit_of(self.background, one.parts[part], one.bindings.get(part))

    def _shown(
        self, plan: Plan, one: KeyResult, amended: GoalScore, of_goal: Decimal | None, now: Rhythm
    ) -> str:
        word = self._said.get((plan.goal.id, one.id), NO_CHECK_IN).word
        fresh = bool(one.bindings) and is_fresh(self.fed_parts(one, plan.moment), now)

        def computed() -> str | None:
            score = amended.key_results[one.id]
            expected = self._expected_of(plan, one, of_goal)
            return computed_status(expected, score.score, plan.rules, within_risk=score.within_risk)

        return shown_for_key_result(word, fresh, computed, now, self.owing_since(plan, now))

    def _expected_at(self, span: Span | None, at: datetime) -> Decimal | None:
        key = (span, at)
        if key not in self._expected:
            self._expected[key] = expected_score(span, at)
        return self._expected[key]

    def _expected_of(self, plan: Plan, one: KeyResult, of_goal: Decimal | None) -> Decimal | None:
        span = self.expected_span(plan, one)
        return of_goal if span is plan.cycle else self._expected_at(span, plan.moment.true_at)

    def fed_parts(self, one: KeyResult, moment: AsOf) -> tuple[FedPart, ...]:
        """When each feed of a key result was read last, and how often that is expected."""
        found = []
        for bound in one.bindings.values():
            interval = self.background.feed_interval(bound.feed, moment.known_to, moment.true_at)
            found.append(FedPart(self._fed.get((bound.feed, moment.true_at, moment.known_to)), interval))
        return tuple(found)
