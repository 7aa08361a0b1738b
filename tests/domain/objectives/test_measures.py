"""What a measure must be like, and what is refused with which field."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from domain.objectives.organisation import FIRST_MONTH, OPEN_SHOP, REACH, organisation
from domain.objectives.organisation import drafted as a_draft
from goal_ledger_contracts.measures import (
    Aligned,
    Checklist,
    Compound,
    Decrease,
    DoneOrNot,
    Increase,
    Part,
    Ranged,
    Reach,
    StayAbove,
    StayBelow,
    StayBetween,
    Step,
    Window,
)
from goal_ledger_domain import measure
from goal_ledger_domain.key_result import AddKeyResult
from goal_ledger_domain.refusals import Refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from support.given_when_then import meta


def d(text: str) -> Decimal:
    return Decimal(text)


JANUARY, MAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)

GOOD: list[Any] = [
    Increase(d("1000"), d("0")),
    Increase(d("1000")),
    Decrease(d("0"), d("10"), "errors", Window(JANUARY, MAY)),
    Decrease(d("0")),
    Reach(d("40"), d("38")),
    Reach(d("38"), d("40")),
    Reach(d("40")),
    StayBelow(d("5")),
    StayBelow(d("5"), d("6")),
    StayAbove(d("5"), d("4"), "°C"),
    StayBetween(d("1"), d("1")),
    StayBetween(d("-1"), d("1"), d("0.5")),
    OPEN_SHOP,
    DoneOrNot(FIRST_MONTH),
    Ranged(d("0"), d("3"), d("7"), d("10")),
    Ranged(d("10"), d("7"), d("3"), d("0"), (d("0"), d("0.2"), d("0.8"), d("1"))),
    Aligned(),
    REACH,
    Compound("at_least", REACH.parts, 2),
    Compound("weighted", REACH.parts),
    Increase(d("999999999999999999.999999"), d("-999999999999999999.999999")),
]


@pytest.mark.parametrize("good", GOOD, ids=lambda m: m.kind)
def test_a_measure_that_makes_sense_is_taken_as_it_is(good: Any) -> None:
    assert measure.clean(good) == good
    assert measure.counts(good)


WINDOW = "measure/window"
BAD: list[tuple[Any, str, str]] = [
    (Increase(d("5"), d("5")), "direction_mismatch", "measure/target"),
    (Increase(d("4"), d("5")), "direction_mismatch", "measure/target"),
    (Decrease(d("5"), d("5")), "direction_mismatch", "measure/target"),
    (Decrease(d("6"), d("5")), "direction_mismatch", "measure/target"),
    (Reach(d("5"), d("5")), "direction_mismatch", "measure/target"),
    (StayBelow(d("5"), d("5")), "direction_mismatch", "measure/risk"),
    (StayAbove(d("5"), d("5")), "direction_mismatch", "measure/risk"),
    (StayBetween(d("2"), d("1")), "band_reversed", "measure/low"),
    (StayBetween(d("1"), d("2"), d("-1")), "tolerance_negative", "measure/tolerance"),
    (Ranged(d("0"), d("3"), d("3"), d("10")), "not_monotone", "measure/commit"),
    (Ranged(d("0"), d("3"), d("2"), d("10")), "not_monotone", "measure/commit"),
    (Ranged(d("0"), d("1"), d("2"), d("3"), (d("0"), d("1"))), "not_monotone", "measure/scores"),
    (
        Ranged(d("0"), d("1"), d("2"), d("3"), (d("0"), d("1"), d("1"), d("2"))),
        "not_monotone",
        "measure/scores",
    ),
    (Increase(Decimal("NaN"), d("0")), "value_not_decimal", "measure/target"),
    (Increase(Decimal("Infinity"), d("0")), "value_not_decimal", "measure/target"),
    (Increase(d("0.1234567"), d("0")), "value_not_decimal", "measure/target"),
    (Increase(d("1e18"), d("0")), "value_not_decimal", "measure/target"),
    (Increase(d("1"), d("0"), ""), "text_empty", "measure/unit"),
    (Increase(d("1"), d("0"), "x" * 41), "text_too_long", "measure/unit"),
    (DoneOrNot(Window()), "window_malformed", WINDOW),
    (DoneOrNot(Window(JANUARY)), "window_malformed", WINDOW),
    (DoneOrNot(Window(JANUARY, MAY, "launch", "P1M")), "window_malformed", WINDOW),
    (DoneOrNot(Window(moment="launch")), "window_malformed", WINDOW),
    (DoneOrNot(Window(MAY, JANUARY)), "window_malformed", f"{WINDOW}/end"),
    (DoneOrNot(Window(JANUARY, JANUARY)), "window_malformed", f"{WINDOW}/end"),
    (DoneOrNot(Window(JANUARY.replace(year=1), MAY)), "time_out_of_range", f"{WINDOW}/start"),
    (DoneOrNot(Window(JANUARY, MAY.replace(year=9999))), "time_out_of_range", f"{WINDOW}/end"),
    (DoneOrNot(Window(moment="launch", duration="1 month")), "duration_malformed", f"{WINDOW}/duration"),
    (DoneOrNot(Window(moment="launch", duration="P")), "duration_malformed", f"{WINDOW}/duration"),
    (DoneOrNot(Window(moment="launch", duration="P1DT")), "duration_malformed", f"{WINDOW}/duration"),
    (DoneOrNot(Window(moment="launch", duration="P0D")), "duration_malformed", f"{WINDOW}/duration"),
    (DoneOrNot(Window(moment="launch", duration="P101Y")), "duration_malformed", f"{WINDOW}/duration"),
    (DoneOrNot(Window(moment="the launch", duration="P1M")), "id_malformed", f"{WINDOW}/moment"),
    (Checklist(()), "field_required", "measure/steps"),
    (Checklist((Step("a", "A"), Step("a", "B"))), "ids_not_unique", "measure/steps"),
    (Checklist((Step("ø", "A"),)), "id_malformed", "measure/steps/0/id"),
    (Checklist((Step("a", ""),)), "text_empty", "measure/steps/0/text"),
    (Checklist((Step("a", "A", d("-1")),)), "weight_not_allowed", "measure/steps/0/weight"),
    (Checklist(tuple(Step(f"s{i}", "S") for i in range(201))), "too_many", "measure/steps"),
    (Compound("most", REACH.parts), "choice_unknown", "measure/combine"),
    (Compound("all", ()), "field_required", "measure/parts"),
    (Compound("all", (REACH.parts[0], REACH.parts[0])), "ids_not_unique", "measure/parts"),
    (Compound("all", REACH.parts, 1), "n_out_of_range", "measure/n"),
    (Compound("at_least", REACH.parts), "n_out_of_range", "measure/n"),
    (Compound("at_least", REACH.parts, 0), "n_out_of_range", "measure/n"),
    (Compound("at_least", REACH.parts, 3), "n_out_of_range", "measure/n"),
    (Compound("all", (Part("p", REACH),)), "part_not_simple", "measure/parts/0/measure"),  # type: ignore[arg-type]
    (Compound("all", (Part("p", Aligned()),)), "part_not_simple", "measure/parts/0/measure"),  # type: ignore[arg-type]
    (
        Compound("all", (Part("p", Increase(d("1"), d("2"))),)),
        "direction_mismatch",
        "measure/parts/0/measure/target",
    ),
    (Compound("all", (Part("p", OPEN_SHOP, d("1e7")),)), "weight_not_allowed", "measure/parts/0/weight"),
]


@pytest.mark.parametrize(("bad", "code", "field"), BAD)
def test_a_measure_that_makes_no_sense_is_refused_with_the_field(bad: Any, code: str, field: str) -> None:
    record = organisation().given(a_draft())
    record.when(AddKeyResult(meta(), "web-shop", "k", "K", bad)).then_refused(code, field)


@pytest.mark.parametrize(
    "weightless",
    [
        Checklist((Step("a", "A", d("0")),)),
        Compound("weighted", (Part("p", DoneOrNot(), d("0")),)),
        Compound("all", (Part("p", Checklist((Step("a", "A", d("0")),))),)),
    ],
    ids=["steps", "parts", "steps of a part"],
)
def test_weights_that_are_all_nought_do_not_count(weightless: Any) -> None:
    assert measure.clean(weightless) == weightless
    assert not measure.counts(weightless)


VALUES = st.decimals(min_value=d("-1e12"), max_value=d("1e12"), places=3, allow_nan=False)


@settings(max_examples=100)
@given(VALUES, VALUES)
def test_exactly_one_direction_leads_from_a_baseline_to_another_target(b: Decimal, t: Decimal) -> None:
    def taken(one: Any) -> bool:
        try:
            measure.clean(one)
        except Refusal as refusal:
            assert refusal.code == "direction_mismatch"
            return False
        return True

    assert (taken(Increase(t, b)), taken(Decrease(t, b)), taken(Reach(t, b))) == (t > b, t < b, t != b)
