"""The definition of a person (kind `person`, id: the person).

{display_name: {k, n, c}, event_id, units: [], added_at, left_at?, on_leave_since?, shredded: false | true}

`on_leave_since`: none while the person is not on leave. `left_at`: when the person left the organisation, none while there. `display_name` is sealed in the fact `event_id`, JSON pointer `/display_name`.
"""

from __future__ import annotations

from goal_ledger_projection.read_models.defines import DefinesByType, by_stream, every_fact_of
from goal_ledger_projection.read_models.fact import CannotApply, FactRead, JsonObject


def person(before: JsonObject | None, fact: FactRead) -> JsonObject:
    if fact.type == "PersonAdded":
        return {**_named(fact), "units": [], "added_at": fact.effective_at, "shredded": False}
    if before is None:
        raise CannotApply(fact.seq, f"{fact.type} of a person who was never added")
    return {**before, **_changed(before, fact)}


def _named(fact: FactRead) -> JsonObject:
    return {"display_name": fact.data["display_name"], "event_id": fact.event_id}


def _changed(before: JsonObject, fact: FactRead) -> JsonObject:
    match fact.type:
        case "PersonRenamed":
            return _named(fact)
        case "UnitJoined":
            return {"units": [*(u for u in before["units"] if u != fact.data["unit"]), fact.data["unit"]]}
        case "UnitLeft":
            return {"units": [u for u in before["units"] if u != fact.data["unit"]]}
        case "PersonLeft":
            return {"left_at": fact.effective_at}
        case "PersonCameBack":
            return {"left_at": None}
        case "LeaveBegun":
            return {"on_leave_since": fact.effective_at}
        case "LeaveEnded":
            return {"on_leave_since": None}
        case "PersonShredded":
            return {"shredded": True}
    raise CannotApply(fact.seq, f"{fact.type} is not a fact of a person")


def leaver(_: JsonObject | None, fact: FactRead) -> JsonObject:
    """The definition `leaver` (id: a person who ever left): {left: true | false}; few, so that questions keep them at hand."""
    return {"left": fact.type == "PersonLeft"}


def leaves(before: JsonObject | None, fact: FactRead) -> JsonObject:
    """The definition `leaves` (id: a person who was ever on leave): {leaves: [{seq, from, to?}]}; few, too."""
    told = [] if before is None else before["leaves"]
    if fact.type == "LeaveBegun":
        return {"leaves": [*told, {"seq": fact.seq, "from": fact.effective_at}]}
    return {"leaves": [*told[:-1], {**told[-1], "to": fact.effective_at}]}


_LEAVER = by_stream("leaver", leaver)
_LEAVES = by_stream("leaves", leaves)
_ALSO = {
    "PersonLeft": (_LEAVER,),
    "PersonCameBack": (_LEAVER,),
    "LeaveBegun": (_LEAVES,),
    "LeaveEnded": (_LEAVES,),
}

DEFINES: DefinesByType = {
    type_: (*many, *_ALSO.get(type_, ())) for type_, many in every_fact_of("person", person).items()
}
