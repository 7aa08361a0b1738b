"""The definition of an objective (kind `objective`, id: the objective), with its key results, links and closings.

{title, description?, kind?: committed | aspirational, owner, contributors: [], cycle?,
 stage: draft | active | closed | archived,
 drafted_seq, drafted_at, activated_seq?, activated_at?,      the first activation: what is committed
 key_results: [{id, text, description?, carried_from?, measure, weight, owner?, dropped: bool, dropped_seq?, added_seq, measure_seq,
                bindings: {<part>: {feed, aggregation, seq}}}],                          in the order they were added
 links: [{link, parent, mode: contributes | supports, weight, seq}],                     one per parent
 pauses?: [{seq, from, to?}],                                                             while it owed no words
 closings: [{seq, event_id, at, actor, outcome, grade?, suggested?, author?, retrospective?, reason?, reopened_seq?}],
 archived_at?, carried_from?, carried_into?: {objective, cycle?, seq, things: [{thing, became, into?, why?}]},
 changed: {seq, event_id, type, at, actor, reason?}}

References as in the facts: owner `person/<id>` | `unit/<id>`; parent `objective/<id>` | `key-result/<id>`. `measure` as
stored (contracts.measures, with its `kind`); `measure_seq` is the fact that set it. A retrospective is sealed, JSON
pointer `/retrospective` of the closing's fact. `changed` is the last defining fact. The stream's version (with check-ins
and comments) is that of its last row in `facts`, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goal_ledger_projection.read_models.defines import DefinesByType, by_stream
from goal_ledger_projection.read_models.fact import CannotApply, FactRead, JsonObject


def objective(before: JsonObject | None, fact: FactRead) -> JsonObject:
    """Raises :class:`CannotApply` for a change of an objective or key result that is not there."""
    if fact.type == "ObjectiveDrafted":
        return {**_drafted(fact), "changed": _change(fact)}
    if before is None:
        raise CannotApply(fact.seq, f"{fact.type} of an objective that was never drafted")
    return {**before, **_CHANGES[fact.type](before, fact), "changed": _change(fact)}


def key_result(body: JsonObject, id: str) -> JsonObject | None:
    """The key result of that id in an objective's definition."""
    return next((one for one in body["key_results"] if one["id"] == id), None)


def _change(fact: FactRead) -> JsonObject:
    body = fact.body
    return {
        "seq": fact.seq,
        "event_id": body["event_id"],
        "type": fact.type,
        "at": body["effective_at"],
        "actor": body["actor"],
        "reason": body.get("reason"),
    }


def _drafted(fact: FactRead) -> JsonObject:
    data = fact.data
    return {
        "title": data["title"],
        "description": data.get("description"),
        "kind": data.get("kind"),
        "owner": data["owner"],
        "contributors": data.get("contributors", []),
        "cycle": data.get("cycle"),
        "stage": "draft",
        "drafted_seq": fact.seq,
        "drafted_at": fact.effective_at,
        "key_results": [],
        "links": [],
        "closings": [],
        "carried_from": data.get("carried_from"),
    }


def _reworded(_: JsonObject, fact: FactRead) -> JsonObject:
    return {"title": fact.data["title"], "description": fact.data.get("description")}


def _assigned(_: JsonObject, fact: FactRead) -> JsonObject:
    return {"owner": fact.data["owner"], "contributors": fact.data.get("contributors", [])}


def _one_member(name: str) -> Callable[[JsonObject, FactRead], JsonObject]:
    return lambda _, fact: {name: fact.data[name]}


def _aligned(before: JsonObject, fact: FactRead) -> JsonObject:
    data = fact.data
    link = {
        "link": data["link"],
        "parent": data["parent"],
        "mode": data["mode"],
        "weight": data.get("weight", "1"),
        "seq": fact.seq,
    }
    return {"links": [*_links_without(before, data["parent"]), link]}


def _unaligned(before: JsonObject, fact: FactRead) -> JsonObject:
    return {"links": _links_without(before, fact.data["parent"])}


def _links_without(before: JsonObject, parent: str) -> list[JsonObject]:
    return [link for link in before["links"] if link["parent"] != parent]


def _activated(before: JsonObject, fact: FactRead) -> JsonObject:
    if before.get("activated_seq") is not None:
        return {"stage": "active"}
    return {"stage": "active", "activated_seq": fact.seq, "activated_at": fact.effective_at}


def _closed(before: JsonObject, fact: FactRead) -> JsonObject:
    body = fact.body
    closing = {
        "seq": fact.seq,
        "event_id": body["event_id"],
        "at": body["effective_at"],
        "actor": body["actor"],
        "reason": body.get("reason"),
        **fact.data,
    }
    return {"stage": "closed", "closings": [*before["closings"], closing], **_resumed(before, fact)}


