"""SPEC 3 and 9 read naively: what was changed in goals after their activation, with its effect on both scores, whether it
made them easier, what stood around it, what amendments added to scores, and what was committed to."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from reading import naive
from reading.definitions import committed, completed_measure, cycle_span, goal, goals, parts, rules
from reading.log import Json, Log, instant, rounded, streams, told
from reading.scores import Reading

COUNTING = {
    *("MeasureChanged", "KeyResultAdded", "KeyResultDropped", "KeyResultTakenUp", "KeyResultWeightChanged"),
    *("PutInCycle", "MovedToCycle", "PartBound", "PartUnbound"),
}
BESIDES = {
    *("ObjectiveReworded", "ObjectiveAssigned", "KindGiven", "ObjectiveAligned", "ObjectiveUnaligned"),
    *("KeyResultReworded", "KeyResultOwnerChanged"),
}


def changes(log: Log, at: datetime, known: int) -> list[Json]:
    """All, the newest first: of the goal ``objective`` by the fact ``seq``, since ``at``."""
    found = []
    for id in streams(log, "objective", known):
        activated = _activated(log, id, known)
        if activated is None:
            continue
        for fact in log[activated["seq"] : known]:
            found += _of_fact(log, id, activated, fact)
    there = [one for one in found if one["at"] <= at]
    return sorted(there, key=lambda one: (-one["seq"], one["objective"], one["key_result"] or ""))


def _activated(log: Log, id: str, known: int) -> Json | None:
    all_ = told(log, f"objective/{id}", None, known)
    return next((fact for fact in all_ if fact["type"] == "ObjectiveActivated"), None)


def _of_fact(log: Log, id: str, activated: Json, fact: Json) -> list[Json]:
    kind, data = fact["type"], fact["data"]
    one = {"objective": id, "key_result": data.get("key_result"), "seq": fact["seq"], "type": kind}
    since = max(fact["effective_at"], activated["effective_at"])
    if fact["stream"] == f"objective/{id}":
        own = kind in COUNTING | BESIDES and not _only_found_baseline(log, id, fact)
        return [{**one, "at": fact["effective_at"], "goalpost": kind in COUNTING}] if own else []
    moved = {**one, "at": since, "goalpost": True}
    if kind in ("ObjectiveAligned", "ObjectiveUnaligned") and _contributed(log, fact):
        above, _, name = data["parent"].partition("/")
        if above == "objective" and name == id:
            return [moved]
        if above == "key-result" and name in (goal(log, id, None, len(log)) or {})["key_results"]:
            return [{**moved, "key_result": name}]
    if kind == "CycleDatesMoved" and _moved_dates(log, fact):
        there = goal(log, id, since, fact["seq"])
        if there and there["state"] == "active" and f"cycle/{there['cycle']}" == fact["stream"]:
            return [moved]
    return []


def _contributed(log: Log, fact: Json) -> bool:
    if fact["type"] == "ObjectiveAligned":
        return bool(fact["data"]["mode"] == "contributes")
    before = goal(log, fact["stream"].partition("/")[2], None, fact["seq"] - 1)
    assert before is not None
    return bool(before["links"][fact["data"]["parent"]]["mode"] == "contributes")


def _moved_dates(log: Log, fact: Json) -> bool:
    name = fact["stream"].partition("/")[2]
    return cycle_span(log, name, None, fact["seq"] - 1, "UTC") != cycle_span(
        log, name, None, fact["seq"], "UTC"
    )


def _only_found_baseline(log: Log, id: str, fact: Json) -> bool:
    if fact["type"] != "MeasureChanged":
        return False
    before = goal(log, id, None, fact["seq"] - 1)
    assert before is not None
    old, new = before["key_results"][fact["data"]["key_result"]]["measure"], fact["data"]["measure"]
    return bool(old != new and completed_measure(old, parts(new)) == new)


def judged(log: Log, one: Json) -> Json:
    """Effects, direction, and flags but that of self-approval."""
    before, after = (naive.objective(log, one["objective"], one["at"], one["seq"] - n) for n in (1, 0))
    effect = _difference(before["score"], after["score"])
    knew = (one["seq"] - 1, one["seq"])
    sides = [goal(log, one["objective"], one["at"], known) for known in knew]
    later = _sign(_difference(*(_end(log, *both, one) for both in zip(sides, knew, strict=True))))
    nearer = _nearer(*(_measure(side, one) for side in sides))
    eased = nearer or later or _sign(effect)
    statuses = [before["status"], *_status_of(before, one["key_result"])]
    return {
        "effect": effect,
        "effect_committed": _difference(before["score_committed"], after["score_committed"]),
        "direction": "eased" if eased > 0 else "tightened" if eased < 0 else "neutral",
        "flags": {
            name
            for name, holds in (
                ("late", before["expected"] is not None and before["expected"] >= Fraction(3, 4)),
                ("after_red", "at_risk" in statuses),
                ("dropped_while_red", one["type"] == "KeyResultDropped" and "at_risk" in statuses),
                ("deadline_extended", later > 0),
            )
            if holds
        },
    }


def _status_of(answer: Json, key_result: str | None) -> list[str]:
    one = answer["key_results"].get(key_result)
    return [] if one is None else [one["status"]]


def _measure(side: Json | None, one: Json) -> Json | None:
    assert side is not None
    found = side["key_results"].get(one["key_result"])
    return None if found is None else found["measure"]


def _end(log: Log, side: Json | None, known: int, one: Json) -> Any:
    """The last end of the key result's fixed windows, else of the cycle."""
    assert side is not None
    measure = _measure(side, one)
    windows = [part.get("window") or {} for part in parts(measure).values()] if measure else []
    ends = [instant(window["end"]) for window in windows if "end" in window]
    if ends:
        return max(ends)
    zone = rules(log, side, one["at"], known)["time_zone"]
    span = cycle_span(log, side["cycle"], one["at"], known, zone)
    return None if span is None else span[1]


