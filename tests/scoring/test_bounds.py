"""Each bound of the scoring functions is met from both sides: one step off, and the answer is another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from goal_ledger_contracts.measures import Compound, Increase, Part, Ranged, StayAbove, StayBelow
from goal_ledger_scoring import KeyResultInput, PartInput, cadence, score_key_result
from goal_ledger_scoring.inputs import NOTHING
from goal_ledger_scoring.numbers import beyond, clamped, displayed, quotient, shown_mean, weighted_mean
from goal_ledger_scoring.policy import DEFAULTS
from goal_ledger_scoring.results import KeyResultScore, PartScore
from goal_ledger_scoring.status import Word, key_result_status

STEP = Decimal("0.000000000001")
FRIDAY = datetime(2026, 3, 6, 12, tzinfo=UTC)
RULES = replace(DEFAULTS, anchor_weekday=5, grace_days=2)


def d(text: str) -> Decimal:
    return Decimal(text)


def part(score: str | None, *, within_risk: bool = False) -> PartScore:
    value = None if score is None else d(score)
    return PartScore(value, value, "measured" if score else "not_measured", NOTHING, within_risk=within_risk)


def key_result(**parts: PartScore) -> KeyResultScore:
    return KeyResultScore("kr", None, None, None, "measured", parts)


def test_within_risk_asks_every_part_that_is_not_reached() -> None:
    risky, reached, missed, unmeasured = part("0", within_risk=True), part("1"), part("0"), part(None)
    assert key_result(a=risky).within_risk
    assert key_result(a=risky, b=reached).within_risk
    assert not key_result(a=risky, b=missed).within_risk
    assert not key_result(a=risky, b=unmeasured).within_risk
    assert not key_result(a=reached).within_risk
    assert not key_result().within_risk
    assert not key_result(a=risky, b=part(str(1 - STEP))).within_risk


@pytest.mark.parametrize(
    ("measure", "value", "score", "within_risk"),
    [
        (StayBelow(limit=d("10"), risk=d("12")), "10", 1, False),
        (StayBelow(limit=d("10"), risk=d("12")), "10.000001", 0, True),
        (StayBelow(limit=d("10"), risk=d("12")), "12", 0, True),
        (StayBelow(limit=d("10"), risk=d("12")), "12.000001", 0, False),
        (StayAbove(limit=d("10"), risk=d("8")), "10", 1, False),
        (StayAbove(limit=d("10"), risk=d("8")), "9.999999", 0, True),
        (StayAbove(limit=d("10"), risk=d("8")), "8", 0, True),
        (StayAbove(limit=d("10"), risk=d("8")), "7.999999", 0, False),
        (StayBelow(limit=d("10")), "11", 0, False),
    ],
)
def test_limit_and_risk_value_are_inclusive(
    measure: StayBelow | StayAbove, value: str, score: int, within_risk: bool
) -> None:
    scored = score_key_result(KeyResultInput("kr", measure, values={"value": PartInput(d(value))}))
    assert (scored.score, scored.within_risk) == (score, within_risk)


FALLING = Ranged(baseline=d("40"), commit=d("30"), target=d("20"), stretch=d("10"))
RISING = Ranged(baseline=d("10"), commit=d("20"), target=d("30"), stretch=d("40"))


@pytest.mark.parametrize(
    ("falling", "raw", "zone"),
    [
        ("45", "-0.15", "fail"),
        ("40", "0", "fail"),
        ("30.000001", "0.29999997", "fail"),
        ("30", "0.3", "commit"),
        ("20.000001", "0.69999996", "commit"),
        ("20", "0.7", "target"),
        ("10.000001", "0.99999997", "target"),
        ("10", "1", "stretch"),
        ("5", "1.15", "stretch"),
    ],
)
def test_a_range_that_falls_mirrors_one_that_rises(falling: str, raw: str, zone: str) -> None:
    rising = d("50") - d(falling)
    for measure, value in ((FALLING, d(falling)), (RISING, rising)):
        scored = score_key_result(KeyResultInput("kr", measure, values={"value": PartInput(value)}))
        assert (scored.raw, scored.parts["value"].zone) == (d(raw), zone)


def test_fresh_needs_a_word_that_is_not_outdated() -> None:
    """A word makes it fresh only if there is one and it is not outdated: neither alone is enough."""
    rhythm, active = cadence.rhythm(RULES, FRIDAY + timedelta(20)), FRIDAY - timedelta(60)
    old, new = Word(at=FRIDAY - timedelta(20)), Word(at=FRIDAY + timedelta(19))
    asked = [(new, active, True), (old, active, False), (Word(), active, False), (Word(), None, False)]
    for word, active_since, fresh in asked:
        assert key_result_status(word, (), None, None, rhythm, active_since).fresh is fresh
    assert key_result_status(old, (), None, None, rhythm, None).fresh is True


def test_clamping_and_what_lies_beyond() -> None:
    for raw, score, more in [
        ("0", "0", "0"),
        ("-0.000000000001", "0", "0"),
        ("0.000000000001", "0.000000000001", "0"),
        ("0.999999999999", "0.999999999999", "0"),
        ("1", "1", "0"),
        ("1.000000000001", "1", "0.000000000001"),
    ]:
        assert (clamped(d(raw)), beyond(d(raw))) == (d(score), d(more))


def test_the_one_rounding_is_half_even_at_the_twelfth_place() -> None:
    assert quotient(d("0.0000000000005"), d("1")) == 0
    assert quotient(d("0.0000000000015"), d("1")) == d("0.000000000002")
    assert quotient(d("0.00000000000050000000000000000000001"), d("1")) == STEP
    assert quotient(d("2"), d("3")) == d("0.666666666667")
    assert shown_mean(d("0.000001"), 2) == 0
    assert shown_mean(d("0.000003"), 2) == d("0.000002")
    assert (displayed(d("0.00005")), displayed(d("0.00015"))) == (0, d("0.0002"))


def test_weights_of_nought_alone_are_no_mean() -> None:
    assert weighted_mean([]) is None
    assert weighted_mean([(d("0"), d("1"))]) is None
    assert weighted_mean([(d("0"), d("1")), (d("0.000001"), d("0.5"))]) == d("0.5")


def test_a_part_is_measured_by_a_value_of_nought_and_by_an_empty_list_of_steps() -> None:
    assert PartInput(d("0")).measured and PartInput(done=()).measured and not NOTHING.measured


def test_at_least_n_needs_n_measured_parts() -> None:
    parts = tuple(Part(name, Increase(d("10"), d("0"))) for name in ("a", "b", "c"))
    measure = Compound("at_least", parts, 2)
    one = {"a": PartInput(d("5"))}
    two = {**one, "b": PartInput(d("7"))}
    assert score_key_result(KeyResultInput("kr", measure, values=one)).score is None
    assert score_key_result(KeyResultInput("kr", measure, values=two)).score == d("0.5")
