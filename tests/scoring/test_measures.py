"""The table of measures and the vectors of SPEC 5, word for word."""

from __future__ import annotations

from decimal import Decimal

import pytest
from goal_ledger_contracts.measures import (
    Checklist,
    Compound,
    Decrease,
    DoneOrNot,
    Increase,
    Measure,
    Part,
    Ranged,
    Reach,
    StayAbove,
    StayBelow,
    StayBetween,
    Step,
)
from goal_ledger_scoring import KeyResultInput, KeyResultScore, PartInput, score_key_result


def d(text: str) -> Decimal:
    return Decimal(text)


def score(measure: Measure, **values: PartInput | str) -> KeyResultScore:
    given = {name: PartInput(d(one)) if isinstance(one, str) else one for name, one in values.items()}
    return score_key_result(KeyResultInput("kr", measure, values=given))


VECTORS = [
    ("0", "1000", "250", "0.25"),
    ("100", "60", "80", "0.5"),
    ("100", "60", "50", "1.25"),
    ("10", "0", "7", "0.3"),
    ("200", "0", "100", "0.5"),
    ("38", "40", "37", "-0.5"),
    ("8", "14", "11", "0.5"),
    ("15", "35", "20", "0.25"),
    ("0", "3", "1", "0.333333333333"),
]


@pytest.mark.parametrize(("baseline", "target", "value", "raw"), VECTORS)
def test_the_vectors_hold(baseline: str, target: str, value: str, raw: str) -> None:
    direction = Increase if d(target) > d(baseline) else Decrease
    for kind in (direction, Reach):
        got = score(kind(target=d(target), baseline=d(baseline)), value=value)
        assert got.raw == d(raw)
        assert got.score == min(max(d(raw), d("0")), d("1"))
        assert got.beyond == max(d(raw) - 1, d("0"))


def test_compound_all_is_its_worst_part_and_names_it() -> None:
    measure = Compound(
        combine="all",
        parts=(
            Part("visitors", Increase(target=d("1000"), baseline=d("0"))),
            Part("sales", Increase(target=d("10"), baseline=d("0"))),
        ),
    )
    got = score(measure, visitors="1000", sales="4")
    assert (got.score, got.mean, got.bottleneck, got.reached) == (d("0.4"), d("0.7"), "sales", False)
    assert score(measure, visitors="1000").score is None
    assert score(measure, visitors="2000", sales="10").reached is True
    assert score(measure, visitors="2000", sales="10").score == 1


def compound(combine: str, n: int | None = None) -> Compound:
    ten = Increase(target=d("10"), baseline=d("0"))
    return Compound(combine, (Part("a", ten), Part("b", ten, d("3")), Part("c", ten, d("0"))), n)


def test_compound_any_is_the_best_of_those_measured() -> None:
    assert score(compound("any"), a="2", c="7").score == d("0.7")
    assert score(compound("any")).score is None


def test_compound_at_least_n_is_the_nth_largest_or_not_measured() -> None:
    assert score(compound("at_least", 2), a="2", b="9", c="7").score == d("0.7")
    assert score(compound("at_least", 2), b="9").score is None


def test_compound_weighted_is_the_weighted_mean_of_those_measured() -> None:
    assert score(compound("weighted"), a="2", b="10", c="7").score == d("0.8")
    assert score(compound("weighted"), b="10").score == 1
    assert score(compound("weighted"), c="7").score is None


def test_no_value_is_not_measured_and_never_nought() -> None:
    got = score(Increase(target=d("10"), baseline=d("0")))
    assert (got.raw, got.score, got.beyond, got.state, got.reached) == (
        None,
        None,
        None,
        "not_measured",
        None,
    )


def test_a_baseline_still_to_be_found_is_excluded() -> None:
    assert score(Increase(target=d("10")), value="3").state == "baseline_to_be_found"


def test_a_part_waits_for_its_moment() -> None:
    waiting = score(Increase(target=d("10"), baseline=d("0")), value=PartInput(waiting_for="launch"))
    assert (waiting.state, waiting.waiting_for, waiting.score) == ("waiting", "launch", None)


