"""The definition of a unit (kind `unit`, id: the unit).

{name, parent?, lead?, waves: [], stage: open | closed, created_at, closed_at?}

`parent` and `lead` are bare ids as the facts state them, or references; `waves` are the pilot waves it is in now.
"""

from __future__ import annotations

from goal_ledger_projection.read_models.defines import every_fact_of
from goal_ledger_projection.read_models.fact import CannotApply, FactRead, JsonObject


def unit(before: JsonObject | None, fact: FactRead) -> JsonObject:
    data = fact.data
    if fact.type == "UnitCreated":
        return {
            "name": data["name"],
            "parent": data.get("parent"),
            "lead": None,
            "waves": [],
            "stage": "open",
            "created_at": fact.effective_at,
        }
    if before is None:
        raise CannotApply(fact.seq, f"{fact.type} of a unit that was never created")
    return {**before, **_changed(before, fact)}


def _changed(before: JsonObject, fact: FactRead) -> JsonObject:
    data = fact.data
    match fact.type:
        case "UnitRenamed":
            return {"name": data["name"]}
        case "UnitMoved":
            return {"parent": data.get("parent")}
        case "UnitClosed":
            return {"stage": "closed", "closed_at": fact.effective_at}
        case "LeadNamed":
            return {"lead": data.get("person")}
        case "PilotWaveJoined":
            return {"waves": [*(wave for wave in before["waves"] if wave != data["wave"]), data["wave"]]}
        case "PilotWaveLeft":
            return {"waves": [wave for wave in before["waves"] if wave != data["wave"]]}
    raise CannotApply(fact.seq, f"{fact.type} is not a fact of a unit")


DEFINES = every_fact_of("unit", unit)
