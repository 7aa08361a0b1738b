"""Carrying over: what is taken along, changed or left behind, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.objectives.organisation import (
    BOSS,
    FIRST_MONTH,
    VISITORS,
    activated,
    because,
    closed,
    drafted,
    key_result,
    organisation,
)
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.measures import Aligned, Compound, Increase, Part, Window
from goal_ledger_contracts.person import PersonLeft
from goal_ledger_contracts.workspace import SystemRetired
from goal_ledger_domain import carry_over
from goal_ledger_domain.alignment import Align
from goal_ledger_domain.binding import BindPart
from goal_ledger_domain.carry_over import CarryOver, LastValue
from goal_ledger_domain.key_result import DropKeyResult
from support.given_when_then import WORKSPACE, Record, meta, on

Q1 = (datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))
Q2 = (datetime(2026, 3, 31, 22, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC))
THOUSAND = Decimal(1000)


def goal(*key_results: tuple[str, Any], **more: Any) -> Record:
    """The active goal ``web-shop`` of the first quarter."""
    record = organisation().given(drafted(cycle="q1", **more), activated())
    return record.given(*[key_result(id, measure) for id, measure in key_results])


def carried(record: Record, **more: Any) -> list[Any]:
    """The data of what is decided: the old objective's fact, then the new one's."""
    decision = record.when(CarryOver(meta(BOSS), "web-shop", "next", "q2", **more)).decision
    assert decision is not None
    return [one.data for one in decision.drafts]


def became(found: list[Any], thing: str) -> tuple[str, str | None, str | None]:
    (one,) = [one for one in found[0].things if one.thing == thing]
    return (one.became, one.into, one.why)


def only(found: list[Any], kind: type) -> Any:
    (one,) = [one for one in found if isinstance(one, kind)]
    return one


def test_the_fact_says_what_became_of_each_thing() -> None:
    record = goal(("visitors", VISITORS), kind="committed", contributors=("person/bo", "person/ada"))
    record.given(key_result("gone"), on("person/bo", PersonLeft())).told(DropKeyResult(because(), "gone"))
    found = carried(record, key_results=(("visitors", "v2"),))
    assert found[0].things == (
        facts.CarriedThing("title", "taken"),
        facts.CarriedThing("kind", "taken"),
        facts.CarriedThing("owner", "taken"),
        facts.CarriedThing("contributors/person/bo", "left_behind", why="person_left"),
        facts.CarriedThing("contributors/person/ada", "taken"),
        facts.CarriedThing("key_results/visitors", "taken", "key-result/v2"),
        facts.CarriedThing("key_results/gone", "left_behind", why="key_result_dropped"),
    )
    assert found[1].contributors == ("person/ada",)


def test_a_goal_of_who_left_is_carried_over_and_says_so() -> None:
    record = goal(owner="person/bo").given(on("person/bo", PersonLeft()))
    found = carried(record)
    assert (found[1].owner, became(found, "owner")) == ("person/bo", ("taken", None, "person_left"))


def test_an_owner_of_a_key_result_who_left_is_left_behind() -> None:
    record = goal().given(key_result("visitors", owner="person/bo"), on("person/bo", PersonLeft()))
    found = carried(record)
    assert only(found, facts.KeyResultAdded).owner is None
    assert became(found, "key_results/visitors/owner") == ("left_behind", None, "person_left")


def test_feeds_stay_bound_unless_their_system_is_retired() -> None:
    record = goal(("visitors", VISITORS)).told(
        BindPart(because(), "visitors", "value", "visitors", "increase")
    )
    found = carried(record, key_results=(("visitors", "v2"),))
    assert only(found, facts.PartBound) == facts.PartBound("v2", "value", "visitors", "increase")
    assert became(found, "key_results/visitors/bindings/value") == ("taken", None, None)
    found = carried(record.given(on(f"workspace/{WORKSPACE}", SystemRetired("shop"))))
    assert not any(isinstance(one, facts.PartBound) for one in found)
    assert became(found, "key_results/visitors/bindings/value") == ("left_behind", None, "system_retired")


def test_a_feed_that_needs_a_cycle_is_left_behind_without_one() -> None:
    record = goal(("visitors", VISITORS)).told(
        BindPart(because(), "visitors", "value", "visitors", "increase")
    )
    decision = record.when(CarryOver(meta(), "web-shop", "next")).decision
    assert decision is not None
    found = [one.data for one in decision.drafts]
    assert became(found, "key_results/visitors/bindings/value") == (
        "left_behind",
        None,
        "binding_needs_cycle",
    )


def test_a_fixed_window_of_the_old_cycle_becomes_the_new_ones_and_one_from_a_moment_stays() -> None:
    def windowed(window: Window) -> Increase:
        return Increase(THOUSAND, Decimal(0), "visitors", window)

    within = Window(Q1[0], datetime(2026, 2, 1, tzinfo=UTC))
    beyond = Window(datetime(2025, 12, 1, tzinfo=UTC), Q1[1])
    both = Compound("all", (Part("a", windowed(Window(*Q1))), Part("b", windowed(FIRST_MONTH))))
    record = goal(("whole", windowed(Window(*Q1))), ("part", windowed(within)), ("out", windowed(beyond)))
    found = carried(record.given(key_result("both", both)))
    added = {one.carried_from: one.measure for one in found if isinstance(one, facts.KeyResultAdded)}
    assert added["whole"].window == added["part"].window == Window(*Q2)
    assert added["out"].window == beyond
    assert [part.measure.window for part in added["both"].parts] == [Window(*Q2), FIRST_MONTH]
    assert became(found, "key_results/part/window") == ("changed", None, "of_the_new_cycle")
    assert became(found, "key_results/out/window") == ("taken", None, "not_of_the_cycle")
    assert became(found, "key_results/both/parts/b/window") == ("taken", None, "from_a_moment")


def test_the_baseline_of_an_absolute_measure_may_become_its_last_value() -> None:
    record = goal(("visitors", VISITORS), ("high", VISITORS), ("silent", VISITORS), ("fed", VISITORS)).told(
        BindPart(because(), "fed", "value", "visitors", "increase")
    )
    last = tuple(
        LastValue(id, "value", Decimal(value))
        for id, value in (("visitors", 250), ("high", 1000), ("fed", 7))
    )
    found = carried(record, baseline="last", last_values=last)
    added = {one.carried_from: one.measure for one in found if isinstance(one, facts.KeyResultAdded)}
    assert {id: one.baseline for id, one in added.items()} == {
        "visitors": 250,
        "high": 0,
        "silent": 0,
        "fed": 0,
    }
    assert became(found, "key_results/visitors/baseline") == ("changed", "250", "last_value")
    assert became(found, "key_results/high/baseline") == ("taken", None, "direction_mismatch")
    assert became(found, "key_results/silent/baseline") == ("taken", None, "not_measured")
    assert became(found, "key_results/fed/baseline") == ("taken", None, "not_absolute")
    record.when(CarryOver(meta(), "web-shop", "n", "q2", baseline="first")).then_refused("choice_unknown")


def linked(parent: str, **more: Any) -> Record:
    """``web-shop`` aligned with a goal ``company`` that has an aligned key result ``sum``."""
    record = goal().given(drafted("company", **more), key_result("sum", Aligned(), of="company"))
    return record.told(Align(because(), "web-shop", "l", parent, "contributes", Decimal(2)))


def test_links_to_parents_that_can_still_take_one_are_taken_along() -> None:
    found = carried(linked("key-result/sum"))
    aligned = only(found, facts.ObjectiveAligned)
    assert (aligned.parent, aligned.mode, aligned.weight) == ("key-result/sum", "contributes", 2)
    assert became(found, "links/key-result/sum") == ("taken", None, None)
    record = linked("objective/company").given(closed("company", "dropped"))
    found = carried(record)
    assert not any(isinstance(one, facts.ObjectiveAligned) for one in found)
    assert became(found, "links/objective/company") == ("left_behind", None, "parent_closed")
    dropped = linked("key-result/sum").told(DropKeyResult(because(), "sum"))
    assert became(carried(dropped), "links/key-result/sum") == ("left_behind", None, "key_result_dropped")


def test_a_parent_that_was_carried_over_stands_for_its_continuation() -> None:
    for parent, into in (("objective/company", "objective/c2"), ("key-result/sum", "key-result/s2")):
        record = linked(parent, cycle="q1").given(activated("company"))
        record.tell(CarryOver(meta(), "company", "c2", "q2", (("sum", "s2"),)))
        found = carried(record)
        assert only(found, facts.ObjectiveAligned).parent == into
        assert became(found, f"links/{parent}") == ("changed", into, "carried_over")
        record.tell(CarryOver(meta(BOSS), "web-shop", "next", "q2"))
        record.when(CarryOver(meta(BOSS), "web-shop", "next", "q2")).then_nothing_new()


def test_a_link_that_was_carried_over_is_known_by_its_id() -> None:
    record = linked("objective/company")
    record.tell(CarryOver(meta(BOSS), "web-shop", "next", "q2"))
    (link,) = record.world.get("objective", "next").goal.links.values()
    again = Align(meta(), "next", link.id, "objective/company", "contributes", Decimal(2))
    record.when(again).then_nothing_new()


def test_the_goals_of_a_cycle_come_parents_first() -> None:
    record = organisation().given(
        drafted("a", cycle="q1"),
        drafted("b", cycle="q1"),
        drafted("c", cycle="q1"),
        drafted("d", cycle="q2"),
        key_result("sum", Aligned(), of="c"),
    )
    record.told(Align(meta(), "a", "l1", "objective/b"), Align(meta(), "b", "l2", "key-result/sum"))
    assert carry_over.of_cycle(record.world, "q1") == ["c", "b", "a"]
