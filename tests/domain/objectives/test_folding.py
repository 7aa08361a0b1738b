"""The fold of an objective's stream: nothing below a branch changes, and stored facts fold to the same state."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from domain.objectives.any_command import BEGINNINGS, COMMAND, STATES, asked
from goal_ledger_contracts.envelope import from_bytes, to_bytes
from goal_ledger_contracts.measures import Zones
from goal_ledger_contracts.objective import KeyResultAdded
from goal_ledger_domain import evolve
from goal_ledger_domain.deciders import DECIDING
from goal_ledger_domain.fold_version import fold_version
from goal_ledger_domain.goal import CHANGES_KEPT, KeyResult, contributing
from goal_ledger_domain.key_result import ChangeKeyResultWeight, RewordKeyResult
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World
from hypothesis import given, settings
from hypothesis import strategies as st
from support.given_when_then import Record, meta

KINDS = ("objective", "key-result", "link", "contributing")


def goals_of(world: World) -> dict[tuple[str, str], Any]:
    return {(kind, id): state for kind in KINDS for id, state in world.all(kind)}


def after(state: str, commands: list[Any]) -> Record:
    record = BEGINNINGS[state]()
    for one in commands:
        try:
            record.tell(asked(record, one))
        except Refusal:
            continue
    return record


HISTORY = (st.sampled_from(STATES), st.lists(COMMAND, max_size=10))


@settings(max_examples=50, deadline=None)
@given(*HISTORY)
def test_what_is_decided_on_a_branch_leaves_the_state_below_as_it_was(
    state: str, commands: list[Any]
) -> None:
    record = BEGINNINGS[state]()
    below, before = record.world, goals_of(record.world)
    record.world = below.branch()
    for one in commands:
        try:
            record.tell(asked(record, one))
        except Refusal:
            continue
    assert goals_of(below) == before
    above = goals_of(record.world)
    below.absorb(record.world)
    assert goals_of(below) == above


@settings(max_examples=50, deadline=None)
@given(*HISTORY)
def test_stored_facts_fold_to_the_same_state(state: str, commands: list[Any]) -> None:
    record, again = after(state, commands), World()
    for fact in record.facts:
        evolve.evolve(again, from_bytes(to_bytes(fact)))
    assert goals_of(again) == goals_of(record.world)


@settings(max_examples=50, deadline=None)
@given(*HISTORY)
def test_the_count_of_contributing_links_is_what_a_recount_gives(state: str, commands: list[Any]) -> None:
    world = after(state, commands).world
    recounted = Counter(
        link.parent
        for _, one in world.all("objective")
        for link in one.goal.links.values()
        if link.mode == "contributes"
    )
    assert {parent: n for parent, n in world.all("contributing") if n} == dict(recounted)
    assert all(contributing(world, parent) == n for parent, n in recounted.items())


def test_only_the_newest_changes_are_kept_for_endorsement() -> None:
    record = BEGINNINGS["active"]()
    for n in range(CHANGES_KEPT + 5):
        record.tell(RewordKeyResult(meta(reason="So"), "visitors", f"Words {n}"))
    kept = record.world.get("objective", "web-shop").goal.changes
    assert list(kept) == [fact.event_id for fact in record.facts[-CHANGES_KEPT:]]


def _without_a_field(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = cls.__dataclass_fields__.items()
    left = others if first[0] != "meta" else [first, *others[1:]]
    monkeypatch.setattr(cls, "__dataclass_fields__", dict(left))


@pytest.mark.parametrize("held", [KeyResult, KeyResultAdded, Zones])
def test_a_state_of_another_shape_is_another_version_of_the_fold(
    held: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fold_version(DECIDING) == evolve.FOLD_VERSION
    _without_a_field(held, monkeypatch)
    assert fold_version(DECIDING) != evolve.FOLD_VERSION


def test_a_command_of_another_shape_is_no_other_version_of_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_a_field(ChangeKeyResultWeight, monkeypatch)
    assert fold_version(DECIDING) == evolve.FOLD_VERSION
