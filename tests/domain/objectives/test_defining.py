"""Defining an objective: drafting, wording, owner, kind, cycle."""

from __future__ import annotations

from datetime import timedelta

import pytest
from domain.objectives.organisation import IMPORTER, active_goal, because, draft_goal, drafted, organisation
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.cycle import CycleClosed
from goal_ledger_contracts.person import PersonShredded
from goal_ledger_contracts.unit import UnitClosed
from goal_ledger_domain.objective import (
    AssignObjective,
    DraftObjective,
    GiveKind,
    MoveToCycle,
    PutInCycle,
    RewordObjective,
)
from support.given_when_then import START, meta, on


def a_draft(**more: object) -> DraftObjective:
    return DraftObjective(**{"meta": meta(), "objective": "o", "title": "T", "owner": "unit/shop", **more})  # type: ignore[arg-type]


def test_an_objective_is_drafted_with_all_it_says() -> None:
    asked = a_draft(description="Why", kind="committed", cycle="q1", contributors=("person/bo", "person/ada"))
    decision = (
        organisation()
        .when(asked)
        .then(
            facts.ObjectiveDrafted(
                "T", "unit/shop", "Why", "committed", "q1", contributors=("person/ada", "person/bo")
            )
        )
    )
    assert (decision.id, decision.stream) == ("o", "objective/o")


def test_the_same_draft_again_is_nothing_new_even_after_it_was_reworded() -> None:
    record = organisation().told(a_draft(), RewordObjective(meta(), "o", "Better"))
    record.when(a_draft()).then_nothing_new()


def test_another_draft_under_a_taken_id_is_refused() -> None:
    organisation().given(drafted("o")).when(a_draft()).then_refused("id_taken", "objective")


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"objective": "no spaces"}, "id_malformed", "objective"),
        ({"title": " "}, "text_empty", "title"),
        ({"title": "x" * 301}, "text_too_long", "title"),
        ({"title": "a\u202eb"}, "text_has_control_characters", "title"),
        ({"owner": "system/shop"}, "reference_malformed", "owner"),
        ({"owner": "unit/none"}, "unknown_unit", "owner"),
        ({"owner": "person/none"}, "unknown_person", "owner"),
        ({"contributors": ("person/none",)}, "unknown_person", "contributors/0"),
        ({"contributors": tuple(f"person/p{i}" for i in range(51))}, "too_many", "contributors"),
        ({"kind": "moonshot"}, "choice_unknown", "kind"),
        ({"cycle": "q9"}, "unknown_cycle", "cycle"),
        ({"carried_from": "none"}, "unknown_objective", "carried_from"),
    ],
)
def test_a_draft_that_says_something_wrong_is_refused_with_the_field(
    more: dict[str, object], code: str, field: str
) -> None:
    organisation().when(a_draft(**more)).then_refused(code, field)


def test_a_closed_unit_and_a_shredded_person_own_nothing_new() -> None:
    record = organisation().given(on("unit/shop", UnitClosed()), on("person/bo", PersonShredded()))
    record.when(a_draft()).then_refused("unit_closed", "owner")
    record.when(a_draft(owner="person/bo")).then_refused("person_shredded", "owner")


def test_nothing_is_drafted_in_a_closed_cycle() -> None:
    record = organisation().given(on("cycle/q1", CycleClosed()))
    record.when(a_draft(cycle="q1")).then_refused("cycle_closed", "cycle")


def test_titles_are_kept_in_their_composed_form() -> None:
    organisation().when(a_draft(title="Z\u0075\u0308rich")).then(
        facts.ObjectiveDrafted("Zürich", "unit/shop")
    )


def test_a_commitment_is_reworded_and_assigned_with_a_reason_only() -> None:
    record = active_goal()
    record.when(RewordObjective(meta(), "web-shop", "New")).then_refused("reason_required")
    record.when(AssignObjective(meta(), "web-shop", "person/bo")).then_refused("reason_required")
    record.when(RewordObjective(because(), "web-shop", "New")).then(facts.ObjectiveReworded("New"))
    assigned = record.when(AssignObjective(because("Bo took over"), "web-shop", "person/bo", ("unit/shop",)))
    decision = assigned.then(facts.ObjectiveAssigned("person/bo", ("unit/shop",)))
    assert decision.drafts[0].reason == "Bo took over"


def test_what_already_is_needs_no_reason_and_records_nothing() -> None:
    record = active_goal(kind="committed", cycle="q1")
    record.when(RewordObjective(meta(), "web-shop", "A winning shop")).then_nothing_new()
    record.when(AssignObjective(meta(), "web-shop", "unit/shop")).then_nothing_new()
    record.when(GiveKind(meta(), "web-shop", "committed")).then_nothing_new()
    record.when(PutInCycle(meta(), "web-shop", "q1")).then_nothing_new()
    record.when(MoveToCycle(meta(), "web-shop", "q1")).then_nothing_new()


def test_a_kind_and_a_first_cycle_are_given_without_a_reason() -> None:
    record = active_goal()
    record.when(GiveKind(meta(), "web-shop", "aspirational")).then(facts.KindGiven("aspirational"))
    record.when(PutInCycle(meta(), "web-shop", "q1")).then(facts.PutInCycle("q1"))


def test_a_goal_is_put_in_a_first_cycle_and_moved_to_the_next_ones() -> None:
    record = active_goal(cycle="q1")
    record.when(PutInCycle(because(), "web-shop", "q2")).then_refused("already_in_cycle")
    record.when(MoveToCycle(meta(), "web-shop", "q2")).then_refused("reason_required")
    record.when(MoveToCycle(because(), "web-shop", "q2")).then(facts.MovedToCycle("q2"))
    draft_goal().when(MoveToCycle(meta(), "web-shop", "q2")).then_refused("not_in_cycle")
    draft_goal().when(PutInCycle(meta(), "web-shop", "q9")).then_refused("unknown_cycle", "cycle")


def test_what_does_not_exist_is_not_found() -> None:
    record = organisation()
    record.when(RewordObjective(meta(), "none", "T")).then_refused("unknown_objective", "objective")


def test_only_an_importer_states_a_past_time_and_never_before_the_last_fact() -> None:
    record = draft_goal()
    last = record.now
    past = last - timedelta(days=1)
    record.when(RewordObjective(meta(effective_at=past), "web-shop", "N")).then_refused("effective_at_past")
    importing = meta(IMPORTER, importing=True, effective_at=past)
    record.when(RewordObjective(importing, "web-shop", "N")).then_refused("effective_at_goes_back")
    at_last = meta(IMPORTER, importing=True, effective_at=last)
    record.when(RewordObjective(at_last, "web-shop", "N")).then(facts.ObjectiveReworded("N"))
    begun = organisation().when(a_draft(meta=meta(IMPORTER, importing=True, effective_at=START))).decision
    assert begun is not None and begun.drafts[0].effective_at == START
