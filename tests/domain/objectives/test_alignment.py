"""Alignment: several parents, modes and weights, and no loop however the commands come."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from domain.objectives.organisation import active_goal, because, closed, drafted, key_result, organisation
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.measures import Aligned
from goal_ledger_domain.alignment import Align, Unalign, parents
from goal_ledger_domain.key_result import DropKeyResult
from goal_ledger_domain.refusals import Refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from support.given_when_then import Record, meta, on


def goals(*ids: str) -> Record:
    """Drafts, each with a key result ``<id>-sum`` that is aligned."""
    record = organisation()
    for id in ids:
        record.given(drafted(id), key_result(f"{id}-sum", Aligned(), of=id))
    return record


def contributes(child: str, parent: str, link: str | None = None, **more: Any) -> Align:
    return Align(meta(), child, link or f"{child}-{parent.replace('/', '-')}", parent, **more)


def test_an_objective_has_several_parents_of_both_kinds() -> None:
    record = goals("team", "a", "b")
    record.when(contributes("team", "objective/a", "l1")).then(
        facts.ObjectiveAligned("l1", "objective/a", "contributes")
    )
    record.told(contributes("team", "objective/a", "l1"))
    asked = contributes("team", "key-result/b-sum", "l2", mode="supports", weight=Decimal("0.5"))
    decision = record.when(asked).then(
        facts.ObjectiveAligned("l2", "key-result/b-sum", "supports", Decimal("0.5"))
    )
    assert (decision.id, decision.stream) == ("l2", "objective/team")


def test_there_is_one_link_to_a_parent_and_another_weight_is_another_link_in_its_place() -> None:
    record = goals("team", "a").told(contributes("team", "objective/a", "l1"))
    assert record.when(contributes("team", "objective/a", "other")).then_nothing_new().id == "l1"
    heavier = contributes("team", "objective/a", "l2", weight=Decimal(3))
    decision = record.when(heavier).then(
        facts.ObjectiveAligned("l2", "objective/a", "contributes", Decimal(3))
    )
    assert decision.id == "l2"
    record.told(heavier)
    assert [link.id for link in record.world.get("objective", "team").goal.links.values()] == ["l2"]


def test_the_same_link_again_is_nothing_new_whatever_became_of_it_and_its_answer_is_the_first() -> None:
    first = contributes("team", "objective/a", "l1")
    heavier = contributes("team", "objective/a", "l2", weight=Decimal(3))
    record = goals("team", "a").told(first)
    recorded = record.facts[-1]
    for after in ((), (heavier,), (Unalign(meta(), "team", parent="objective/a"),)):
        decision = record.told(*after).when(first).then_nothing_new()
        assert (decision.id, decision.same_as) == ("l1", recorded)
    assert record.when(heavier).then_nothing_new().id == "l2"


def test_the_id_of_a_link_stands_for_one_content() -> None:
    record = goals("team", "a").told(contributes("team", "objective/a", "l1"))
    for other in ({"weight": Decimal(2)}, {"mode": "supports"}):
        record.when(contributes("team", "objective/a", "l1", **other)).then_refused("id_taken", "link")


def test_a_link_whose_weight_an_older_fact_changed_under_its_id_has_both_contents() -> None:
    record = goals("team", "a")
    for weight in (Decimal(1), Decimal(2)):
        record.given(on("objective/team", facts.ObjectiveAligned("l1", "objective/a", "contributes", weight)))
    for weight in (Decimal(1), Decimal(2)):
        record.when(contributes("team", "objective/a", "l1", weight=weight)).then_nothing_new()
    record.when(contributes("team", "objective/a", "l1", weight=Decimal(3))).then_refused("id_taken", "link")


def test_a_link_ends_by_its_id_or_its_parent_and_begins_again_under_another_id() -> None:
    record = goals("team", "a").told(contributes("team", "objective/a", "l1"))
    ended = facts.ObjectiveUnaligned("l1", "objective/a")
    record.when(Unalign(meta(), "team", link="l1")).then(ended)
    record.when(Unalign(meta(), "team", parent="objective/a")).then(ended)
    record.told(Unalign(meta(), "team", link="l1"))
    record.when(Unalign(meta(), "team", link="l1")).then_nothing_new()
    record.when(Unalign(meta(), "team", parent="objective/a")).then_nothing_new()
    record.when(contributes("team", "objective/a", "l2")).then(
        facts.ObjectiveAligned("l2", "objective/a", "contributes")
    )


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        (contributes("none", "objective/a"), "unknown_objective", "objective"),
        (contributes("team", "objective/none"), "unknown_objective", "parent"),
        (contributes("team", "key-result/none"), "unknown_key_result", "parent"),
        (contributes("team", "a"), "reference_malformed", "parent"),
        (contributes("team", "objective/a", "l 1"), "id_malformed", "link"),
        (contributes("team", "objective/a", mode="blocks"), "choice_unknown", "mode"),
        (contributes("team", "objective/a", weight=Decimal(-1)), "weight_not_allowed", "weight"),
        (contributes("team", "objective/team"), "aligned_to_itself", "parent"),
        (contributes("team", "key-result/team-sum"), "aligned_to_itself", "parent"),
        (Unalign(meta(), "team", link="none"), "unknown_link", "link"),
        (Unalign(meta(), "team", parent="objective/none"), "unknown_objective", "parent"),
        (Unalign(meta(), "team"), "field_required", "parent"),
    ],
)
def test_an_alignment_that_cannot_be_is_refused(asked: Any, code: str, field: str) -> None:
    goals("team", "a").when(asked).then_refused(code, field)


def test_the_id_of_a_link_is_unique_in_the_workspace() -> None:
    record = goals("team", "a", "b").told(contributes("team", "objective/a", "l1"))
    record.when(contributes("team", "objective/b", "l1")).then_refused("id_taken", "link")
    record.when(contributes("b", "objective/a", "l1")).then_refused("id_taken", "link")
    record.when(Unalign(meta(), "b", link="l1")).then_refused("unknown_link", "link")


def test_nothing_is_linked_to_a_dropped_key_result() -> None:
    record = goals("team", "a").told(DropKeyResult(because(), "a-sum"))
    record.when(contributes("team", "key-result/a-sum")).then_refused("key_result_dropped", "parent")


def test_only_an_aligned_measure_takes_contributions_and_every_one_takes_support() -> None:
    record = active_goal().given(drafted("team"))
    refused = record.when(contributes("team", "key-result/visitors"))
    refused.then_refused("key_result_has_own_measure", "parent")
    record.when(contributes("team", "key-result/visitors", "l", mode="supports")).then(
        facts.ObjectiveAligned("l", "key-result/visitors", "supports")
    )


def test_nothing_new_is_linked_to_a_closed_goal_and_old_links_stay() -> None:
    record = (
        goals("team", "a", "b").told(contributes("team", "objective/a", "l1")).given(closed("a", "dropped"))
    )
    record.when(contributes("b", "objective/a")).then_refused("parent_closed", "parent")
    record.when(contributes("team", "objective/a", "l1")).then_nothing_new()
    record.when(Unalign(meta(), "team", link="l1")).then(facts.ObjectiveUnaligned("l1", "objective/a"))


def test_a_loop_is_refused_with_its_path_and_a_key_result_counts_as_its_objective() -> None:
    record = goals("a", "b", "c").told(
        contributes("a", "key-result/b-sum"), contributes("b", "objective/c", mode="supports")
    )
    refusal = record.when(contributes("c", "key-result/a-sum")).then_refused("alignment_loop", "parent")
    assert refusal.details["path"] == ["c", "a", "b", "c"]


def test_of_two_racing_links_that_would_close_a_loop_together_exactly_one_wins() -> None:
    one, other = contributes("a", "objective/b"), contributes("b", "objective/a")
    for first, second in ((one, other), (other, one)):
        record = goals("a", "b")
        assert record.when(first).refusal is None and record.when(second).refusal is None
        record.tell(first)
        record.when(second).then_refused("alignment_loop")


def test_a_diamond_is_no_loop() -> None:
    record = goals("team", "left", "right", "top")
    record.told(contributes("left", "objective/top"), contributes("right", "objective/top"))
    record.told(contributes("team", "objective/left"), contributes("team", "objective/right"))


def test_aligning_a_commitment_needs_a_reason() -> None:
    record = active_goal().given(drafted("company"))
    record.when(contributes("web-shop", "objective/company")).then_refused("reason_required")
    record.told(Align(because(), "web-shop", "l", "objective/company"))
    record.when(Unalign(meta(), "web-shop", link="l")).then_refused("reason_required")


NAMES = [f"g{n}" for n in range(6)]
PARENTS = [f"objective/{n}" for n in NAMES] + [f"key-result/{n}-sum" for n in NAMES]
ASKED = st.tuples(st.booleans(), st.sampled_from(NAMES), st.sampled_from(PARENTS))


def above(record: Record, start: str) -> set[str]:
    """All objectives that are reached upwards."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for one in parents(record.world, waiting.pop()):
            if one not in reached:
                reached.add(one)
                waiting.append(one)
    return reached


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKED, max_size=25))
def test_random_links_never_make_a_loop_and_each_refused_one_would_have(asked: Any) -> None:
    record, ids = goals(*NAMES), count()
    for aligning, child, parent in asked:
        if not aligning:
            record.told(Unalign(meta(), child, parent=parent))
            continue
        top = parent.partition("/")[2].removesuffix("-sum")
        loops = child == top or child in above(record, top)
        try:
            record.tell(contributes(child, parent, f"l{next(ids)}"))
            assert not loops
        except Refusal as refusal:
            assert loops
            assert refusal.details["path"][0] == refusal.details["path"][-1] == child
    assert all(name not in above(record, name) for name in NAMES)
