"""The bounds of times, durations and policies, met from both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from goal_ledger_contracts.workspace import Policy, PolicySet
from goal_ledger_domain import durations, limits, times
from goal_ledger_domain.policy import SetPolicy
from goal_ledger_domain.refusals import Refusal
from support.given_when_then import given, meta


@pytest.mark.parametrize("year", [limits.TIME_MIN_YEAR, limits.TIME_MAX_YEAR])
def test_the_first_and_the_last_year_are_in_range(year: int) -> None:
    at, day = datetime(year, 6, 1, tzinfo=UTC), date(year, 6, 1)
    assert (times.instant(at, "at"), times.day(day, "start")) == (at, day)


@pytest.mark.parametrize("year", [limits.TIME_MIN_YEAR - 1, limits.TIME_MAX_YEAR + 1])
def test_the_years_beside_them_are_not(year: int) -> None:
    for stated in (
        lambda: times.instant(datetime(year, 6, 1, tzinfo=UTC), "at"),
        lambda: times.day(date(year, 6, 1), "at"),
    ):
        with pytest.raises(Refusal) as refused:
            stated()
        assert refused.value.code == "time_out_of_range"


LONGEST_DAYS = limits.DURATION_MAX_YEARS * 366
"""A year counts 366 days, a month 31: what may be at its longest."""


@pytest.mark.parametrize(
    ("longest", "too_long"),
    [
        (f"P{limits.DURATION_MAX_YEARS}Y", f"P{limits.DURATION_MAX_YEARS}YT1S"),
        (f"P{LONGEST_DAYS // 31}M", f"P{LONGEST_DAYS // 31 + 1}M"),
        (f"P{LONGEST_DAYS // 7}W", f"P{LONGEST_DAYS // 7 + 1}W"),
        (f"P{LONGEST_DAYS}D", f"P{LONGEST_DAYS}DT1S"),
        (f"PT{LONGEST_DAYS * 24}H", f"PT{LONGEST_DAYS * 24 + 1}H"),
        (f"PT{LONGEST_DAYS * 1440}M", f"PT{LONGEST_DAYS * 1440 + 1}M"),
        (f"P{LONGEST_DAYS - 1}DT86400S", f"P{LONGEST_DAYS - 1}DT86401S"),
    ],
    ids=["years", "months", "weeks", "days", "hours", "minutes", "seconds"],
)
def test_each_unit_of_a_duration_counts_what_it_lasts(longest: str, too_long: str) -> None:
    assert durations.duration(longest, "interval") == longest
    with pytest.raises(Refusal, match="at most"):
        durations.duration(too_long, "interval")


@pytest.mark.parametrize("shortest", ["PT1S", "P0DT1S", "P0Y1D"])
def test_anything_longer_than_nothing_is_a_duration(shortest: str) -> None:
    assert durations.duration(shortest, "interval") == shortest


@pytest.mark.parametrize("nothing", ["P0Y", "P0M", "P0W", "P0D", "PT0H", "PT0M", "PT0S", "P", "PT", ""])
def test_nothing_is_none(nothing: str) -> None:
    with pytest.raises(Refusal, match="longer than nothing"):
        durations.duration(nothing, "interval")


def test_the_first_policy_of_a_scope_is_revision_one_also_when_another_scope_has_more() -> None:
    record = given()
    for grace in (1, 2, 3):
        record.told(SetPolicy(meta(reason="R"), "workspace", Policy(grace_days=grace)))
    last = record.when(SetPolicy(meta(reason="R"), "workspace", Policy(behind_points=Decimal(30))))
    last.then(PolicySet("workspace", 4, Policy(behind_points=Decimal(30))))


def test_an_empty_first_policy_is_nothing_new_and_emptying_one_is_a_revision() -> None:
    given().when(SetPolicy(meta(reason="R"), "workspace", Policy())).then_nothing_new()
    record = given().told(SetPolicy(meta(reason="R"), "workspace", Policy(grace_days=1)))
    record.when(SetPolicy(meta(reason="R"), "workspace", Policy())).then(PolicySet("workspace", 2, Policy()))
