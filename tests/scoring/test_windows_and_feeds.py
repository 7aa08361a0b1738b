"""Windows on the local calendar, and what a feed's readings come to in them."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from goal_ledger_contracts.measures import Window
from goal_ledger_scoring.aggregation import (
    FeedDefinition,
    Reading,
    combine,
    stretches,
    sum_up,
    with_restarts,
)
from goal_ledger_scoring.expected import expected_score
from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.numbers import shown_mean
from goal_ledger_scoring.windows import ALWAYS, Span, cycle_span, parse_duration, plus, resolve

OSLO = "Europe/Oslo"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-01-31T11:00:00", "P1M", "2026-02-28T11:00:00"),
        ("2024-01-31T11:00:00", "P1M", "2024-02-29T11:00:00"),
        ("2026-03-15T11:00:00", "P1M", "2026-04-15T10:00:00"),
        ("2026-03-28T11:00:00", "P1D", "2026-03-29T10:00:00"),
        ("2026-03-28T11:00:00", "PT24H", "2026-03-29T11:00:00"),
        ("2026-03-28T01:30:00", "P1D", "2026-03-29T01:30:00"),
        ("2026-10-24T00:30:00", "P1D", "2026-10-25T00:30:00"),
        ("2026-12-31T11:00:00", "P1Y2M1W", "2028-03-07T11:00:00"),
    ],
)
def test_durations_are_added_on_the_local_calendar(start: str, duration: str, end: str) -> None:
    assert plus(at(start), duration, OSLO) == at(end)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "1M", "P-1M", "P1.5D", "P1M2Y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_a_cycle_is_local_days_with_the_last_one_inside() -> None:
    span = cycle_span(date(2026, 1, 1), date(2026, 3, 31), OSLO)
    assert span == Span(at("2025-12-31T23:00:00"), at("2026-03-31T22:00:00"))


def test_a_window_waits_for_its_moment() -> None:
    window, launch = Window(moment="launch", duration="P1M"), at("2026-02-01T08:00:00")
    open_ = Span(launch, at("2026-03-01T08:00:00"))
    assert resolve(window, {}, OSLO, launch) == Span(waiting_for="launch")
    assert resolve(window, {"launch": launch}, OSLO, launch - timedelta(seconds=1)) == Span(
        waiting_for="launch"
    )
    assert resolve(window, {"launch": launch}, OSLO, launch) == open_
    assert resolve(None, {}, OSLO, launch) is ALWAYS


def test_the_expected_score_is_the_exact_share_of_time_gone() -> None:
    span = Span(at("2026-01-01T00:00:00"), at("2026-01-04T00:00:00"))
    assert expected_score(span, at("2026-01-02T00:00:00")) == Decimal("0.333333333333")
    assert expected_score(span, at("2025-01-02T00:00:00")) == 0
    assert expected_score(span, at("2027-01-02T00:00:00")) == 1
    assert expected_score(None, at("2027-01-02T00:00:00")) is None


NOON = at("2026-02-01T12:00:00")


NEVER = NOON + timedelta(1000)


def day(n: int) -> datetime:
    return NOON + timedelta(n)


def readings(*values: str, first_day: int = 0, unit: str | None = None) -> list[Reading]:
    return [
        Reading(day(first_day + i), i, Decimal(v), unit, f"e{first_day + i}") for i, v in enumerate(values)
    ]


def value(
    aggregation: str,
    given: list[Reading],
    span: Span = ALWAYS,
    *definitions: FeedDefinition,
    unit: str | None = None,
    now: datetime = NEVER,
) -> PartInput:
    kinds = {"increase": "counter", "sum": "event_count", "count": "event_count"}
    known = definitions or (FeedDefinition(kinds.get(aggregation, "gauge"), None),)
    cut = stretches(known, span, aggregation)
    return combine(aggregation, [sum_up(given, one, unit, now) for one in cut])


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("last", "4"), ("max", "9"), ("min", "4"), ("sum", "20"), ("count", "3"), ("increase", "-3")],
)
def test_each_aggregation_of_the_readings_in_the_window(aggregation: str, expected: str) -> None:
    got = value(aggregation, readings("100", "7", "9", "4", "200"), Span(day(1), day(4)))
    base = Decimal(expected) if aggregation != "increase" else Decimal(4) - 100
    assert got.value == base


def test_a_mean_is_kept_as_a_quotient_and_shown_with_six_places() -> None:
    got = value("mean", readings("1", "1", "0"))
    assert (got.value, got.divisor) == (Decimal(2), 3)
    assert got.value is not None and shown_mean(got.value, got.divisor) == Decimal("0.666667")


def test_a_counter_starts_from_the_last_value_before_the_window_else_from_the_first_in_it() -> None:
    counted = readings("100", "150", "400")
    assert value("increase", counted, Span(day(1), None)).value == 300
    assert value("increase", counted, Span(day(0), None)).value == 300
    assert value("increase", counted[:2], Span(day(0), None)).value == 50


def test_no_accepted_reading_in_the_window_is_no_value_for_counts_too() -> None:
    for aggregation in ("last", "mean", "increase", "sum", "count"):
        assert value(aggregation, readings("5"), Span(day(1), None)).value is None


def test_readings_after_the_asked_moment_are_not_seen() -> None:
    assert value("last", readings("5", "6", "7"), now=day(1)).value == 6


def test_only_readings_in_the_parts_unit_count() -> None:
    mixed = [*readings("5", unit="kg"), *readings("900", first_day=1, unit="g"), *readings("7", first_day=2)]
    assert value("max", mixed, ALWAYS, FeedDefinition("gauge", "kg"), unit="kg").value == 7


def test_without_a_unit_anywhere_only_readings_without_one_count() -> None:
    mixed = [*readings("5"), *readings("900", first_day=1, unit="g"), *readings("7", first_day=2)]
    assert value("mean", mixed).value == 12


def test_a_redefinition_breaks_the_series_and_a_counters_segments_add_up() -> None:
    old, new = FeedDefinition("counter", None), FeedDefinition("counter", None, day(3))
    counted = readings("100", "150", "160", "5", "25")
    assert value("increase", counted, Span(day(1), None), old, new).value == 60 + 20


def test_a_restart_cuts_a_counter_and_the_segment_from_it_on_counts_from_its_base() -> None:
    counted = readings("100", "150", "160", "5", "25")
    (counter,) = known = [FeedDefinition("counter", None)]
    assert with_restarts(known, []) == [counter]
    from_day_3 = with_restarts(known, [(day(3), Decimal(2))])
    assert value("increase", counted, Span(day(1), None), *from_day_3).value == 60 + 23
    assert value("increase", counted, Span(day(4), None), *from_day_3).value == 20
    between = Span(day(3) + timedelta(hours=1), None)
    earlier = with_restarts(known, [(day(3) - timedelta(hours=1), Decimal(2))])
    assert value("increase", [*counted[:3], counted[4]], between, *earlier).value == 23
    assert value("increase", counted, Span(day(5), None), *from_day_3).value is None


def test_restarts_cut_only_counters_and_each_within_its_definition() -> None:
    gauge, counter = FeedDefinition("gauge", None), FeedDefinition("counter", None, day(3))
    cut = with_restarts([gauge, counter], [(day(4), Decimal(1)), (day(2), Decimal(0)), (day(3), Decimal(5))])
    assert cut == [
        gauge,
        counter,
        FeedDefinition("counter", None, day(3), Decimal(5)),
        FeedDefinition("counter", None, day(4), Decimal(1)),
    ]


def test_a_stretch_of_a_kind_that_the_aggregation_does_not_fit_is_left_out() -> None:
    old, new = FeedDefinition("gauge", None), FeedDefinition("event_count", None, day(2))
    given = readings("100", "150", "1", "1")
    assert value("sum", given, ALWAYS, old, new).value == 2
    assert value("last", given, ALWAYS, old, new).value == 150


def test_a_later_recorded_reading_wins_at_the_same_time_and_arrival_does_not_matter() -> None:
    given = [Reading(day(0), 1, Decimal(5)), Reading(day(0), 2, Decimal(6)), *readings("1", first_day=-1)]
    for _ in range(5):
        random.shuffle(given)
        assert value("last", given).value == 6