def _nearer(old: Json | None, new: Json | None) -> int:
    """1: the target is nearer than it was, -1: it is farther."""
    if old is None or new is None or old["kind"] != new["kind"]:
        return 0
    a, b = ({name: Fraction(m[name]) for name in _NUMBERS if name in m} for m in (old, new))
    match old["kind"]:
        case "increase":
            return _sign(a["target"] - b["target"])
        case "decrease":
            return _sign(b["target"] - a["target"])
        case "stay_below":
            return _sign(b["limit"] - a["limit"])
        case "stay_above":
            return _sign(a["limit"] - b["limit"])
        case "stay_between":
            return _sign((b["high"] - b["low"]) - (a["high"] - a["low"]))
        case "reach" | "ranged" if a.get("baseline") is not None and a["baseline"] == b.get("baseline"):
            return _sign(abs(a["target"] - a["baseline"]) - abs(b["target"] - b["baseline"]))
    return 0


_NUMBERS = ("target", "baseline", "limit", "high", "low")


def _difference(before: Any, after: Any) -> Any:
    return None if before is None or after is None else after - before


def _sign(amount: Any) -> int:
    nothing = type(amount)(0) if amount is not None else 0
    return 0 if not amount else 1 if amount > nothing else -1


def dividends(log: Log, at: datetime, known: int) -> dict[str, tuple[int, int, Fraction | None]]:
    """By `all`, `cycle/<id>`, `owner/<unit or person>`: goals, those measured, the mean of amended minus committed."""
    differences: defaultdict[str, list[Fraction | None]] = defaultdict(list)
    for id, one in goals(log, at, known).items():
        if one["activated"] is None:
            continue
        now = Reading(log, at, known)
        score, first = now.objective(id).score, now.elsewhere(at, known, "committed").objective(id).score
        for group in ("all", f"cycle/{one['cycle']}", f"owner/{one['owner']}"):
            differences[group].append(_difference(first, score))
    found = {}
    for group, all_ in differences.items():
        if group == "cycle/None":
            continue
        measured = [one for one in all_ if one is not None]
        mean = rounded(sum(measured, Fraction(0)) / len(measured)) if measured else None
        found[group] = (len(all_), len(measured), mean)
    return found


def register(log: Log, at: datetime, known: int) -> list[Json]:
    """Every goal that was committed to: as it was then, and its scores now."""
    found = []
    for id, one in goals(log, at, known).items():
        then = committed(log, one, at, known)
        if then is None:
            continue
        now = naive.objective(log, id, at, known)
        found.append(
            {
                "objective": id,
                "seq": one["activated"]["seq"],
                "committed_at": one["activated"]["effective_at"],
                "owner": then["owner"],
                "cycle": then["cycle"],
                "state": one["state"],
                "present_owner": one["owner"],
                "present_cycle": one["cycle"],
                "key_results": {
                    each["id"]: (each["measure"], each["weight"], set(each["bindings"]))
                    for each in then["key_results"].values()
                    if not each["dropped"]
                },
                "score": now["score"],
                "score_committed": now["score_committed"],
            }
        )
    return sorted(found, key=lambda one: one["seq"])