@pytest.mark.parametrize(("value", "expected"), [("9", "1"), ("10", "1"), ("10.000001", "0")])
def test_stay_below_is_inclusive(value: str, expected: str) -> None:
    assert score(StayBelow(limit=d("10")), value=value).raw == d(expected)


@pytest.mark.parametrize(("value", "expected"), [("9.999999", "0"), ("10", "1"), ("11", "1")])
def test_stay_above_is_inclusive(value: str, expected: str) -> None:
    assert score(StayAbove(limit=d("10")), value=value).raw == d(expected)


def test_between_limit_and_risk_the_score_is_nought_but_marked() -> None:
    below, above = StayBelow(limit=d("10"), risk=d("12")), StayAbove(limit=d("10"), risk=d("8"))
    assert (score(below, value="11").score, score(below, value="11").within_risk) == (0, True)
    assert score(below, value="12.5").within_risk is False
    assert score(above, value="9").within_risk is True
    assert score(above, value="7").within_risk is False


def test_outside_the_band_the_score_falls_over_the_tolerance() -> None:
    band = StayBetween(low=d("10"), high=d("20"), tolerance=d("3"))
    got = {value: score(band, value=value).raw for value in ("10", "20", "9", "22", "6", "24")}
    assert got == {
        "10": d("1"),
        "20": d("1"),
        "9": d("0.666666666667"),
        "22": d("0.333333333333"),
        "6": d("0"),
        "24": d("0"),
    }
    assert score(StayBetween(low=d("10"), high=d("20")), value="9").raw == 0


def test_a_checklist_weighs_the_steps_done() -> None:
    measure = Checklist((Step("design", "Design"), Step("logistics", "L", d("2")), Step("payment", "P")))
    assert score(measure, value=PartInput(done=("design", "payment"))).raw == d("0.5")
    assert score(measure, value=PartInput(done=())).raw == 0
    assert score(measure, value=PartInput(done=("design", "gone"))).raw == d("0.25")


def test_done_or_not_is_one_or_nought() -> None:
    assert [score(DoneOrNot(), value=v).raw for v in ("0", "1")] == [0, 1]


RANGES = [
    ("0", "0", "fail"),
    ("5", "0.15", "fail"),
    ("10", "0.3", "commit"),
    ("15", "0.5", "commit"),
    ("20", "0.7", "target"),
    ("25", "0.85", "target"),
    ("30", "1", "stretch"),
    ("40", "1.3", "stretch"),
    ("-10", "-0.3", "fail"),
]


@pytest.mark.parametrize(("value", "raw", "zone"), RANGES)
def test_a_range_is_piecewise_linear_with_zones_in_both_directions(value: str, raw: str, zone: str) -> None:
    up = Ranged(d("0"), d("10"), d("20"), d("30"))
    down = Ranged(d("0"), d("-10"), d("-20"), d("-30"))
    for measure, given in ((up, d(value)), (down, -d(value))):
        got = score(measure, value=PartInput(given))
        assert (got.raw, got.parts["value"].zone) == (d(raw), zone)


def test_the_scores_of_a_range_may_be_set() -> None:
    measure = Ranged(d("0"), d("10"), d("20"), d("30"), (d("0"), d("0.5"), d("0.8"), d("1")))
    assert score(measure, value="5").raw == d("0.25")


def test_a_mean_enters_unrounded() -> None:
    """The mean of 1, 1 and 0 is 2/3; rounded to 6 places first it would score 0.666667."""
    mean = PartInput(d("2"), divisor=3)
    assert score(Increase(target=d("1"), baseline=d("0")), value=mean).raw == d("0.666666666667")
    assert score(StayBelow(limit=d("0.666666")), value=mean).raw == 0
    assert score(StayAbove(limit=d("0.666666")), value=mean).raw == 1
    assert score(Ranged(d("0"), d("1"), d("2"), d("3")), value=mean).raw == d("0.2")
