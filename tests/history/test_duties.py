"""SPEC 6: what a due date asks for, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from goal_ledger_history.duties import WordsOfGoal, duty, heard_since, last_heard, silence
from goal_ledger_scoring import cadence
from goal_ledger_scoring.policy import DEFAULTS

RULES = replace(DEFAULTS, time_zone="Europe/Oslo", anchor_weekday=5, grace_days=2)
"""Due on Fridays; the clocks go forward on Sunday 29 March 2026, and back on 25 October."""


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


DUE = cadence.following(RULES, utc(3, 25))
TICK = timedelta(microseconds=1)


def test_due_dates_and_grace_end_with_their_local_days_also_where_clocks_change() -> None:
    assert (DUE.day, DUE.ends, DUE.grace_ends) == (date(2026, 3, 27), utc(3, 27, 23), utc(3, 29, 22))
    autumn = cadence.following(RULES, utc(10, 22))
    assert (autumn.ends, autumn.grace_ends) == (utc(10, 23, 22), utc(10, 25, 23))
    days = [one.day for one in cadence.between(RULES, DUE.ends - timedelta(7), DUE.ends)]
    assert days == [date(2026, 3, 27)]
    assert cadence.between(RULES, DUE.ends, DUE.ends + timedelta(6)) == []


@pytest.mark.parametrize(
    ("heard", "at", "state"),
    [
        (None, DUE.ends, "pending"),
        (None, DUE.grace_ends - TICK, "pending"),
        (None, DUE.grace_ends, "missed"),
        (DUE.ends - timedelta(7), DUE.ends, "on_time"),
        (DUE.ends - timedelta(7) - TICK, DUE.ends, "pending"),
        (DUE.ends - TICK, DUE.ends, "on_time"),
        (DUE.ends, DUE.grace_ends, "late"),
        (DUE.grace_ends - TICK, DUE.grace_ends, "late"),
        (DUE.grace_ends, DUE.grace_ends, "missed"),
    ],
)
def test_on_time_late_missed_pending(heard: datetime | None, at: datetime, state: str) -> None:
    words: WordsOfGoal = {} if heard is None else {None: [heard]}
    assert duty(DUE.ends - timedelta(7), DUE, words, ("a",), at).state == state


def test_word_is_whole_on_the_objective_or_on_all_that_is_waited_for() -> None:
    words: WordsOfGoal = {"a": [utc(3, 2), utc(3, 9)], "b": [utc(3, 4)]}
    assert heard_since(words, ("a", "b"), utc(3, 1)) == utc(3, 4)
    assert heard_since(words, ("a", "b"), utc(3, 5)) is None
    assert heard_since({**words, None: [utc(3, 3)]}, ("a", "b"), utc(3, 1)) == utc(3, 3)
    assert heard_since(words, (), utc(3, 1)) is None
    assert last_heard({"a": utc(3, 9), "b": utc(3, 4)}, ("a", "b")) == utc(3, 4)
    assert last_heard({"a": utc(3, 9)}, ("a", "b")) is None
    assert last_heard({"a": utc(3, 9), None: utc(3, 5)}, ("a", "b")) == utc(3, 5)


@pytest.mark.parametrize(
    ("active", "heard", "at", "missed"),
    [
        (utc(3, 2), None, utc(3, 8, 22, 59), 0),
        (utc(3, 2), None, utc(3, 8, 23), 1),
        (utc(3, 6, 23), None, utc(3, 8, 23), 0),
        (utc(3, 2), None, utc(3, 22, 23), 3),
        (utc(3, 2), utc(3, 4), utc(3, 22, 23), 2),
        (utc(3, 2), utc(3, 7), utc(3, 22, 23), 1),
        (utc(3, 2), utc(3, 20), utc(3, 22, 23), 0),
        (utc(3, 2), utc(1, 1), utc(3, 8, 23), 1),
    ],
)
def test_silence_counts_the_due_dates_missed_since_the_last_word(
    active: datetime, heard: datetime | None, at: datetime, missed: int
) -> None:
    found = silence(RULES, active, heard, at)
    assert (found.missed, found.is_silent) == (missed, missed > 0)
    assert found.since == (heard or active)


def test_a_longer_cadence_misses_less_often() -> None:
    fortnightly = replace(RULES, cadence_weeks=2)
    assert [silence(one, utc(1, 1), None, utc(3, 1)).missed for one in (RULES, fortnightly)] == [8, 4]
