"""The life of an objective: draft, active, closed, reopened, carried over, archived; nothing is lost on the way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from domain.objectives.organisation import (
    BOSS,
    IMPORTER,
    VISITORS,
    active_goal,
    because,
    closed,
    draft_goal,
    drafted,
    key_result,
    organisation,
)
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.cycle import CycleClosed, CycleLocked
from goal_ledger_contracts.workspace import Policy, PolicySet
from goal_ledger_domain.carry_over import CarryOver
from goal_ledger_domain.comment import EndorseChange
from goal_ledger_domain.key_result import AddKeyResult, ChangeKeyResultWeight, DropKeyResult
from goal_ledger_domain.lifecycle import (
    Activate,
    ArchiveObjective,
    CloseObjective,
    PauseObjective,
    ReopenObjective,
    ResumeObjective,
)
from goal_ledger_domain.objective import AssignObjective, RewordObjective
from support.given_when_then import WORKSPACE, Record, meta, on

SEVEN, EIGHT = Decimal("0.7"), Decimal("0.8")


def test_a_draft_is_activated_once_with_or_without_key_results() -> None:
    draft_goal().when(Activate(meta(), "web-shop")).then(facts.ObjectiveActivated())
    organisation().given(drafted()).when(Activate(meta(), "web-shop")).then(facts.ObjectiveActivated())
    active_goal().when(Activate(meta(), "web-shop")).then_nothing_new()


def test_a_closed_goal_is_reopened_and_not_activated() -> None:
    record = active_goal().given(closed())
    record.when(Activate(because(), "web-shop")).then_refused("objective_closed")


def test_a_draft_in_a_locked_cycle_is_activated_by_an_admin_with_a_reason() -> None:
    record = draft_goal(cycle="q1").given(on("cycle/q1", CycleLocked()))
    record.when(Activate(because(), "web-shop")).then_refused("admin_only")
    record.when(Activate(because(actor=BOSS), "web-shop")).then(facts.ObjectiveActivated())


def limited(**policy: int) -> Record:
    return draft_goal().given(
        on(f"workspace/{WORKSPACE}", PolicySet("workspace", 1, Policy(**policy)))  # type: ignore[arg-type]
    )


def test_the_policy_may_limit_key_results_and_active_objectives() -> None:
    limited(max_key_results=2).when(Activate(meta(), "web-shop")).then_refused("too_many_key_results")
    limited(max_key_results=3).when(Activate(meta(), "web-shop")).then(facts.ObjectiveActivated())
    full = limited(max_key_results=3).told(Activate(meta(), "web-shop"))
    full.when(AddKeyResult(because(), "web-shop", "k", "K", VISITORS)).then_refused("too_many_key_results")
    record = limited(max_active_objectives=1).given(drafted("other")).told(Activate(meta(), "other"))
    record.when(Activate(meta(), "web-shop")).then_refused("too_many_active_objectives")
    record.told(CloseObjective(meta(), "other", "dropped"), Activate(meta(), "web-shop"))
    record.when(ReopenObjective(because(), "other")).then_refused("too_many_active_objectives")
    record.told(AssignObjective(because(), "web-shop", "person/ada"), ReopenObjective(because(), "other"))
    back = AssignObjective(because(), "web-shop", "unit/shop")
    record.when(back).then_refused("too_many_active_objectives")


@pytest.mark.parametrize("outcome", ["achieved", "partial", "missed", "dropped", "postponed"])
def test_a_goal_is_closed_with_an_outcome_a_grade_and_a_look_back(outcome: str) -> None:
    asked = CloseObjective(meta(), "web-shop", outcome, SEVEN, SEVEN, retrospective="We\nlearnt")
    active_goal().when(asked).then(facts.ObjectiveClosed(outcome, SEVEN, SEVEN, retrospective="We\nlearnt"))


def test_the_suggested_grade_is_taken_unless_another_is_given_with_a_reason() -> None:
    record = active_goal()
    record.when(CloseObjective(meta(), "web-shop", "partial", suggested=SEVEN)).then(
        facts.ObjectiveClosed("partial", SEVEN, SEVEN)
    )
    override = CloseObjective(meta(), "web-shop", "partial", EIGHT, SEVEN)
    record.when(override).then_refused("reason_required", "reason")
    override = CloseObjective(because("The last week is missing"), "web-shop", "partial", EIGHT, SEVEN)
    record.when(override).then(facts.ObjectiveClosed("partial", EIGHT, SEVEN))
    record.when(CloseObjective(meta(), "web-shop", "partial", EIGHT)).then(
        facts.ObjectiveClosed("partial", EIGHT)
    )


def test_a_suggestion_is_a_score_of_twelve_places_kept_with_six() -> None:
    third = Decimal("0.333333333333")
    kept = Decimal("0.333333")
    active_goal().when(CloseObjective(meta(), "web-shop", "missed", suggested=third)).then(
        facts.ObjectiveClosed("missed", kept, kept)
    )
    as_shown = CloseObjective(meta(), "web-shop", "missed", Decimal("0.3333"), third)
    active_goal().when(as_shown).then(facts.ObjectiveClosed("missed", Decimal("0.3333"), kept))


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"outcome": "won"}, "choice_unknown", "outcome"),
        ({"grade": Decimal("1.1")}, "grade_out_of_range", "grade"),
        ({"grade": Decimal("-0.1")}, "grade_out_of_range", "grade"),
        ({"grade": Decimal("NaN")}, "grade_out_of_range", "grade"),
        ({"grade": Decimal("0.1234567")}, "value_not_decimal", "grade"),
        ({"suggested": Decimal(2)}, "grade_out_of_range", "suggested"),
        ({"retrospective": "a\x00b"}, "text_has_control_characters", "retrospective"),
        ({"author": "person/bo"}, "author_only_in_import", "author"),
    ],
)
def test_a_closing_that_says_something_wrong_is_refused_with_the_field(
    more: dict[str, Any], code: str, field: str
) -> None:
    asked = CloseObjective(**{"meta": meta(), "objective": "web-shop", "outcome": "missed", **more})
    active_goal().when(asked).then_refused(code, field)


def test_the_same_closing_again_is_nothing_new_and_another_is_refused() -> None:
    asked = CloseObjective(meta(), "web-shop", "partial", SEVEN, retrospective="So it was")
    record = active_goal().told(asked)
    record.when(asked).then_nothing_new()
    record.when(CloseObjective(meta(), "web-shop", "partial", EIGHT)).then_refused("objective_closed")
    other_words = CloseObjective(meta(), "web-shop", "partial", SEVEN, retrospective="Otherwise")
    record.when(other_words).then_refused("objective_closed")


def test_a_reopened_goal_is_what_it_was_and_its_closings_stay_in_the_record() -> None:
    record = active_goal().told(CloseObjective(meta(), "web-shop", "missed", Decimal(0)))
    record.when(ReopenObjective(meta(), "web-shop")).then_refused("reason_required")
    record.told(ReopenObjective(because(), "web-shop"))
    record.when(ReopenObjective(meta(), "web-shop")).then_nothing_new()
    record.when(RewordObjective(meta(), "web-shop", "New")).then_refused("reason_required")
    record.told(CloseObjective(meta(), "web-shop", "achieved", Decimal(1)))
    assert [f.data.outcome for f in record.facts if f.type == "ObjectiveClosed"] == ["missed", "achieved"]


def test_a_dropped_draft_is_reopened_as_a_draft() -> None:
    record = draft_goal().told(
        CloseObjective(meta(), "web-shop", "dropped"), ReopenObjective(because(), "web-shop")
    )
    record.when(RewordObjective(meta(), "web-shop", "Free to define")).then(
        facts.ObjectiveReworded("Free to define")
    )


def test_a_closed_goal_is_archived_and_an_admin_takes_it_out_again() -> None:
    active_goal().when(ArchiveObjective(meta(), "web-shop")).then_refused("objective_not_closed")
    record = active_goal().given(closed()).told(ArchiveObjective(meta(), "web-shop"))
    record.when(ArchiveObjective(meta(), "web-shop")).then_nothing_new()
    record.told(ReopenObjective(because(actor=BOSS), "web-shop"))
    record.when(Activate(meta(), "web-shop")).then_nothing_new()


def test_a_goal_is_carried_over_with_its_lineage_and_its_key_results_under_new_ids() -> None:
    record = active_goal(cycle="q1", kind="committed", description="Why", contributors=("person/bo",))
    record.told(DropKeyResult(because(), "open"), ChangeKeyResultWeight(because(), "visitors", Decimal(3)))
    record.given(closed(outcome="postponed"))
    asked = CarryOver(meta(), "web-shop", "web-shop-2", "q2", (("visitors", "v2"), ("reach", "r2")))
    state = record.world.get("objective", "web-shop").goal.key_results
    decision = record.when(asked).decision
    assert decision is not None
    assert [d.data for d in decision.drafts[1:]] == [
        facts.ObjectiveDrafted(
            "A winning shop", "unit/shop", "Why", "committed", "q2", ("person/bo",), carried_from="web-shop"
        ),
        facts.KeyResultAdded(
            "v2", "Key result visitors", state["visitors"].measure, Decimal(3), carried_from="visitors"
        ),
        facts.KeyResultAdded("r2", "Key result reach", state["reach"].measure, carried_from="reach"),
    ]
    assert (decision.id, decision.stream, decision.if_match) == (
        "web-shop-2",
        "objective/web-shop-2",
        "objective/web-shop",
    )
    assert [d.stream for d in decision.drafts] == ["objective/web-shop", *["objective/web-shop-2"] * 3]
    record.told(asked).when(asked).then_nothing_new()
    record.when(Activate(meta(), "web-shop-2")).then(facts.ObjectiveActivated())


def test_key_results_carried_over_without_names_get_ids_that_follow_from_the_old_ones() -> None:
    def ids() -> list[str]:
        decision = active_goal(cycle="q1").when(CarryOver(meta(), "web-shop", "next", "q2")).decision
        assert decision is not None
        return [d.data.key_result for d in decision.drafts[2:]]

    assert ids() == ids()
    assert len(set(ids())) == 3


def test_one_objective_continues_another_only_once() -> None:
    record = active_goal(cycle="q1").told(CarryOver(meta(), "web-shop", "next", "q2"))
    refusal = record.when(CarryOver(meta(), "web-shop", "again", "q2")).then_refused("already_carried_over")
    assert refusal.details == {"into": "next"}


@pytest.mark.parametrize(
    ("record", "asked", "code"),
    [
        (draft_goal(cycle="q1"), CarryOver(meta(), "web-shop", "n", "q2"), "objective_is_draft"),
        (active_goal(cycle="q1"), CarryOver(meta(), "web-shop", "n", "q1"), "same_cycle"),
        (active_goal(cycle="q1"), CarryOver(meta(), "web-shop", "n", "q9"), "unknown_cycle"),
        (active_goal(cycle="q1"), CarryOver(meta(), "web-shop", "web-shop", "q2"), "id_taken"),
        (
            active_goal(cycle="q1"),
            CarryOver(meta(), "web-shop", "n", "q2", (("no", "n1"),)),
            "unknown_key_result",
        ),
        (active_goal(cycle="q1"), CarryOver(meta(), "web-shop", "n", "q2", (("open", "reach"),)), "id_taken"),
        (
            active_goal(cycle="q1"),
            CarryOver(meta(), "web-shop", "n", "q2", (("open", "x"), ("reach", "x"))),
            "id_taken",
        ),
        (
            active_goal(cycle="q1").given(on("cycle/q2", CycleClosed())),
            CarryOver(meta(), "web-shop", "n", "q2"),
            "cycle_closed",
        ),
        (
            active_goal(cycle="q1").given(closed(), on("objective/web-shop", facts.ObjectiveArchived())),
            CarryOver(meta(), "web-shop", "n", "q2"),
            "objective_archived",
        ),
    ],
)
def test_a_carrying_over_that_cannot_be_is_refused(record: Record, asked: Any, code: str) -> None:
    record.when(asked).then_refused(code)


def test_a_goal_of_a_closed_cycle_is_carried_over_into_the_next() -> None:
    record = active_goal(cycle="q1").given(closed(), on("cycle/q1", CycleClosed()))
    assert record.when(CarryOver(meta(), "web-shop", "next", "q2")).refusal is None


def changed_by(actor: str) -> tuple[Record, str]:
    """A commitment and the event id of a change that the actor made."""
    record = active_goal().told(ChangeKeyResultWeight(because(actor=actor), "visitors", Decimal(3)))
    return record, record.facts[-1].event_id


def test_another_person_stands_behind_a_change_once() -> None:
    record, change = changed_by("person/ada")
    asked = EndorseChange(meta("person/bo"), "web-shop", change)
    record.when(asked).then(facts.ChangeEndorsed(change))
    record.told(asked).when(asked).then_nothing_new()
    record.when(EndorseChange(meta(BOSS), "web-shop", change)).then(facts.ChangeEndorsed(change))


def test_nobody_endorses_their_own_change_nor_does_a_system_nor_anything_that_is_no_change() -> None:
    record, change = changed_by("person/ada")
    record.when(EndorseChange(meta("person/ada"), "web-shop", change)).then_refused("endorsed_by_same_person")
    record.when(EndorseChange(meta("system/shop"), "web-shop", change)).then_refused("endorsed_by_system")
    draft_of = next(f.event_id for f in record.facts if f.type == "ObjectiveDrafted")
    record.when(EndorseChange(meta(BOSS), "web-shop", draft_of)).then_refused("unknown_change", "change")
    other = record.given(drafted("other")).facts[-1].event_id
    record.when(EndorseChange(meta(BOSS), "web-shop", other)).then_refused("unknown_change")


def test_an_import_closes_in_the_past_and_names_the_author() -> None:
    record = active_goal()
    importing = meta(IMPORTER, importing=True, effective_at=record.now)
    asked = CloseObjective(importing, "web-shop", "missed", author="person/bo", retrospective="Too late")
    decision = record.when(asked).then(
        facts.ObjectiveClosed("missed", author="person/bo", retrospective="Too late")
    )
    assert decision.drafts[0].effective_at == record.now


def test_the_children_of_a_closed_goal_stay_as_they_are() -> None:
    record = draft_goal().given(
        drafted("team"),
        on("objective/team", facts.ObjectiveAligned("l", "objective/web-shop", "contributes")),
    )
    record.given(closed(outcome="dropped"), key_result("t", of="team"))
    record.when(Activate(meta(), "team")).then(facts.ObjectiveActivated())


def test_an_active_goal_is_paused_with_a_reason_and_resumed() -> None:
    record = active_goal()
    record.when(PauseObjective(meta(), "web-shop")).then_refused("reason_required")
    record.when(PauseObjective(because(), "web-shop")).then(facts.ObjectivePaused())
    record.when(ResumeObjective(meta(), "web-shop")).then_nothing_new()
    record.told(PauseObjective(because(), "web-shop"))
    record.when(PauseObjective(meta(), "web-shop")).then_nothing_new()
    record.when(ResumeObjective(meta(), "web-shop")).then(facts.ObjectiveResumed())


def test_a_draft_and_a_closed_goal_are_not_paused_and_a_closing_ends_a_pause() -> None:
    draft_goal().when(PauseObjective(because(), "web-shop")).then_refused("objective_is_draft")
    active_goal().given(closed()).when(PauseObjective(because(), "web-shop")).then_refused("objective_closed")
    record = active_goal().told(
        PauseObjective(because(), "web-shop"),
        CloseObjective(meta(), "web-shop", "missed", Decimal(0)),
        ReopenObjective(because(), "web-shop"),
    )
    record.when(ResumeObjective(meta(), "web-shop")).then_nothing_new()


def test_a_pause_is_no_amendment_that_could_be_endorsed() -> None:
    record = active_goal().told(PauseObjective(because(), "web-shop"))
    paused = record.facts[-1]
    record.when(EndorseChange(meta(actor=BOSS), "web-shop", str(paused.event_id))).then_refused(
        "unknown_change"
    )
