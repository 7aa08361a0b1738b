"""Every fact has its command, every command its decider; what no decision needs is not folded."""

import ast
import inspect
import re
import typing
from collections import Counter
from pathlib import Path

import pytest
from goal_ledger_contracts.facts import FACTS
from goal_ledger_domain import decide, deciders, evolve, unit
from goal_ledger_domain.decider import Decider
from goal_ledger_domain.deciders import FOLDS, RULES
from goal_ledger_domain.person import ShredPerson
from goal_ledger_domain.unit import RenameUnit
from support.given_when_then import meta

DOMAIN = Path(__file__).parents[2] / "libs/domain/goal_ledger_domain"

COMMANDS = """
CreateWorkspace SetPolicy WithholdText RecordMoment CorrectMoment RetractMoment LinkIdentity UnlinkIdentity GrantRole RevokeRole
IssueKey RotateKey RevokeKey RegisterSystem RetireSystem
CreateUnit RenameUnit MoveUnit CloseUnit NameLead JoinPilotWave LeavePilotWave
AddPerson RenamePerson JoinUnit LeaveUnit LeaveOrganisation ComeBack BeginLeave EndLeave ShredPerson
PlanCycle OpenCycle LockCycle CloseCycle ReopenCycle MoveCycleDates
RegisterFeed RedefineFeed RestartCounter RetractRestart TakeReading ReleaseReading RejectReading CorrectReading RetractReading
DraftObjective RewordObjective AssignObjective GiveKind PutInCycle MoveToCycle Align Unalign Activate CloseObjective
ReopenObjective CarryOver ArchiveObjective PauseObjective ResumeObjective EndorseChange AddComment GiveKudos
AddKeyResult RewordKeyResult ChangeMeasure ChangeKeyResultWeight ChangeKeyResultOwner BindPart UnbindPart DropKeyResult
TakeUpKeyResult RecordCheckIn CorrectCheckIn RetractCheckIn
"""


def test_every_command_of_the_specification_is_decided() -> None:
    assert {command.__name__ for command in decide.COMMANDS} == set(COMMANDS.split())


def test_every_command_brings_its_meta_first() -> None:
    assert {next(iter(command.__dataclass_fields__)) for command in decide.COMMANDS} == {"meta"}


def test_every_fact_is_drafted_by_some_decider() -> None:
    made = {
        getattr(call.func, "id", None) or getattr(call.func, "attr", None)
        for path in DOMAIN.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
    }
    # StoreRestored is written by the recovery of the store; a redefinition is drafted as the definition it is.
    assert set(FACTS) - made == {"StoreRestored"}


def test_a_fold_of_several_facts_tells_each_apart() -> None:
    folded_by = Counter(FOLDS.values())
    for fact, fold in FOLDS.items():
        if folded_by[fold] > 1:
            assert re.search(rf"\b{fact.__name__}\b", inspect.getsource(fold)), fact


def test_check_ins_and_readings_are_not_folded() -> None:
    assert {name for name in FACTS if name not in evolve.FOLDED} == {
        name for name in FACTS if name.startswith(("CheckIn", "Reading"))
    }


def test_every_row_is_of_the_command_that_it_decides() -> None:
    for command, rule in RULES.items():
        taken = typing.get_type_hints(rule.decide)["command"]
        assert command is taken or command in typing.get_args(taken)


def test_a_command_without_a_row_does_not_import(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {one: rule for one, rule in unit.DECIDER.commands.items() if one is not RenameUnit}
    monkeypatch.setattr(unit, "DECIDER", Decider(left))
    with pytest.raises(TypeError, match="RenameUnit has no row"):
        deciders._take(unit)


def test_a_command_or_a_fact_with_two_rows_does_not_import() -> None:
    with pytest.raises(TypeError, match=r"CreateUnit.* has a row elsewhere"):
        deciders._take(unit)


def test_only_shredding_is_decided_in_a_batch_of_its_own() -> None:
    assert decide.exclusive(ShredPerson(meta(), "ada"))
    assert not decide.exclusive(RenameUnit(meta(), "shop", "S"))
