"""Which of the demo's goals others have touched: the stack is theirs to use, and their facts count as well.

The scores of an untouched goal must be those counted from what the demo sent; of a touched one that cannot be said.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from goal_ledger_demo.organisation import (
    CHECK_INS,
    KEY_RESULTS,
    LINKS,
    OBJECTIVES,
    ROLLED_UP_FROM_BOTH,
    SALES,
    VISITORS,
)

FEEDS_OBJECTIVE = "web-shop"
OWN_CHECK_INS = {f"{key_result}-{day}" for _, key_result, day, _ in CHECK_INS}
OWNER_OF = {name: objective for objective, results in KEY_RESULTS.items() for name, _, _ in results}
WORDS = {"CommentAdded", "KudosGiven", "ChangeEndorsed"}
OWN_ONCE = {("hours-9", "CheckInCorrected")}
SCOPES = {f"objective/{objective}" for objective in ROLLED_UP_FROM_BOTH}
OF_ALL = {"PolicySet", "MomentCorrected", "MomentRetracted", "CycleDatesMoved", "CycleLocked", "CycleClosed"}


def touched(facts: list[dict[str, Any]], readings: set[str]) -> set[str]:
    """The demo's objectives that hold facts of others, or roll up such; ``readings``: ids that the demo sends."""
    named = {name for fact in facts for name in _touches(fact, readings)}
    definitions = Counter(
        f["stream"] for f in facts if not f["type"].startswith("CheckIn") and f["type"] not in WORDS
    )
    for objective in OBJECTIVES:
        if definitions[f"objective/{objective}"] != _own_definitions(objective):
            named.add(objective)
    above = {child: parent.partition("/")[2] for child, parent, mode, _ in LINKS if mode == "contributes"}
    for name in list(named):
        while (name := above.get(name, "")) and name not in named:
            named.add(name)
    return named


def _own_definitions(objective: str) -> int:
    links = sum(1 for child, *_ in LINKS if child == objective)
    bindings = 2 if objective == FEEDS_OBJECTIVE else 0
    return 2 + len(KEY_RESULTS[objective]) + links + bindings  # drafted and activated


def _touches(fact: dict[str, Any], readings: set[str]) -> set[str]:
    kind, _, name = fact["stream"].partition("/")
    type_name, data = fact["type"], fact["data"]
    if kind == "feed" and name in (VISITORS, SALES):
        own = type_name == "FeedRegistered" or (type_name == "ReadingRecorded" and data["id"] in readings)
        return set() if own else {FEEDS_OBJECTIVE}
    if type_name in OF_ALL and data.get("scope") not in SCOPES:
        return set(OBJECTIVES)
    if type_name.startswith("CheckIn") and name in OBJECTIVES:
        once = (data["check_in"], type_name) in OWN_ONCE
        own = data["check_in"] in OWN_CHECK_INS and (type_name == "CheckInRecorded" or once)
        return set() if own else {name}
    if type_name in ("ObjectiveAligned", "ObjectiveUnaligned") and name not in OBJECTIVES:
        parent = data["parent"].partition("/")[2]
        return {OWNER_OF.get(parent, parent)} & set(OBJECTIVES)
    return set()
