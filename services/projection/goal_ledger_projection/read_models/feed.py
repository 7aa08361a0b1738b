"""The definition of a feed (kind `feed`, id: its name).

{system, kind, unit?, interval?, low?, high?, description?, registered_at,
 segments: [{seq, from, kind, unit?}]}

`segments` are the definitions in order: each holds for readings from its `from` (the fact's `effective_at`; the first
holds for all earlier ones too) until the next one's; a redefinition is a visible break in the series.
"""

from __future__ import annotations

from goal_ledger_projection.read_models.defines import every_fact_of
from goal_ledger_projection.read_models.fact import Body, CannotApply, Fact

_MEMBERS = ("kind", "unit", "interval", "low", "high", "description")


def feed(before: Body | None, fact: Fact) -> Body:
    data = fact.data
    members = {name: data.get(name) for name in _MEMBERS}
    segment = {"seq": fact.seq, "from": fact.effective_at, "kind": data["kind"], "unit": data.get("unit")}
    if fact.type == "FeedRegistered":
        registered = {"system": data["system"], "registered_at": fact.effective_at}
        return {**registered, **members, "segments": [segment]}
    if before is None:
        raise CannotApply(fact.seq, f"{fact.type} of a feed that was never registered")
    return {**before, **members, "segments": [*before["segments"], segment]}


DEFINES = {type_: one for type_, one in every_fact_of("feed", feed).items() if type_.startswith("Feed")}
"""Its readings define nothing."""