def _paused(before: JsonObject, fact: FactRead) -> JsonObject:
    return {"pauses": [*before.get("pauses", ()), {"seq": fact.seq, "from": fact.effective_at}]}


def _resumed(before: JsonObject, fact: FactRead) -> JsonObject:
    """The last pause ends, if it goes on."""
    *earlier, last = before.get("pauses") or [None]
    return {} if last is None or "to" in last else {"pauses": [*earlier, {**last, "to": fact.effective_at}]}


def _reopened(before: JsonObject, fact: FactRead) -> JsonObject:
    *earlier, last = before["closings"]
    stage = "draft" if before.get("activated_seq") is None else "active"
    return {"stage": stage, "closings": [*earlier, {**last, "reopened_seq": fact.seq}], "archived_at": None}


def _archived(_: JsonObject, fact: FactRead) -> JsonObject:
    return {"stage": "archived", "archived_at": fact.effective_at}


def _carried_over(_: JsonObject, fact: FactRead) -> JsonObject:
    into = {"objective": fact.data["into"], "cycle": fact.data.get("cycle"), "seq": fact.seq}
    return {"carried_into": {**into, "things": fact.data.get("things", [])}}


def _key_result_added(before: JsonObject, fact: FactRead) -> JsonObject:
    data = fact.data
    added = {
        "id": data["key_result"],
        "text": data["text"],
        "description": data.get("description"),
        "carried_from": data.get("carried_from"),
        "measure": data["measure"],
        "weight": data.get("weight", "1"),
        "owner": data.get("owner"),
        "dropped": False,
        "added_seq": fact.seq,
        "measure_seq": fact.seq,
        "bindings": {},
    }
    return {"key_results": [*before["key_results"], added]}


def _key_result_changed(
    change: Callable[[JsonObject, FactRead], JsonObject],
) -> Callable[[JsonObject, FactRead], JsonObject]:
    def changed(before: JsonObject, fact: FactRead) -> JsonObject:
        id = fact.data["key_result"]
        if key_result(before, id) is None:
            raise CannotApply(fact.seq, f"{fact.type} of the key result {id} that was never added")
        many = [{**one, **change(one, fact)} if one["id"] == id else one for one in before["key_results"]]
        return {"key_results": many}

    return changed


def _reworded_key_result(_: JsonObject, fact: FactRead) -> JsonObject:
    return {"text": fact.data["text"], "description": fact.data.get("description")}


def _measure_changed(_: JsonObject, fact: FactRead) -> JsonObject:
    return {"measure": fact.data["measure"], "measure_seq": fact.seq}


def _bound(one: JsonObject, fact: FactRead) -> JsonObject:
    data = fact.data
    binding: dict[str, Any] = {"feed": data["feed"], "aggregation": data["aggregation"], "seq": fact.seq}
    return {"bindings": {**one["bindings"], data["part"]: binding}}


def _unbound(one: JsonObject, fact: FactRead) -> JsonObject:
    return {"bindings": {part: b for part, b in one["bindings"].items() if part != fact.data["part"]}}


_CHANGES: dict[str, Callable[[JsonObject, FactRead], JsonObject]] = {
    "ObjectiveReworded": _reworded,
    "ObjectiveAssigned": _assigned,
    "KindGiven": _one_member("kind"),
    "PutInCycle": _one_member("cycle"),
    "MovedToCycle": _one_member("cycle"),
    "ObjectiveAligned": _aligned,
    "ObjectiveUnaligned": _unaligned,
    "ObjectiveActivated": _activated,
    "ObjectiveClosed": _closed,
    "ObjectiveReopened": _reopened,
    "ObjectiveArchived": _archived,
    "ObjectivePaused": _paused,
    "ObjectiveResumed": _resumed,
    "ObjectiveCarriedOver": _carried_over,
    "KeyResultAdded": _key_result_added,
    "KeyResultReworded": _key_result_changed(_reworded_key_result),
    "MeasureChanged": _key_result_changed(_measure_changed),
    "KeyResultWeightChanged": _key_result_changed(_one_member("weight")),
    "KeyResultOwnerChanged": _key_result_changed(lambda _, fact: {"owner": fact.data.get("owner")}),
    "PartBound": _key_result_changed(_bound),
    "PartUnbound": _key_result_changed(_unbound),
    "KeyResultDropped": _key_result_changed(lambda _, fact: {"dropped": True, "dropped_seq": fact.seq}),
    "KeyResultTakenUp": _key_result_changed(lambda _, fact: {"dropped": False, "dropped_seq": None}),
}

_OBJECTIVE = by_stream("objective", objective)
DEFINES: DefinesByType = {type_: (_OBJECTIVE,) for type_ in ("ObjectiveDrafted", *_CHANGES)}
"""The facts of the stream that change the definition. The others are check-ins, comments, kudos and endorsements."""
