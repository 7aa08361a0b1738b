"""Any command on the goals, and what may have been before: for the properties of the deciders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

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
from goal_ledger_contracts.objective import KeyResultDropped, ObjectiveArchived, PartValue
from goal_ledger_domain.alignment import Align, Unalign
from goal_ledger_domain.binding import BindPart, UnbindPart
from goal_ledger_domain.carry_over import CarryOver
from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn, RetractCheckIn
from goal_ledger_domain.comment import AddComment, EndorseChange, GiveKudos
from goal_ledger_domain.key_result import (
    AddKeyResult,
    ChangeKeyResultOwner,
    ChangeKeyResultWeight,
    ChangeMeasure,
    DropKeyResult,
    RewordKeyResult,
    TakeUpKeyResult,
)
from goal_ledger_domain.lifecycle import (
    Activate,
    ArchiveObjective,
    CloseObjective,
    PauseObjective,
    ReopenObjective,
    ResumeObjective,
)
from goal_ledger_domain.objective import (
    AssignObjective,
    DraftObjective,
    GiveKind,
    MoveToCycle,
    PutInCycle,
    RewordObjective,
)
from hypothesis import strategies as st
from support.given_when_then import Record, meta, on

one_of, just = st.sampled_from, st.just
METAS = one_of(
    [meta(), meta(reason="Because"), meta("person/bo", reason="So"), *[meta(BOSS, reason="Because")] * 3]
)
OBJECTIVE = one_of([*["web-shop"] * 4, "team", "company", "fresh"])
KEY_RESULT = one_of(["open", "visitors", "visitors", "reach", "reach", "sum", "new"])
OWNER = one_of(["unit/shop", "person/ada", "person/bo"])
WEIGHT = one_of([Decimal(0), Decimal(1), Decimal("2.50")])
TEXT = one_of(["One", "Two", " Two "])
CYCLE = one_of(["q1", "q2"])
MEASURE = one_of([VISITORS, OPEN_SHOP, REACH, Aligned(), Increase(Decimal(5))])
PARENT = one_of(["objective/company", "objective/web-shop", "key-result/sum", "key-result/visitors"])
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
        "objective": one_of(["fresh", "newer", "web-shop"]),
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
    PutInCycle: {"objective": one_of(["company", "web-shop"]), "cycle": CYCLE},
    MoveToCycle: {"objective": OBJECTIVE, "cycle": CYCLE},
    AddKeyResult: {
        "objective": OBJECTIVE,
        "key_result": one_of(["new", "newer", "open"]),
        "text": TEXT,
        "measure": MEASURE,
        "weight": WEIGHT,
    },
    RewordKeyResult: {"key_result": KEY_RESULT, "text": TEXT},
    ChangeMeasure: {"key_result": KEY_RESULT, "measure": MEASURE},
    ChangeKeyResultWeight: {"key_result": KEY_RESULT, "weight": WEIGHT},
    ChangeKeyResultOwner: {"key_result": KEY_RESULT, "owner": OWNER},
    DropKeyResult: {"key_result": KEY_RESULT},
    TakeUpKeyResult: {"key_result": one_of(["gone", "gone", "visitors"])},
    BindPart: {
        "key_result": one_of(["visitors", "visitors", "reach"]),
        "part": one_of(["value", "value", "sales"]),
        "feed": one_of(["stock", "orders"]),
        "aggregation": one_of(["last", "sum"]),
    },
    UnbindPart: {"key_result": just("reach"), "part": just("sales")},
    Align: {
        "objective": one_of(["web-shop", "team", "team"]),
        "link": one_of(["x", "y", "z"]),
        "parent": PARENT,
        "mode": one_of(["contributes", "supports"]),
        "weight": WEIGHT,
    },
    Unalign: {
        "objective": just("web-shop"),
        "parent": one_of([*["objective/company"] * 2, "key-result/sum"]),
    },
    Activate: {"objective": one_of(["web-shop", "team", "company"])},
    CloseObjective: {
        "objective": OBJECTIVE,
        "outcome": one_of(["achieved", "dropped"]),
        "grade": GRADE,
        "suggested": GRADE,
        "retrospective": one_of([None, "So it was "]),
    },
    ReopenObjective: {"objective": just("web-shop"), "cycle": one_of([None, "q1", "q2"])},
    CarryOver: {"objective": just("web-shop"), "into": one_of(["next", "after"]), "cycle": CYCLE},
    ArchiveObjective: {"objective": just("web-shop")},
    PauseObjective: {"objective": just("web-shop")},
    ResumeObjective: {"objective": just("web-shop")},
    RecordCheckIn: {"check_in": ID, "key_result": KEY_RESULT, **SAID},
    CorrectCheckIn: {"check_in": CHECK_IN, **SAID},
    RetractCheckIn: {"check_in": CHECK_IN},
    AddComment: {"comment": ID, "on": ON, "text": TEXT},
    GiveKudos: {"kudos": ID, "on": ON, "text": TEXT},
    EndorseChange: {"objective": just("web-shop"), "change": just("the last change")},
}

COMMAND = one_of(list(COMMANDS)).flatmap(lambda command: st.builds(command, METAS, **COMMANDS[command]))


SOMETHING_SAID = (
    RecordCheckIn(meta(), "c1", key_result="visitors", values=(PartValue("value", Decimal(7)),)),
    BindPart(meta(reason="Fed"), "reach", "sales", "orders", "sum"),
    Align(meta(reason="For all"), "web-shop", "x", "objective/company"),
)


def organised(record: Record) -> Record:
    """The goal with a key result that was dropped; beside it a company's objective with an aligned one, and a team's."""
    return record.given(
        key_result("gone"),
        on("objective/web-shop", KeyResultDropped("gone")),
        drafted("company"),
        key_result("sum", Aligned(), of="company"),
        drafted("team", cycle="q1"),
    )


def going(**more: Any) -> Record:
    return organised(active_goal(**more)).told(*SOMETHING_SAID)


BEGINNINGS = {
    "draft": lambda: organised(draft_goal(cycle="q1")),
    "draft without cycle": lambda: organised(draft_goal()),
    "active": lambda: going(cycle="q1"),
    "active without cycle": lambda: going(),
    "locked": lambda: going(cycle="q1").given(on("cycle/q1", CycleLocked())),
    "closed": lambda: going(cycle="q1").given(closed()),
    "archived": lambda: going().given(closed(), on("objective/web-shop", ObjectiveArchived())),
}
STATES = [*BEGINNINGS, *["draft", "active", "closed"] * 2]


def asked(record: Record, command: Any) -> Any:
    """The command, about a change that there is."""
    if not isinstance(command, EndorseChange):
        return command
    of_goal = [f.event_id for f in record.facts if f.stream == "objective/web-shop"]
    return replace(command, change=of_goal[-1])
