"""Bounds that are instants: spans, due dates, stretches of a feed, each met exactly and one step off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from goal_ledger_contracts.measures import StayBetween
from goal_ledger_scoring import KeyResultInput, PartInput, cadence, score_key_result
from goal_ledger_scoring.aggregation import (
    COUNTER,
    GAUGE,
    FeedDefinition,
    Reading,
    Stretch,
    Sums,
    based,
    combine,
    stretches,
    sum_up,
    with_restarts,
)
from goal_ledger_scoring.policy import DEFAULTS
from goal_ledger_scoring.status import (
    FedPart,
    Word,
    is_fed_freshly,
    is_outdated,
    key_result_status,
    objective_status,
    stated_now,
)
from goal_ledger_scoring.windows import Span, plus

STEP = timedelta(microseconds=1)
START, END = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
MIDDLE = START + (END - START) / 2
RULES = replace(DEFAULTS, anchor_weekday=5, grace_days=2, time_zone="UTC")
RHYTHM = cadence.rhythm(RULES, datetime(2026, 3, 11, 12, tzinfo=UTC))
"""A Wednesday: Friday the 6th is over, and so are its days of grace."""


def d(text: str) -> Decimal:
    return Decimal(text)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine far from UTC."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_span_holds_its_start_and_not_its_end() -> None:
    assert [Span(START, END).holds(at) for at in (START - STEP, START, END - STEP, END)] == [
        False,
        True,
        True,
        False,
    ]
    assert Span(None, END).holds(START - STEP) and not Span(None, END).holds(END)
    assert Span(START, None).holds(END) and not Span(START, None).holds(START - STEP)


def test_a_stretch_holds_what_its_span_holds() -> None:
    stretch = Stretch(START, END, None, None)
    assert [stretch.holds(at) for at in (START - STEP, START, END - STEP, END)] == [False, True, True, False]


def test_what_is_due_matters_by_the_instant() -> None:
    assert RHYTHM.last_due_ends == RHYTHM.owed_ends == datetime(2026, 3, 7, tzinfo=UTC)
    assert RHYTHM.owed_since == datetime(2026, 2, 28, tzinfo=UTC)
    quiet = Word()
    assert is_outdated(quiet, RHYTHM, RHYTHM.owed_ends - STEP) and not is_outdated(
        quiet, RHYTHM, RHYTHM.owed_ends
    )
    assert is_outdated(Word(at=RHYTHM.owed_since - STEP), RHYTHM, START - timedelta(90))
    assert not is_outdated(Word(at=RHYTHM.owed_since), RHYTHM, START - timedelta(90))


def test_a_status_counts_from_the_last_due_date_on() -> None:
    assert stated_now(Word(START, "behind", RHYTHM.last_due_ends), RHYTHM) == "behind"
    assert stated_now(Word(START, "behind", RHYTHM.last_due_ends - STEP), RHYTHM) is None
    assert stated_now(Word(START, "behind", None), RHYTHM) is None
    assert stated_now(Word(START, None, END), RHYTHM) is None


def test_an_objective_without_key_results_is_outdated_or_pending() -> None:
    since = START - timedelta(90)
    assert objective_status(Word(), (), None, None, RHYTHM, since).shown == "outdated"
    assert objective_status(Word(at=RHYTHM.owed_since), (), None, None, RHYTHM, since).shown == "pending"
    assert objective_status(Word(), (), None, None, RHYTHM, None).shown == "pending"


def test_a_reading_is_fresh_to_the_end_of_its_interval() -> None:
    part = FedPart(START, "P1D")
    assert is_fed_freshly(part, RULES, START + timedelta(1))
    assert not is_fed_freshly(part, RULES, START + timedelta(1) + STEP)


def test_a_word_does_not_make_fresh_what_was_never_read() -> None:
    spoken = Word(at=RHYTHM.owed_since)
    old, never = FedPart(START - timedelta(60), "P1D"), FedPart(None, "P1D")
    fresh = {
        parts: key_result_status(spoken, parts, None, None, RHYTHM, START).fresh
        for parts in ((old,), (never,), (old, never), ())
    }
    assert fresh == {(old,): True, (never,): False, (old, never): False, (): True}


@pytest.mark.parametrize("weeks", [1, 2, 3, 4])
def test_due_dates_of_longer_rhythms_are_counted_from_the_first_monday(weeks: int) -> None:
    rules = replace(RULES, cadence_weeks=weeks, grace_days=0)
    for weekday in range(1, 8):
        due = cadence.last_passed(replace(rules, anchor_weekday=weekday), END).day
        monday = due - timedelta(due.isoweekday() - 1)
        assert due.isoweekday() == weekday
        assert ((monday - date(1, 1, 1)).days // 7) % weeks == 0
        assert 0 < (END.date() - due).days <= 7 * weeks


@pytest.mark.parametrize("grace", [0, 1, 6])
def test_grace_is_over_when_its_last_local_day_is(grace: int) -> None:
    rules = replace(RULES, grace_days=grace, time_zone="Europe/Oslo")
    due = cadence.last_passed(rules, datetime(2026, 3, 9, tzinfo=UTC))
    assert due.day == date(2026, 3, 6)
    assert cadence.last_passed(rules, due.grace_ends, with_grace=True).day == due.day
    assert cadence.last_passed(rules, due.grace_ends - STEP, with_grace=True).day == date(2026, 2, 27)


@pytest.mark.usefixtures("elsewhere")
def test_where_the_machine_stands_does_not_matter() -> None:
    rules = replace(RULES, grace_days=0)
    assert cadence.last_passed(rules, datetime(2026, 3, 6, 23, tzinfo=UTC)).day == date(2026, 2, 27)
    moved = plus(START, "P1DT1H", "Europe/Oslo")
    assert (moved, moved.tzinfo) == (START + timedelta(days=1, hours=1), UTC)


RESTARTED = [
    FeedDefinition(COUNTER, None),
    FeedDefinition(COUNTER, None, END),
    FeedDefinition(GAUGE, None, END + timedelta(7)),
]


def test_a_restart_cuts_the_definition_that_holds_its_instant() -> None:
    def cuts(*times: datetime) -> list[datetime | None]:
        return [one.since for one in with_restarts(RESTARTED, [(at, d("5")) for at in times])]

    gauge = END + timedelta(7)
    assert cuts(END - STEP) == [None, END - STEP, END, gauge]
    assert cuts(END) == [None, END, END, gauge]
    assert cuts(gauge - STEP) == [None, END, gauge - STEP, gauge]
    assert cuts(gauge) == [None, END, gauge]


def test_a_span_is_cut_where_a_feed_was_redefined() -> None:
    definitions = [
        FeedDefinition(GAUGE, "kg"),
        FeedDefinition(GAUGE, "g", MIDDLE),
        FeedDefinition(COUNTER, "g", END),
    ]
    beyond = Span(START, END + timedelta(7))
    assert [(one.start, one.end, one.unit) for one in stretches(definitions, beyond, "mean")] == [
        (START, MIDDLE, "kg"),
        (MIDDLE, END, "g"),
    ]
    assert [one.unit for one in stretches(definitions, Span(MIDDLE, END), "mean")] == ["g"]
    assert [(one.start, one.end) for one in stretches(definitions, Span(None, None), "last")] == [
        (None, MIDDLE),
        (MIDDLE, END),
    ]


def test_sums_say_what_they_rest_on() -> None:
    stretch = Stretch(START, END, None, None, base=d("3"))
    nothing = sum_up([], stretch, None, END)
    assert (nothing.count, nothing.before) == (0, d("3"))
    readings = [Reading(START, 1, d("10"), event_id="a"), Reading(MIDDLE, 2, d("12"), event_id="b")]
    summed = sum_up(readings, stretch, None, END)
    assert (summed.before, summed.evidence, summed.last_at) == (d("3"), "b", MIDDLE)
    found = combine("increase", [summed], feed="f")
    assert (found.value, found.at, found.evidence, found.feed) == (d("9"), MIDDLE, ("b",), "f")
    assert combine("increase", [nothing], feed="f") == PartInput(feed="f")


def test_the_base_of_a_restart_counts_where_nothing_was_read_before() -> None:
    based_on = Stretch(START, END, START, None, base=d("3"))
    assert based(Sums(1), based_on).before == d("3")
    assert based(Sums(1, before=d("7")), based_on).before == d("7")
    assert based(Sums(1), Stretch(START, END, START, None)) == Sums(1)


@pytest.mark.parametrize(
    ("value", "score"),
    [
        ("10", "1"),
        ("20", "1"),
        ("9", "0.5"),
        ("21", "0.5"),
        ("8", "0"),
        ("22", "0"),
        ("20.000001", "0.9999995"),
    ],
)
def test_between_two_limits_is_inclusive_and_falls_off_outside(value: str, score: str) -> None:
    measure = StayBetween(low=d("10"), high=d("20"), tolerance=d("2"))
    scored = score_key_result(KeyResultInput("kr", measure, values={"value": PartInput(d(value))}))
    assert (scored.id, scored.score) == ("kr", d(score))
