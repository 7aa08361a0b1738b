"""The goals that owe words at (T, K), with their rules and what persons said of them: what `duties.py` judges by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from goal_ledger_scoring.cadence import DueDate, before
from goal_ledger_scoring.policy import Rules

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.duties import LastWords, WordsOfGoal, is_spoken_for_by_feeds, waited_for
from goal_ledger_history.goals import Goal, PausedTimes
from goal_ledger_history.plan import CommonGround
from goal_ledger_history.protocols import Definitions, FeedAt, Values

_TICK = timedelta(microseconds=1)

DuesOf = Callable[[Rules], Sequence[DueDate]]
WordsByGoal = dict[str, dict[str | None, list[datetime]]]
LastWordsByGoal = dict[str, dict[str | None, datetime]]


class PersonsWords(Protocol):
    """When persons checked in, by the check-ins in force at (T, K)."""

    async def first_words(self, bounds: Sequence[datetime], at: AsOf, ids: Sequence[str]) -> WordsByGoal:
        """By goal and key result (None: on the goal itself) the first check-in from each bound to the next, in order."""

    async def last_words(self, key_results: Sequence[tuple[str, str | None]], at: AsOf) -> LastWordsByGoal:
        """The last check-in on each of these (objective, key result or None)."""


@dataclass(frozen=True, slots=True)
class Owing:
    """A goal that owes words. ``waited``: the key results that they are owed of. ``pauses``: when it was paused, and when its
    owner was on leave."""

    goal: Goal
    rules: Rules
    waited: tuple[str, ...]
    pauses: PausedTimes = ()

    @property
    def active_since(self) -> datetime:
        assert self.goal.activated_at is not None
        return self.goal.activated_at


async def owing(definitions: Definitions, at: AsOf, *, closed_too: bool = False) -> list[Owing]:
    """All active goals, by id. ``closed_too``: also those that were active once and are closed."""
    goals = (await definitions.goals(await definitions.versions_at(at, None))).values()
    background = definitions.background
    common = CommonGround(background, at)
    return [
        Owing(goal, common.rules(goal), waited_for(goal), background.pauses(goal, at.known_to, at.true_at))
        for goal in sorted(goals, key=lambda goal: goal.id)
        if goal.activated_at is not None and (goal.stage == "active" or (closed_too and goal.closing))
    ]


async def last_words(
    words: PersonsWords, values: Values, goals: Sequence[Owing], at: AsOf
) -> dict[str, LastWords]:
    """When somebody spoke last for each goal: persons, or its feeds where they count as word."""
    asked = [(one.goal.id, name) for one in goals for name in (None, *_key_results(one.goal))]
    found = await words.last_words(asked, at)
    fed = [one for one in goals if is_spoken_for_by_feeds(one.goal, one.rules)]
    read = await values.last_readings(_feeds(fed, [at.true_at], at.known_to))
    for one in fed:
        for name, time in _read_by(one.goal, read, at.true_at, at.known_to):
            of_goal = found.setdefault(one.goal.id, {})
            of_goal[name] = max(time, of_goal.get(name, time))
    return {one.goal.id: found.get(one.goal.id, {}) for one in goals}


@dataclass(frozen=True, slots=True)
class DuesOfGoal:
    """A goal's due dates in a row, each with the end of the one before, and the words since the first of these."""

    owing: Owing
    dues: Sequence[tuple[datetime, DueDate]]
    words: WordsOfGoal


async def told(
    words: PersonsWords, values: Values, goals: Iterable[Owing], dues_of: DuesOf, at: AsOf
) -> list[DuesOfGoal]:
    """Each goal with the due dates in a row that its rules give, and the words for them."""
    by_rules: defaultdict[tuple[object, ...], list[Owing]] = defaultdict(list)
    for one in goals:
        rules = one.rules
        key = (rules.time_zone, rules.cadence_weeks, rules.anchor_weekday, rules.grace_days)
        by_rules[key].append(one)
    found: list[DuesOfGoal] = []
    for many in by_rules.values():
        found += await _told_alike(words, values, many, dues_of(many[0].rules), at)
    return found


async def _told_alike(
    words: PersonsWords, values: Values, goals: list[Owing], dues: Sequence[DueDate], at: AsOf
) -> list[DuesOfGoal]:
    if not dues:
        return []
    bounds = [before(goals[0].rules, dues[0]).ends, *(one.ends for one in dues)]
    said = await words.first_words(bounds, at, [one.goal.id for one in goals])
    fed = [one for one in goals if is_spoken_for_by_feeds(one.goal, one.rules)]
    times = sorted({min(end - _TICK, at.true_at) for one in dues for end in (one.ends, one.grace_ends)})
    read = await values.last_readings(_feeds(fed, times, at.known_to))
    for one in fed:
        of_goal = said.setdefault(one.goal.id, {})
        for time in times:
            for name, heard in _read_by(one.goal, read, time, at.known_to):
                of_goal[name] = sorted({*of_goal.get(name, ()), heard})
    since = list(zip(bounds, dues, strict=False))
    return [DuesOfGoal(one, since, said.get(one.goal.id, {})) for one in goals]


def _key_results(goal: Goal) -> list[str]:
    return [one.id for one in goal.key_results if not one.dropped]


def _feeds(goals: Iterable[Owing], times: Iterable[datetime], known: int) -> list[FeedAt]:
    times = list(times)
    return [
        (bound.feed, time, known)
        for one in goals
        for of_it in one.goal.key_results
        for bound in of_it.bindings.values()
        for time in times
    ]


def _read_by(
    goal: Goal, read: dict[FeedAt, datetime], time: datetime, known: int
) -> Iterable[tuple[str, datetime]]:
    """The key results whose feeds were all read by then, each with the time since which all were."""
    for one in goal.key_results:
        each = [read.get((bound.feed, time, known)) for bound in one.bindings.values()]
        if not one.dropped and each and None not in each:
            yield one.id, min(heard for heard in each if heard is not None)
