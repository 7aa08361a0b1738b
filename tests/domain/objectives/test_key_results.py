"""Key results: added, changed, dropped; weights; parts bound to feeds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from domain.objectives.organisation import (
    OPEN_SHOP,
    REACH,
    VISITORS,
    active_goal,
    because,
    draft_goal,
    drafted,
    key_result,
    organisation,
)
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.measures import (
    Aligned,
    Checklist,
    Compound,
    DoneOrNot,
    Increase,
    Ranged,
    Step,
    Zones,
)
from goal_ledger_contracts.workspace import Policy, SystemRetired
from goal_ledger_domain.alignment import Align
from goal_ledger_domain.binding import BindPart, UnbindPart
from goal_ledger_domain.key_result import (
    AddKeyResult,
    ChangeKeyResultOwner,
    ChangeKeyResultWeight,
    ChangeMeasure,
    DropKeyResult,
    RewordKeyResult,
    TakeUpKeyResult,
)
from goal_ledger_domain.lifecycle import Activate
from goal_ledger_domain.policy import SetPolicy
from support.given_when_then import WORKSPACE, meta, on

ONE, NOUGHT = Decimal(1), Decimal(0)
MORE = Increase(Decimal(2000), Decimal(0), "visitors")
WEIGHTLESS = Checklist((Step("a", "A", NOUGHT),))


def test_a_key_result_is_added_with_its_measure() -> None:
    asked = AddKeyResult(meta(), "web-shop", "k", "Reach people", REACH, Decimal("0.5"), "person/bo")
    decision = (
        draft_goal()
        .when(asked)
        .then(facts.KeyResultAdded("k", "Reach people", REACH, Decimal("0.5"), "person/bo"))
    )
    assert (decision.id, decision.stream) == ("k", "objective/web-shop")


def test_the_same_key_result_again_is_nothing_new_even_after_it_changed() -> None:
    asked = AddKeyResult(meta(), "web-shop", "k", "K", VISITORS)
    record = draft_goal().told(asked, ChangeMeasure(meta(), "k", MORE))
    record.when(asked).then_nothing_new()


def test_an_id_of_a_key_result_is_unique_in_the_workspace() -> None:
    record = draft_goal().given(drafted("other"))
    record.when(AddKeyResult(meta(), "web-shop", "open", "X", VISITORS)).then_refused(
        "id_taken", "key_result"
    )
    record.when(AddKeyResult(meta(), "other", "open", "Key result open", OPEN_SHOP)).then_refused("id_taken")


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        (AddKeyResult(meta(), "none", "k", "K", VISITORS), "unknown_objective", "objective"),
        (AddKeyResult(meta(), "web-shop", "k k", "K", VISITORS), "id_malformed", "key_result"),
        (AddKeyResult(meta(), "web-shop", "k", "", VISITORS), "text_empty", "text"),
        (AddKeyResult(meta(), "web-shop", "k", "K", VISITORS, Decimal(-1)), "weight_not_allowed", "weight"),
        (AddKeyResult(meta(), "web-shop", "k", "K", VISITORS, ONE, "person/x"), "unknown_person", "owner"),
        (RewordKeyResult(meta(), "none", "K"), "unknown_key_result", "key_result"),
    ],
)
def test_a_key_result_that_says_something_wrong_is_refused_with_the_field(
    asked: Any, code: str, field: str
) -> None:
    draft_goal().when(asked).then_refused(code, field)


CHANGES = [
    (RewordKeyResult, "New words", facts.KeyResultReworded("visitors", "New words")),
    (ChangeMeasure, MORE, facts.MeasureChanged("visitors", MORE)),
    (ChangeKeyResultWeight, Decimal("2.5"), facts.KeyResultWeightChanged("visitors", Decimal("2.5"))),
    (ChangeKeyResultOwner, "person/bo", facts.KeyResultOwnerChanged("visitors", "person/bo")),
]


@pytest.mark.parametrize(("command", "to", "fact"), CHANGES, ids=lambda x: getattr(x, "__name__", ""))
def test_each_change_is_free_in_a_draft_and_has_a_reason_in_a_commitment(
    command: Any, to: Any, fact: Any
) -> None:
    draft_goal().when(command(meta(), "visitors", to)).then(fact)
    active_goal().when(command(meta(), "visitors", to)).then_refused("reason_required")
    active_goal().when(command(because(), "visitors", to)).then(fact)


@pytest.mark.parametrize(("command", "to", "fact"), CHANGES, ids=lambda x: getattr(x, "__name__", ""))
def test_nothing_of_a_dropped_key_result_is_changed(command: Any, to: Any, fact: Any) -> None:
    record = active_goal().told(DropKeyResult(because(), "visitors"))
    record.when(command(because(), "visitors", to)).then_refused("key_result_dropped", "key_result")


def test_a_baseline_is_found_later() -> None:
    unknown, found = Increase(Decimal(10)), Increase(Decimal(10), Decimal(3))
    record = draft_goal().given(key_result("k", unknown)).told(Activate(meta(), "web-shop"))
    record.when(ChangeMeasure(because("Measured at last"), "k", found)).then(facts.MeasureChanged("k", found))
    record.when(ChangeMeasure(because(), "k", Increase(Decimal(10), Decimal(10)))).then_refused(
        "direction_mismatch"
    )


def test_a_dropped_key_result_stays_dropped() -> None:
    record = active_goal().told(DropKeyResult(because(), "visitors"))
    record.when(DropKeyResult(meta(), "visitors")).then_nothing_new()


def weightless_draft() -> Any:
    return organisation().given(
        drafted(), key_result("a", VISITORS, weight=NOUGHT), key_result("b", VISITORS, weight=NOUGHT)
    )


def test_weights_may_all_be_nought_in_a_draft_but_not_at_the_activation() -> None:
    weightless_draft().when(Activate(meta(), "web-shop")).then_refused("weights_all_zero", "weight")
    inner = organisation().given(drafted(), key_result("a", WEIGHTLESS))
    inner.when(Activate(meta(), "web-shop")).then_refused("weights_all_zero", "measure")


def test_a_commitment_keeps_a_weight_above_nought() -> None:
    record = weightless_draft().told(ChangeKeyResultWeight(meta(), "a", ONE), Activate(meta(), "web-shop"))
    record.when(ChangeKeyResultWeight(because(), "a", NOUGHT)).then_refused("weights_all_zero")
    record.when(DropKeyResult(because(), "a")).then_refused("weights_all_zero")
    record.when(ChangeMeasure(because(), "a", WEIGHTLESS)).then_refused("weights_all_zero")
    record.when(AddKeyResult(because(), "web-shop", "c", "C", WEIGHTLESS)).then_refused("weights_all_zero")
    record.when(DropKeyResult(because(), "b")).then(facts.KeyResultDropped("b"))


def test_a_key_result_that_objectives_contribute_to_gets_no_measure_of_its_own() -> None:
    record = draft_goal().given(drafted("team"), key_result("sum", Aligned()))
    record.told(Align(meta(), "team", "l", "key-result/sum"))
    record.when(ChangeMeasure(meta(), "sum", VISITORS)).then_refused("key_result_has_contributors", "measure")
    record.told(Align(meta(), "team", "l2", "key-result/sum", "supports"))
    record.when(ChangeMeasure(meta(), "sum", VISITORS)).then(facts.MeasureChanged("sum", VISITORS))


KINDS = {"stock": ("last", "max", "mean", "min"), "visitors": ("increase",), "orders": ("sum", "count")}
ALL = sorted({a for allowed in KINDS.values() for a in allowed})


@pytest.mark.parametrize("feed", KINDS)
@pytest.mark.parametrize("aggregation", [*ALL, "median"])
def test_an_aggregation_fits_the_kind_of_the_feed(feed: str, aggregation: str) -> None:
    outcome = draft_goal(cycle="q1").when(BindPart(meta(), "visitors", "value", feed, aggregation))
    if aggregation in KINDS[feed]:
        outcome.then(facts.PartBound("visitors", "value", feed, aggregation))
    else:
        outcome.then_refused("aggregation_mismatch", "aggregation")


@pytest.mark.parametrize("feed", KINDS)
@pytest.mark.parametrize("aggregation", ALL)
def test_without_a_window_or_a_cycle_only_the_last_of_a_gauge_has_a_period(
    feed: str, aggregation: str
) -> None:
    if aggregation not in KINDS[feed]:
        return
    outcome = draft_goal().when(BindPart(meta(), "visitors", "value", feed, aggregation))
    if aggregation == "last":
        outcome.then(facts.PartBound("visitors", "value", feed, "last"))
    else:
        outcome.then_refused("binding_needs_cycle", "aggregation")


def test_a_window_of_its_own_is_period_enough() -> None:
    asked = BindPart(meta(), "reach", "sales", "orders", "sum")
    draft_goal().when(asked).then(facts.PartBound("reach", "sales", "orders", "sum"))


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        (BindPart(meta(), "none", "value", "stock", "last"), "unknown_key_result", "key_result"),
        (BindPart(meta(), "reach", "value", "stock", "last"), "unknown_part", "part"),
        (BindPart(meta(), "visitors", "value", "none", "last"), "unknown_feed", "feed"),
        (BindPart(meta(), "open", "value", "stock", "last"), "part_cannot_be_fed", "part"),
        (UnbindPart(meta(), "reach", "value"), "unknown_part", "part"),
    ],
)
def test_a_binding_that_cannot_be_is_refused(asked: Any, code: str, field: str) -> None:
    draft_goal().when(asked).then_refused(code, field)


def test_nothing_is_bound_to_a_feed_of_a_retired_system() -> None:
    record = draft_goal().given(on(f"workspace/{WORKSPACE}", SystemRetired("shop")))
    record.when(BindPart(meta(), "visitors", "value", "stock", "last")).then_refused("system_retired")


def test_a_part_is_bound_anew_and_unbound() -> None:
    record = draft_goal().told(BindPart(meta(), "visitors", "value", "stock", "last"))
    record.when(BindPart(meta(), "visitors", "value", "stock", "last")).then_nothing_new()
    record.told(UnbindPart(meta(), "visitors", "value"))
    record.when(UnbindPart(meta(), "visitors", "value")).then_nothing_new()


def test_a_new_measure_has_a_place_for_each_bound_part() -> None:
    record = draft_goal().told(
        BindPart(meta(), "visitors", "value", "stock", "last"),
        BindPart(meta(), "reach", "sales", "orders", "sum"),
    )
    record.when(ChangeMeasure(meta(), "visitors", OPEN_SHOP)).then_refused("part_is_bound", "measure")
    record.when(ChangeMeasure(meta(), "visitors", REACH)).then_refused("part_is_bound", "measure")
    record.when(ChangeMeasure(meta(), "visitors", DoneOrNot())).then(
        facts.MeasureChanged("visitors", DoneOrNot())
    )
    (sales,) = (part for part in REACH.parts if part.id == "sales")
    windowless = Compound("all", (type(sales)("sales", Increase(Decimal(10), Decimal(0))),))
    record.when(ChangeMeasure(meta(), "reach", windowless)).then_refused("binding_needs_cycle")


def test_a_key_result_has_a_description_and_its_zones_have_texts() -> None:
    zones = Zones(baseline="Nobody knows us", stretch=" Everybody does\n")
    measure = Ranged(Decimal(0), Decimal(3), Decimal(7), Decimal(10), zones=zones)
    cleaned = replace(measure, zones=Zones(baseline="Nobody knows us", stretch="Everybody does"))
    asked = AddKeyResult(meta(), "web-shop", "k", "Known", measure, description="As the agency asks\r\nit")
    added = facts.KeyResultAdded("k", "Known", cleaned, description="As the agency asks\nit")
    draft_goal().when(asked).then(added)


def test_zones_without_a_text_are_no_zones() -> None:
    measure = Ranged(Decimal(0), Decimal(3), Decimal(7), Decimal(10))
    asked = AddKeyResult(meta(), "web-shop", "k", "Known", replace(measure, zones=Zones()))
    draft_goal().when(asked).then(facts.KeyResultAdded("k", "Known", measure))


def test_a_description_or_the_text_of_a_zone_that_is_too_long_is_refused_with_its_field() -> None:
    zones = Zones(target="x" * 1001)
    measure = Ranged(Decimal(0), Decimal(3), Decimal(7), Decimal(10), zones=zones)
    record = draft_goal()
    record.when(AddKeyResult(meta(), "web-shop", "k", "K", VISITORS, description="x" * 4001)).then_refused(
        "text_too_long", "description"
    )
    record.when(AddKeyResult(meta(), "web-shop", "k", "K", measure)).then_refused(
        "text_too_long", "measure/zones/target"
    )


def test_rewording_states_the_whole_wording_also_the_description() -> None:
    described = RewordKeyResult(meta(), "visitors", "Visitors", "Each once")
    record = draft_goal().told(described)
    record.when(described).then_nothing_new()
    record.when(RewordKeyResult(meta(), "visitors", "Visitors")).then(
        facts.KeyResultReworded("visitors", "Visitors")
    )


def test_a_dropped_key_result_is_taken_up_again_with_a_reason() -> None:
    record = active_goal().told(DropKeyResult(because(), "visitors"))
    record.when(TakeUpKeyResult(meta(), "visitors")).then_refused("reason_required", "reason")
    record.when(TakeUpKeyResult(because(), "visitors")).then(facts.KeyResultTakenUp("visitors"))
    record.told(TakeUpKeyResult(because(), "visitors"))
    record.when(TakeUpKeyResult(because(), "visitors")).then_nothing_new()
    record.when(ChangeKeyResultWeight(because(), "visitors", Decimal(3))).then(
        facts.KeyResultWeightChanged("visitors", Decimal(3))
    )


def test_adding_a_dropped_key_result_again_says_to_take_it_up() -> None:
    asked = AddKeyResult(because(), "web-shop", "k", "K", VISITORS)
    record = active_goal().told(asked, DropKeyResult(because(), "k"))
    refusal = record.when(asked).then_refused("key_result_dropped", "key_result")
    assert "take it up again" in refusal.sentence


def test_what_is_taken_up_again_keeps_to_the_limits_of_a_commitment() -> None:
    weightless = AddKeyResult(because(), "web-shop", "k", "K", WEIGHTLESS)
    record = draft_goal().told(weightless, DropKeyResult(because(), "k"), Activate(meta(), "web-shop"))
    record.when(TakeUpKeyResult(because(), "k")).then_refused("weights_all_zero")
    full = active_goal().told(
        DropKeyResult(because(), "open"), SetPolicy(because(), "workspace", Policy(max_key_results=2))
    )
    full.when(TakeUpKeyResult(because(), "open")).then_refused("too_many_key_results")
