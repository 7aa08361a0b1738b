"""SPEC 3, *Backdating*: what a stated time comes to."""

from datetime import timedelta
from typing import Any

import pytest
from goal_ledger_contracts.unit import UnitCreated, UnitRenamed
from goal_ledger_contracts.workspace import (
    KeyIssued,
    MomentRecorded,
    Policy,
    PolicySet,
    SystemRegistered,
    WorkspaceCreated,
)
from goal_ledger_domain.access import RevokeKey
from goal_ledger_domain.command import need_version
from goal_ledger_domain.moment import RecordMoment
from goal_ledger_domain.policy import SetPolicy
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import RegisterSystem
from goal_ledger_domain.unit import RenameUnit
from support.given_when_then import START, WORKSPACE, Given, Record, given, meta, on

YESTERDAY = START - timedelta(days=1)


def shop(**at: Any) -> Record:
    return given(on("unit/shop", UnitCreated("Shop"), **at))


def test_without_a_stated_time_a_fact_is_effective_as_it_is_recorded() -> None:
    record = shop()
    draft = record.when(RenameUnit(meta(), "shop", "Web shop")).then(UnitRenamed("Web shop")).drafts[0]
    assert draft.effective_at == record.now + timedelta(minutes=1)
    assert draft.stated_at is None


def test_a_time_up_to_five_minutes_ahead_is_stored_as_recorded_with_the_stated_time_beside_it() -> None:
    record = shop()
    ahead = record.now + timedelta(minutes=6)
    draft = record.when(RenameUnit(meta(effective_at=ahead), "shop", "S")).then(UnitRenamed("S")).drafts[0]
    assert draft.effective_at == record.now + timedelta(minutes=1)
    assert draft.stated_at == ahead


def test_a_time_further_ahead_is_refused() -> None:
    record = shop()
    ahead = record.now + timedelta(minutes=6, microseconds=1)
    record.when(RenameUnit(meta(effective_at=ahead), "shop", "S")).then_refused("effective_at_ahead")


def test_only_an_importer_may_state_the_past() -> None:
    asked = RenameUnit(meta(effective_at=YESTERDAY), "shop", "S")
    shop(at=YESTERDAY).when(asked).then_refused("effective_at_past", "effective_at")


def test_an_importer_may_state_the_past_down_to_the_streams_last_fact() -> None:
    asked = RenameUnit(meta(effective_at=YESTERDAY, importing=True), "shop", "S")
    draft = shop(at=YESTERDAY).when(asked).then(UnitRenamed("S")).drafts[0]
    assert (draft.effective_at, draft.stated_at) == (YESTERDAY, None)


def test_not_even_an_importer_goes_back_within_a_stream() -> None:
    before = YESTERDAY - timedelta(microseconds=1)
    asked = RenameUnit(meta(effective_at=before, importing=True), "shop", "S")
    shop(at=YESTERDAY).when(asked).then_refused("effective_at_goes_back", "effective_at")


PAST = meta(effective_at=YESTERDAY, importing=True, reason="As it was")
LONG_AGO = START - timedelta(days=9)


def old_workspace() -> Record:
    record = Record()
    record.append(Given(f"workspace/{WORKSPACE}", WorkspaceCreated("Acme", "Europe/Oslo"), LONG_AGO))
    return record.given(on("unit/shop", UnitCreated("Shop"), at=LONG_AGO))


def test_policies_access_and_the_rest_of_the_workspace_do_not_block_each_others_past() -> None:
    key = KeyIssued("k", "system/till", "1" * 64)
    record = old_workspace().given(
        on(f"workspace/{WORKSPACE}", SystemRegistered("till", "Till"), at=LONG_AGO),
        on(f"workspace/{WORKSPACE}", key, PolicySet("unit/shop", 1, Policy(grace_days=1))),
    )
    for asked in (
        SetPolicy(PAST, "workspace", Policy(grace_days=3)),
        RegisterSystem(PAST, "shop", "Shop"),
    ):
        assert record.when(asked).decision is not None
    refusal = record.when(SetPolicy(PAST, "unit/shop", Policy(grace_days=3)))
    refusal.then_refused("effective_at_goes_back", "effective_at")
    record.when(RevokeKey(PAST, "k")).then_refused("effective_at_goes_back", "effective_at")
    before = meta(effective_at=LONG_AGO - timedelta(days=1), importing=True, reason="As it was")
    record.when(SetPolicy(before, "workspace", Policy(grace_days=3))).then_refused("effective_at_goes_back")


def test_a_time_that_no_calendar_reckons_with_is_refused() -> None:
    asked = RenameUnit(meta(effective_at=START.replace(year=1), importing=True), "shop", "S")
    shop().when(asked).then_refused("time_out_of_range", "effective_at")


def test_a_moment_slots_in_anywhere_for_anybody() -> None:
    asked = RecordMoment(meta(), "launch", YESTERDAY)
    draft = given().when(asked).then(MomentRecorded("launch", YESTERDAY)).drafts[0]
    assert draft.effective_at == YESTERDAY


def test_a_reason_of_white_space_is_no_reason_and_a_reason_is_clean_text() -> None:
    shop().when(RenameUnit(meta(reason=" \n"), "shop", "S")).then_refused("text_empty", "reason")
    shop().when(RenameUnit(meta(reason="a\u202eb"), "shop", "S")).then_refused("text_has_control_characters")


def test_a_stale_version_is_refused_with_the_present_one() -> None:
    record = shop()
    asked = RenameUnit(meta(), "shop", "S")
    decision, situation = record.decide(asked), record._situation(asked)
    assert need_version(decision, situation, 1) is decision
    assert need_version(decision, situation, None) is decision
    with pytest.raises(Refusal) as refused:
        need_version(decision, situation, 2)
    assert (refused.value.code, refused.value.details) == ("version_stale", {"version": 1})
