"""What status is shown, first that holds (SPEC 5), by the due dates of SPEC 6."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from goal_ledger_contracts.workspace import Policy
from goal_ledger_scoring import cadence
from goal_ledger_scoring.policy import DEFAULTS, in_force
from goal_ledger_scoring.status import (
    FedPart,
    Status,
    Word,
    computed_status,
    key_result_status,
    objective_status,
    worst,
)

FRIDAY = datetime(2026, 3, 6, 12, tzinfo=UTC)
RULES = replace(DEFAULTS, anchor_weekday=5, grace_days=2)


SILENCE = Word()
THEN = cadence.rhythm(RULES, FRIDAY)


def ask(
    at: datetime, word: Word = SILENCE, fed: tuple[FedPart, ...] = (), computed: str | None = None
) -> Status:
    return key_result_status(word, fed, computed, None, cadence.rhythm(RULES, at), FRIDAY - timedelta(60))


def test_a_due_date_ends_with_its_local_day_and_its_grace_some_days_later() -> None:
    due = cadence.last_passed(RULES, FRIDAY + timedelta(1))
    assert (due.day, due.ends) == (date(2026, 3, 6), datetime(2026, 3, 7, tzinfo=UTC))
    assert due.grace_ends == datetime(2026, 3, 9, tzinfo=UTC)
    assert cadence.last_passed(RULES, FRIDAY).day == date(2026, 2, 27)
    assert cadence.last_passed(RULES, FRIDAY + timedelta(2), with_grace=True).day == date(2026, 2, 27)
    assert cadence.last_passed(RULES, due.grace_ends, with_grace=True).day == date(2026, 3, 6)
    assert cadence.following(RULES, FRIDAY).day == date(2026, 3, 6)


def test_a_longer_rhythm_has_the_same_weeks_for_everybody() -> None:
    every_third = replace(RULES, cadence_weeks=3)
    days = {cadence.last_passed(every_third, FRIDAY + timedelta(n)).day for n in range(63)}
    assert len(days) == 4 and all((a - min(days)).days % 21 == 0 for a in days)


@pytest.mark.parametrize(
    ("score", "within_risk", "expected"),
    [
        ("0.45", False, "on_track"),
        ("0.449999999999", False, "behind"),
        ("0.25", False, "behind"),
        ("0.249999999999", False, "at_risk"),
        ("0", True, "behind"),
        ("0.9", False, "on_track"),
    ],
)
def test_the_computed_status_follows_the_gap(score: str, within_risk: bool, expected: str) -> None:
    assert computed_status(Decimal("0.5"), Decimal(score), RULES, within_risk=within_risk) == expected


def test_without_a_score_it_is_not_measured_and_without_a_cycle_there_is_none() -> None:
    assert computed_status(Decimal("0.5"), None, RULES) == "not_measured"
    assert computed_status(None, Decimal("0.5"), RULES) is None


def test_silence_is_never_green() -> None:
    monday = FRIDAY + timedelta(3)
    long_ago = Word(FRIDAY - timedelta(8), "on_track", FRIDAY - timedelta(8))
    assert ask(monday, long_ago).shown == "outdated"
    assert ask(monday).shown == "outdated"
    assert ask(monday, computed="on_track").shown == "outdated"


def test_a_word_since_the_last_due_date_is_shown() -> None:
    said = Word(FRIDAY + timedelta(1), "behind", FRIDAY + timedelta(1))
    got = ask(FRIDAY + timedelta(3), said, computed="on_track")
    assert (got.shown, got.stated, got.computed) == ("behind", "behind", "on_track")


def test_after_a_due_date_an_earlier_word_is_pending_again_until_the_grace_is_over() -> None:
    said = Word(FRIDAY - timedelta(8), "on_track", FRIDAY - timedelta(8))
    assert ask(FRIDAY + timedelta(1), said).shown == "pending"
    assert ask(FRIDAY + timedelta(3), said).shown == "outdated"


def test_a_fresh_feed_shows_the_computed_status() -> None:
    monday = FRIDAY + timedelta(3)
    fresh, old = FedPart(monday - timedelta(hours=5), "P1D"), FedPart(monday - timedelta(2), "P1D")
    assert ask(monday, fed=(fresh,), computed="at_risk").shown == "at_risk"
    assert ask(monday, fed=(fresh, old), computed="at_risk").shown == "outdated"
    assert ask(monday, fed=(FedPart(None, "P1D"),), computed="not_measured").shown == "outdated"


def test_a_goal_just_activated_owes_nothing_yet() -> None:
    got = key_result_status(
        Word(), (), None, None, cadence.rhythm(RULES, FRIDAY + timedelta(4)), FRIDAY + timedelta(1)
    )
    assert got.shown == "pending"


def test_a_closed_objective_shows_its_outcome() -> None:
    assert objective_status(Word(), ["outdated"], None, None, THEN, None, "achieved").shown == "achieved"


def test_an_objective_shows_its_own_word_else_the_worst_of_its_key_results() -> None:
    monday = FRIDAY + timedelta(3)
    said = Word(monday, "on_track", monday)
    assert (
        objective_status(said, ["at_risk"], None, None, cadence.rhythm(RULES, monday), FRIDAY).shown
        == "on_track"
    )
    assert (
        objective_status(
            Word(), ["pending", "behind"], None, None, cadence.rhythm(RULES, monday), FRIDAY
        ).shown
        == "behind"
    )
    assert worst(["on_track", "pending", "outdated", "at_risk"]) == "outdated"


def test_the_nearest_policy_wins_field_by_field() -> None:
    rules = in_force([Policy(grace_days=0), Policy(grace_days=5, cadence_weeks=2)], "Europe/Oslo")
    assert (rules.grace_days, rules.cadence_weeks, rules.time_zone, rules.roll_up) == (
        0,
        2,
        "Europe/Oslo",
        "key_results",
    )
