"""The definition of a feed (kind `feed`, id: its name).

{system, kind, unit?, interval?, low?, high?, description?, registered_at,
 segments: [{seq, from, kind, unit?}]}

`segments` are the definitions in order: each holds for readings from its `from` (the fact's `effective_at`; the first
holds for all earlier ones too) until the next one's; a redefinition is a visible break in the series.

The restarts of its counter slot in anywhere and are a definition of their own (kind `restarts`, id: the feed):
{restarts: [{at, base, seq, event_id, reason?}]}        take the greatest seq <= K; `effective_at` plays no part
"""

from __future__ import annotations

from goal_ledger_projection.read_models.defines import DefinesByType, by_stream
from goal_ledger_projection.read_models.fact import CannotApply, FactRead, JsonObject

_MEMBERS = ("kind", "unit", "interval", "low", "high", "description")


def feed(before: JsonObject | None, fact: FactRead) -> JsonObject:
    data = fact.data
    members = {name: data.get(name) for name in _MEMBERS}
    segment = {"seq": fact.seq, "from": fact.effective_at, "kind": data["kind"], "unit": data.get("unit")}
    if fact.type == "FeedRegistered":
        registered = {"system": data["system"], "registered_at": fact.effective_at}
        return {**registered, **members, "segments": [segment]}
    if before is None:
        raise CannotApply(fact.seq, f"{fact.type} of a feed that was never registered")
    return {**before, **members, "segments": [*before["segments"], segment]}


def restarts(before: JsonObject | None, fact: FactRead) -> JsonObject:
    known = [one for one in (before or {"restarts": []})["restarts"] if one["at"] != fact.data["at"]]
    if fact.type == "CounterRestarted":
        one = {**fact.data, "seq": fact.seq, "event_id": fact.event_id, "reason": fact.body.get("reason")}
        known = sorted([*known, one], key=lambda one: str(one["at"]))
    return {"restarts": known}


DEFINES: DefinesByType = {
    **dict.fromkeys(("FeedRegistered", "FeedRedefined"), (by_stream("feed", feed),)),
    **dict.fromkeys(("CounterRestarted", "CounterRestartRetracted"), (by_stream("restarts", restarts),)),
}
"""Its readings define nothing."""
