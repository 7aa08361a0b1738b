"""The property of every decider: the same command twice in a row records nothing new the second time.

Also here: each code of a refusal is raised somewhere, and nothing is raised that is not in the table.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import goal_ledger_domain
from domain.objectives.organisation import (
    BOSS,
    OPEN_SHOP,
    REACH,
    VISITORS,
    active_goal,
    closed,
    draft_goal,
    drafted,
    key_result,
)
from goal_ledger_contracts.cycle import CycleLocked
from goal_ledger_contracts.measures import Aligned, Increase
from goal_ledger_contracts.objective import ObjectiveArchived, PartValue
from goal_ledger_domain import goals
from goal_ledger_domain.alignment import Align, Unalign
from goal_ledger_domain.binding import BindPart, UnbindPart
from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn, RetractCheckIn
from goal_ledger_domain.comment import AddComment, EndorseChange, GiveKudos
from goal_ledger_domain.key_result import (
    AddKeyResult,
    ChangeKeyResultOwner,
    ChangeKeyResultWeight,
    ChangeMeasure,
    DropKeyResult,
    RewordKeyResult,
)
from goal_ledger_domain.lifecycle import (
    Activate,
    ArchiveObjective,
    CarryOver,
    CloseObjective,
    ReopenObjective,
)
from goal_ledger_domain.objective import (
    AssignObjective,
    DraftObjective,
    GiveKind,
    MoveToCycle,
    PutInCycle,
    RewordObjective,
)
from goal_ledger_domain.refusals_of_goals import GOALS
from hypothesis import given, settings
from hypothesis import strategies as st
from support.given_when_then import Record, meta, on, tells_nothing_new_twice

one_of, just = st.sampled_from, st.just
METAS = one_of([meta(), meta(reason="Because"), meta(BOSS, reason="Because"), meta("person/bo", reason="So")])
OBJECTIVE = one_of(["web-shop", "web-shop", "team", "company", "fresh"])
KEY_RESULT = one_of(["open", "visitors", "reach", "sum", "new"])
OWNER = one_of(["unit/shop", "person/ada", "person/bo"])
WEIGHT = one_of([Decimal(0), Decimal(1), Decimal("2.50")])
TEXT = one_of(["One", "Two", " Two "])
CYCLE = one_of(["q1", "q2"])
MEASURE = one_of([VISITORS, OPEN_SHOP, REACH, Aligned(), Increase(Decimal(5))])
PARENT = one_of(["objective/company", "objective/web-shop", "key-result/sum", "key-result/visitors"])
PART = one_of(["value", "sales"])
GRADE = one_of([None, Decimal("0.5"), Decimal("0.70")])
VALUES = one_of(
    [(), (PartValue("value", Decimal("7.0")),), (PartValue("value", done=("payment", "design")),)]
)
CHECK_IN = one_of(["c1", "c2"])
ID = one_of(["x", "y"])
SAID = {
    "values": VALUES,
    "confidence": one_of([None, Decimal("0.3")]),
    "note": one_of([None, "A note"]),
}
ON = one_of(["objective/web-shop", "check-in/c1"])

COMMANDS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    DraftObjective: {
        "objective": OBJECTIVE,
        "title": TEXT,
        "owner": OWNER,
        "contributors": one_of([(), ("person/bo", "person/ada")]),
    },
    RewordObjective: {"objective": OBJECTIVE, "title": TEXT},
    AssignObjective: {
        "objective": OBJECTIVE,
        "owner": OWNER,
        "contributors": one_of([(), ("person/bo", "person/ada")]),
    },
    GiveKind: {"objective": OBJECTIVE, "kind": one_of(["committed", "aspirational"])},
    PutInCycle: {"objective": OBJECTIVE, "cycle": CYCLE},
    MoveToCycle: {"objective": OBJECTIVE, "cycle": CYCLE},
    AddKeyResult: {
        "objective": OBJECTIVE,
        "key_result": KEY_RESULT,
        "text": TEXT,
        "measure": MEASURE,
        "weight": WEIGHT,
    },
    RewordKeyResult: {"key_result": KEY_RESULT, "text": TEXT},
    ChangeMeasure: {"key_result": KEY_RESULT, "measure": MEASURE},
    ChangeKeyResultWeight: {"key_result": KEY_RESULT, "weight": WEIGHT},
    ChangeKeyResultOwner: {"key_result": KEY_RESULT, "owner": OWNER},
    DropKeyResult: {"key_result": KEY_RESULT},
    BindPart: {
        "key_result": KEY_RESULT,
        "part": PART,
        "feed": one_of(["stock", "orders", "visitors"]),
        "aggregation": one_of(["last", "sum", "increase"]),
    },
    UnbindPart: {"key_result": KEY_RESULT, "part": PART},
    Align: {
        "objective": OBJECTIVE,
        "link": ID,
        "parent": PARENT,
        "mode": one_of(["contributes", "supports"]),
        "weight": WEIGHT,
    },
    Unalign: {"objective": OBJECTIVE, "parent": PARENT},
    Activate: {"objective": OBJECTIVE},
    CloseObjective: {
        "objective": OBJECTIVE,
        "outcome": one_of(["achieved", "dropped"]),
        "grade": GRADE,
        "suggested": GRADE,
        "retrospective": one_of([None, "So it was "]),
    },
    ReopenObjective: {"objective": OBJECTIVE},
    CarryOver: {"objective": OBJECTIVE, "into": one_of(["next", "after"]), "cycle": CYCLE},
    ArchiveObjective: {"objective": OBJECTIVE},
    RecordCheckIn: {"check_in": CHECK_IN, "key_result": KEY_RESULT, **SAID},
    CorrectCheckIn: {"check_in": CHECK_IN, **SAID},
    RetractCheckIn: {"check_in": CHECK_IN},
    AddComment: {"comment": ID, "on": ON, "text": TEXT},
    GiveKudos: {"kudos": ID, "on": ON, "text": TEXT},
    EndorseChange: {"objective": just("web-shop"), "change": just("the last change")},
}

COMMAND = st.one_of([st.builds(command, METAS, **fields) for command, fields in COMMANDS.items()])


def organised(record: Record) -> Record:
    return record.given(
        drafted("company"), key_result("sum", Aligned(), of="company"), drafted("team", cycle="q1")
    )


STATES = {
    "draft": lambda: draft_goal(cycle="q1"),
    "active": lambda: active_goal(),
    "locked": lambda: active_goal(cycle="q1").given(on("cycle/q1", CycleLocked())),
    "closed": lambda: active_goal(cycle="q1").given(closed()),
    "archived": lambda: active_goal().given(closed(), on("objective/web-shop", ObjectiveArchived())),
}


def test_every_command_of_the_objectives_is_tried() -> None:
    assert set(COMMANDS) == {command for part in goals.PARTS for command in part.commands}


@settings(max_examples=150, deadline=None)
@given(one_of(sorted(STATES)), st.lists(COMMAND, min_size=1, max_size=8))
def test_the_same_command_twice_records_nothing_new(state: str, asked: list[Any]) -> None:
    record = organised(STATES[state]())
    for one in asked:
        if isinstance(one, EndorseChange):
            of_goal = [f.event_id for f in record.facts if f.stream == "objective/web-shop"]
            one = EndorseChange(one.meta, one.objective, of_goal[-1])
        tells_nothing_new_twice(record, one)


def raised() -> set[str]:
    here = Path(goal_ledger_domain.__file__).parent
    sources = [p.read_text() for p in here.glob("*.py") if not p.name.startswith("refusals")]
    return set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', "\n".join(sources)))


def test_each_code_of_the_objectives_is_raised_somewhere() -> None:
    assert set(GOALS) - raised() == set()
