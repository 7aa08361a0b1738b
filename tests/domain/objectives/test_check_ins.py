"""Check-ins: recorded anywhere in time, corrected as a whole, retracted for good; each value fits its part."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from domain.objectives.organisation import (
    IMPORTER,
    OPEN_SHOP,
    active_goal,
    because,
    closed,
    drafted,
    key_result,
)
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.decision import ENDED, LIVE
from goal_ledger_contracts.measures import Aligned, Checklist, DoneOrNot, Step
from goal_ledger_contracts.objective import PartValue
from goal_ledger_contracts.person import PersonShredded
from goal_ledger_domain.binding import BindPart
from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn, RetractCheckIn, identity
from goal_ledger_domain.key_result import ChangeMeasure, DropKeyResult
from support.given_when_then import START, Record, meta, on

HALF = Decimal("0.5")


def counted(value: str, part: str = "value") -> tuple[PartValue, ...]:
    return (PartValue(part, Decimal(value)),)


def ticked(*steps: str) -> tuple[PartValue, ...]:
    return (PartValue("value", done=steps),)


def of_visitors(value: str = "250", id: str = "c1", **more: Any) -> RecordCheckIn:
    return RecordCheckIn(more.pop("meta", meta()), id, key_result="visitors", values=counted(value), **more)


def goal() -> Record:
    return active_goal().given(
        key_result("done", DoneOrNot()), key_result("sum", Aligned()), drafted("other")
    )


def test_a_check_in_says_a_value_and_how_it_looks() -> None:
    asked = of_visitors(
        confidence=Decimal("0.7"),
        status="on_track",
        method="measured",
        note="Up.\nAgain",
        blockers=("The flu",),
        evidence=("https://example.org/x",),
    )
    decision = (
        goal()
        .when(asked)
        .then(
            facts.CheckInRecorded(
                "c1",
                "visitors",
                counted("250"),
                Decimal("0.7"),
                "on_track",
                "measured",
                note="Up.\nAgain",
                blockers=("The flu",),
                evidence=("https://example.org/x",),
            )
        )
    )
    (claim,) = decision.claims
    assert (claim.identity, claim.subject, claim.state) == (identity("c1"), "web-shop|visitors", LIVE)
    assert (decision.id, decision.stream) == ("c1", "objective/web-shop")


def test_a_check_in_on_the_objective_carries_no_values() -> None:
    asked = RecordCheckIn(meta(), "c1", objective="web-shop", status="behind")
    decision = goal().when(asked).then(facts.CheckInRecorded("c1", status="behind"))
    assert decision.claims[0].subject == "web-shop|"
    with_values = RecordCheckIn(meta(), "c1", objective="web-shop", values=counted("1"))
    goal().when(with_values).then_refused("values_on_objective", "values")


def test_anybody_checks_in_for_a_time_that_has_been_also_before_the_cycle() -> None:
    at = START - timedelta(days=400)
    decision = goal().when(of_visitors(meta=meta(effective_at=at))).decision
    assert decision is not None and decision.drafts[0].effective_at == at


def test_a_time_a_little_ahead_is_kept_beside_and_further_ahead_refused() -> None:
    record = goal()
    soon = record.now + timedelta(minutes=4)
    decision = record.when(of_visitors(meta=meta(effective_at=soon))).decision
    assert decision is not None
    assert decision.drafts[0].stated_at == soon > decision.drafts[0].effective_at
    later = record.now + timedelta(minutes=7)
    record.when(of_visitors(meta=meta(effective_at=later))).then_refused("effective_at_ahead")


def test_a_checklist_is_given_the_complete_list_of_steps_done() -> None:
    asked = RecordCheckIn(meta(), "c1", key_result="open", values=ticked("payment", "design"))
    goal().when(asked).then(facts.CheckInRecorded("c1", "open", ticked("design", "payment")))
    none = RecordCheckIn(meta(), "c1", key_result="open", values=ticked())
    goal().when(none).then(facts.CheckInRecorded("c1", "open", ticked()))


def test_a_compound_takes_values_of_some_of_its_parts() -> None:
    values = (*counted("3", "visitors"), *counted("4", "sales"))
    asked = RecordCheckIn(meta(), "c1", key_result="reach", values=values)
    goal().when(asked).then(facts.CheckInRecorded("c1", "reach", values[::-1]))
    only = RecordCheckIn(meta(), "c1", key_result="reach", values=counted("4", "sales"))
    goal().when(only).then(facts.CheckInRecorded("c1", "reach", counted("4", "sales")))


def said(key_result: str = "visitors", **more: Any) -> RecordCheckIn:
    return RecordCheckIn(meta(), more.pop("check_in", "c1"), key_result=key_result, **more)


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        (said(check_in="c 1", status="behind"), "id_malformed", "check_in"),
        (said("none", status="behind"), "unknown_key_result", "key_result"),
        (RecordCheckIn(meta(), "c1", status="behind"), "field_required", "objective"),
        (RecordCheckIn(meta(), "c1", "none", status="behind"), "unknown_objective", "objective"),
        (
            RecordCheckIn(meta(), "c1", "other", "visitors", status="behind"),
            "unknown_key_result",
            "key_result",
        ),
        (said(), "check_in_empty", None),
        (said(values=counted("NaN")), "value_not_decimal", "values/0/value"),
        (said(values=counted("0.1234567")), "value_not_decimal", "values/0/value"),
        (said(values=counted("1", "other")), "unknown_part", "values/0/part"),
        (said("sum", values=counted("1")), "unknown_part", "values/0/part"),
        (said(values=(PartValue("value"),)), "value_does_not_fit", "values/0"),
        (said(values=(PartValue("value", Decimal(1), ("a",)),)), "value_does_not_fit", "values/0"),
        (said(values=ticked("design")), "value_does_not_fit", "values/0"),
        (said(values=counted("1") + counted("2")), "ids_not_unique", "values"),
        (said("open", values=counted("1")), "value_does_not_fit", "values/0"),
        (said("open", values=ticked("design", "design")), "ids_not_unique", "values/0/done"),
        (said("open", values=ticked("flying")), "unknown_step", "values/0/done"),
        (said("done", values=counted("0.5")), "value_does_not_fit", "values/0/value"),
        (said(confidence=Decimal("0.55")), "confidence_out_of_range", "confidence"),
        (said(confidence=Decimal("1.1")), "confidence_out_of_range", "confidence"),
        (said(confidence=Decimal("-0.1")), "confidence_out_of_range", "confidence"),
        (said(confidence=Decimal("sNaN")), "confidence_out_of_range", "confidence"),
        (said(confidence=Decimal("NaN")), "confidence_out_of_range", "confidence"),
        (said(status="green"), "choice_unknown", "status"),
        (said(status="behind", method="guessed"), "choice_unknown", "method"),
        (said(status="behind", author="person/bo"), "author_only_in_import", "author"),
        (said(note="x" * 8001), "text_too_long", "note"),
        (said(note="a\u2066b"), "text_has_control_characters", "note"),
        (said(blockers=("b",) * 21), "too_many", "blockers"),
        (said(evidence=("e",) * 21), "too_many", "evidence"),
        (said(evidence=("a\nb",)), "text_has_control_characters", "evidence/0"),
    ],
)
def test_a_check_in_that_says_something_wrong_is_refused_with_the_field(
    asked: Any, code: str, field: str | None
) -> None:
    goal().when(asked).then_refused(code, field)


def test_nothing_is_checked_in_on_a_dropped_key_result_but_what_was_said_is_corrected() -> None:
    record = goal().told(of_visitors(), DropKeyResult(because(), "visitors"))
    record.when(of_visitors(id="c2")).then_refused("key_result_dropped", "key_result")
    record.when(CorrectCheckIn(because(), "c1", values=counted("240"))).then(
        facts.CheckInCorrected("c1", "visitors", counted("240"))
    )


def bound() -> Record:
    return goal().told(of_visitors(), BindPart(because(), "visitors", "value", "stock", "last"))


def test_a_part_that_a_feed_speaks_for_takes_no_value_but_words() -> None:
    bound().when(of_visitors(id="c2")).then_refused("value_comes_from_feed", "values/0/value")
    bound().when(said(check_in="c2", status="behind")).then(
        facts.CheckInRecorded("c2", "visitors", status="behind")
    )


def test_a_correction_may_leave_a_value_from_before_the_binding_as_it_was_and_not_change_it() -> None:
    words = CorrectCheckIn(because(), "c1", values=counted("250"), note="Counted by hand")
    bound().when(words).then(facts.CheckInCorrected("c1", "visitors", counted("250"), note="Counted by hand"))
    other = CorrectCheckIn(because(), "c1", values=counted("251"))
    bound().when(other).then_refused("value_comes_from_feed")


def test_the_same_check_in_again_gives_the_same_answer_whatever_state_the_goal_is_in() -> None:
    record = goal().told(of_visitors())
    first = record.facts[-1]
    for later in (record, record.given(closed())):
        decision = later.when(of_visitors("250.0")).then_nothing_new()
        assert decision.same_as == first


def test_other_content_or_another_time_under_the_same_id_is_refused() -> None:
    record = goal().told(of_visitors(meta=meta(effective_at=START)))
    assert record.when(of_visitors(meta=meta(effective_at=START))).then_nothing_new().same_as
    record.when(of_visitors("251")).then_refused("id_taken", "check_in")
    record.when(of_visitors(meta=meta(effective_at=record.now))).then_refused("id_taken", "check_in")
    elsewhere = RecordCheckIn(meta(), "c1", key_result="done", values=counted("1"))
    record.when(elsewhere).then_refused("id_taken", "check_in")


def test_two_check_ins_with_equal_values_and_different_ids_are_two_facts() -> None:
    record = goal().told(of_visitors())
    record.when(of_visitors(id="c2")).then(facts.CheckInRecorded("c2", "visitors", counted("250")))


def test_a_correction_is_the_whole_new_content_at_the_same_time_unless_another_is_stated() -> None:
    record = goal().told(of_visitors(confidence=HALF, meta=meta(effective_at=START)))
    asked = CorrectCheckIn(because(), "c1", values=counted("200"))
    decision = record.when(asked).then(facts.CheckInCorrected("c1", "visitors", counted("200")))
    assert decision.drafts[0].effective_at == START
    assert decision.claims[0].state == LIVE
    moved = CorrectCheckIn(because(effective_at=record.now), "c1", values=counted("250"), confidence=HALF)
    decision = record.when(moved).then(
        facts.CheckInCorrected("c1", "visitors", counted("250"), confidence=HALF)
    )
    assert decision.drafts[0].effective_at == record.now


def test_a_correction_to_what_it_says_already_is_nothing_new() -> None:
    record = goal().told(of_visitors())
    record.when(CorrectCheckIn(meta(), "c1", values=counted("250"))).then_nothing_new()
    again = CorrectCheckIn(because(), "c1", values=counted("200"))
    record.told(again).when(again).then_nothing_new()
    record.when(of_visitors()).then_refused("id_taken")


def test_a_retraction_is_for_good() -> None:
    record = goal().told(of_visitors())
    record.when(RetractCheckIn(meta(), "c1")).then_refused("reason_required")
    decision = record.when(RetractCheckIn(because(), "c1")).then(facts.CheckInRetracted("c1", "visitors"))
    assert (decision.claims[0].state, decision.claims[0].keeps_content) == (ENDED, True)
    record.told(RetractCheckIn(because(), "c1"))
    record.when(RetractCheckIn(meta(), "c1")).then_nothing_new()
    record.when(CorrectCheckIn(because(), "c1", status="behind")).then_refused("check_in_retracted")
    record.when(of_visitors()).then_nothing_new()
    record.when(of_visitors("1")).then_refused("id_taken")


def test_what_was_never_recorded_is_neither_corrected_nor_retracted() -> None:
    goal().when(CorrectCheckIn(because(), "none", status="behind")).then_refused("unknown_check_in")
    goal().when(RetractCheckIn(because(), "none")).then_refused("unknown_check_in")


def test_a_correction_meets_the_measure_of_today_in_what_it_changes() -> None:
    record = goal().told(RecordCheckIn(meta(), "c1", key_result="open", values=ticked("design")))
    assert isinstance(OPEN_SHOP, Checklist)
    shorter = Checklist((Step("logistics", "Logistics in place"),))
    record.told(ChangeMeasure(because(), "open", shorter))
    kept = CorrectCheckIn(because(), "c1", values=ticked("design"), status="behind")
    assert record.when(kept).refusal is None
    record.when(CorrectCheckIn(because(), "c1", values=ticked("payment"))).then_refused("unknown_step")


def importing(**more: Any) -> Any:
    return meta(IMPORTER, importing=True, **more)


def test_an_import_names_the_person_whose_word_it_is() -> None:
    record = goal()
    asked = of_visitors(meta=importing(effective_at=START), author="person/bo", note="Up")
    record.when(asked).then(
        facts.CheckInRecorded("c1", "visitors", counted("250"), author="person/bo", note="Up")
    )
    record.when(of_visitors(meta=importing(), author="unit/shop")).then_refused("reference_malformed")
    record.when(of_visitors(meta=importing(), author="person/x")).then_refused("unknown_person", "author")


def test_naming_the_one_whose_word_it_was_says_nothing_new() -> None:
    """An export names the actor of a check-in as its author: imported where it came from, it corrects nothing."""
    said = of_visitors(meta=meta("person/bo"))
    record = goal().told(said)
    own = CorrectCheckIn(importing(reason="Import"), "c1", values=counted("250"), author="person/bo")

    record.when(own).then_nothing_new()
    record.when(of_visitors(meta=importing(), author="person/bo")).then_nothing_new()
    record.when(of_visitors(meta=importing(), author="person/ada")).then_refused("id_taken")
    another = replace(own, author="person/ada")
    record.when(another).then(facts.CheckInCorrected("c1", "visitors", counted("250"), author="person/ada"))


def test_no_new_text_is_taken_of_a_shredded_person_but_values_are() -> None:
    record = goal().given(on("person/bo", PersonShredded()))
    record.when(of_visitors(meta=importing(), author="person/bo", note="Up")).then_refused("person_shredded")
    record.when(of_visitors(meta=importing(), author="person/bo")).then(
        facts.CheckInRecorded("c1", "visitors", counted("250"), author="person/bo")
    )
