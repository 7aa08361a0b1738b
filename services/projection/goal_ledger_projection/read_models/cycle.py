"""The definition of a cycle (kind `cycle`, id: the cycle).

{name, start, end, parent?, stage: planned | open | locked | closed, planned_at, opened_at?, locked_at?, closed_at?}

`start` and `end` are local dates (YYYY-MM-DD), the end inclusive. Reopening makes it open and takes `locked_at` and
`closed_at` away.
"""

from __future__ import annotations

from goal_ledger_projection.read_models.defines import every_fact_of
from goal_ledger_projection.read_models.fact import CannotApply, FactRead, JsonObject

_STAGES: dict[str, JsonObject] = {
    "CycleOpened": {"stage": "open", "opened_at": "now"},
    "CycleLocked": {"stage": "locked", "locked_at": "now"},
    "CycleClosed": {"stage": "closed", "closed_at": "now"},
    "CycleReopened": {"stage": "open", "locked_at": None, "closed_at": None},
}


def cycle(before: JsonObject | None, fact: FactRead) -> JsonObject:
    data = fact.data
    if fact.type == "CyclePlanned":
        dates = {"start": data["start"], "end": data["end"], "parent": data.get("parent")}
        return {"name": data["name"], **dates, "stage": "planned", "planned_at": fact.effective_at}
    if before is None:
        raise CannotApply(fact.seq, f"{fact.type} of a cycle that was never planned")
    if fact.type == "CycleDatesMoved":
        return {**before, "start": data["start"], "end": data["end"]}
    changed = {k: fact.effective_at if v == "now" else v for k, v in _STAGES[fact.type].items()}
    return {**before, **changed}


DEFINES = every_fact_of("cycle", cycle)
