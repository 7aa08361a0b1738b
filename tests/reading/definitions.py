"""SPEC 7: the definitions in effect at T as known at K, each folded anew from the log."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from reading.log import Json, Log, instant, streams, told

Span = tuple[datetime | None, datetime | None]


def goals(log: Log, at: datetime, known: int) -> dict[str, Json]:
    """All objectives that existed."""
    found = {id: goal(log, id, at, known) for id in streams(log, "objective", known)}
    return {id: one for id, one in found.items() if one is not None}


def goal(log: Log, id: str, at: datetime | None, known: int) -> Json | None:
    """One objective with its key results and links."""
    found: Json | None = None
    for fact in told(log, f"objective/{id}", at, known):
        if fact["type"] == "ObjectiveDrafted":
            found = _drafted(id, fact)
        elif found is not None:
            _goal_changed(found, fact)
            _key_result_changed(found["key_results"], fact)
    return found


def _drafted(id: str, fact: Json) -> Json:
    return {
        "id": id,
        "owner": fact["data"]["owner"],
        "cycle": fact["data"].get("cycle"),
        "state": "draft",
        "activated": None,
        "closing": None,
        "pauses": [],
        "key_results": {},
        "links": {},
    }


def _goal_changed(goal: Json, fact: Json) -> None:
    data = fact["data"]
    match fact["type"]:
        case "ObjectiveAssigned":
            goal["owner"] = data["owner"]
        case "PutInCycle" | "MovedToCycle":
            goal["cycle"] = data["cycle"]
        case "ObjectiveAligned":
            goal["links"][data["parent"]] = {**data, "seq": fact["seq"]}
        case "ObjectiveUnaligned":
            goal["links"].pop(data["parent"], None)
        case "ObjectiveActivated":
            goal["state"] = "active"
            goal["activated"] = goal["activated"] or fact
        case "ObjectiveClosed":
            goal["state"], goal["closing"] = "closed", fact
            _resumed(goal["pauses"], fact)
        case "ObjectivePaused":
            goal["pauses"].append([fact["effective_at"], None])
        case "ObjectiveResumed":
            _resumed(goal["pauses"], fact)
        case "ObjectiveReopened":
            goal["state"], goal["closing"] = "active" if goal["activated"] else "draft", None
        case "ObjectiveArchived":
            goal["state"] = "archived"


def _resumed(pauses: list[list[Any]], fact: Json) -> None:
    if pauses and pauses[-1][1] is None:
        pauses[-1][1] = fact["effective_at"]


def pauses(log: Log, goal: Json, at: datetime, known: int) -> list[list[Any]]:
    """When the goal was paused, and when its owner was on leave: from, to (None: it goes on)."""
    found: list[list[Any]] = [*goal["pauses"]]
    for fact in told(log, goal["owner"], at, known):
        if fact["type"] == "LeaveBegun":
            found.append([fact["effective_at"], None])
        elif fact["type"] == "LeaveEnded":
            _resumed(found, fact)
    return found


def is_paused(pauses: list[list[Any]], ends: datetime) -> bool:
    """At the last moment before that."""
    return any(start < ends and (end is None or end >= ends) for start, end in pauses)


def _key_result_changed(key_results: dict[str, Json], fact: Json) -> None:
    data, kind = fact["data"], fact["type"]
    if kind == "KeyResultAdded":
        key_results[data["key_result"]] = {
            "id": data["key_result"],
            "measure": data["measure"],
            "weight": Fraction(data.get("weight", "1")),
            "dropped": False,
            "bindings": {},
        }
    elif data.get("key_result") in key_results:
        _changed(key_results[data["key_result"]], kind, {**data, "seq": fact["seq"]})


def _changed(one: Json, kind: str, data: Json) -> None:
    match kind:
        case "MeasureChanged":
            one["measure"] = data["measure"]
        case "KeyResultWeightChanged":
            one["weight"] = Fraction(data["weight"])
        case "KeyResultDropped" | "KeyResultTakenUp":
            one["dropped"] = kind == "KeyResultDropped"
        case "PartBound":
            one["bindings"][data["part"]] = data
        case "PartUnbound":
            one["bindings"].pop(data["part"], None)


def parts(measure: Json) -> dict[str, Json]:
    """The simple measures by part."""
    if measure["kind"] == "compound":
        return {part["id"]: part["measure"] for part in measure["parts"]}
    return {} if measure["kind"] == "aligned" else {"value": measure}


def committed(log: Log, defined: Json, at: datetime, known: int) -> Json | None:
    """Folded up to the seq of the first activation, completed by baselines that were still to be found."""
    if defined["activated"] is None:
        return None
    found = goal(log, defined["id"], None, defined["activated"]["seq"])
    assert found is not None
    for fact in told(log, f"objective/{defined['id']}", at, known):
        later = fact["type"] == "MeasureChanged" and fact["seq"] > defined["activated"]["seq"]
        if later and fact["data"]["key_result"] in found["key_results"]:
            one = found["key_results"][fact["data"]["key_result"]]
            one["measure"] = completed_measure(one["measure"], parts(fact["data"]["measure"]))
    return found


def lacks_baseline(measure: Json) -> bool:
    return measure["kind"] in ("increase", "decrease", "reach") and "baseline" not in measure


def completed_measure(measure: Json, later: dict[str, Json]) -> Json:
    if measure["kind"] == "compound":
        made = [{**one, "measure": _with(one["measure"], later.get(one["id"]))} for one in measure["parts"]]
        return {**measure, "parts": made}
    return _with(measure, later.get("value"))


def _with(measure: Json, later: Json | None) -> Json:
    if later is None or not lacks_baseline(measure) or "baseline" not in later:
        return measure
    way = Fraction(measure["target"]) - Fraction(later["baseline"])
    right = {"increase": way > 0, "decrease": way < 0, "reach": way != 0}[measure["kind"]]
    alike = later["kind"] == measure["kind"] and later.get("unit") == measure.get("unit")
    return {**measure, "baseline": later["baseline"]} if alike and right else measure


def links_to(log: Log, parent: str, at: datetime | None, known: int) -> list[tuple[str, Json]]:
    """The links in effect to an objective or key result, with the child."""
    children = ((id, goal(log, id, at, known)) for id in streams(log, "objective", known))
    return [(id, one["links"][parent]) for id, one in children if one is not None and parent in one["links"]]


DEFAULTS: Json = {
    "on_track_points": "5",
    "behind_points": "25",
    "roll_up": "key_results",
    "cadence_weeks": 1,
    "anchor_weekday": 5,
    "grace_days": 2,
}


def rules(log: Log, goal: Json, at: datetime, known: int) -> Json:
    """The policy in force: what the nearest scope sets that sets it."""
    scopes, unit = [f"objective/{goal['id']}"], goal["owner"] if goal["owner"].startswith("unit/") else None
    while unit is not None:
        scopes.append(unit)
        unit = _unit_above(log, unit, at, known)
    found = {**DEFAULTS, "time_zone": time_zone(log, at, known)}
    for scope in reversed([*scopes, "workspace"]):
        found.update(_policy(log, scope, at, known))
    return found


def _policy(log: Log, scope: str, at: datetime, known: int) -> Json:
    found: Json = {}
    for fact in log:
        in_effect = fact["seq"] <= known and fact["effective_at"] <= at
        if fact["type"] == "PolicySet" and fact["data"]["scope"] == scope and in_effect:
            found = fact["data"]["policy"]
    return found


def _unit_above(log: Log, unit: str, at: datetime, known: int) -> str | None:
    above = None
    for fact in told(log, unit, at, known):
        if fact["type"] in ("UnitCreated", "UnitMoved"):
            above = fact["data"].get("parent")
    return None if above is None else f"unit/{above.removeprefix('unit/')}"


def time_zone(log: Log, at: datetime, known: int) -> str:
    created: str = log[0]["data"]["time_zone"]
    own: str = _policy(log, "workspace", at, known).get("time_zone", created)
    return own


def day_start(day: date, zone: str) -> datetime:
    """Of the local day."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def cycle_span(log: Log, cycle: str | None, at: datetime | None, known: int, zone: str) -> Span | None:
    """[start 00:00, day after end 00:00) on the local calendar."""
    span = None
    for fact in told(log, f"cycle/{cycle}", at, known):
        if fact["type"] in ("CyclePlanned", "CycleDatesMoved"):
            start, end = (date.fromisoformat(fact["data"][edge]) for edge in ("start", "end"))
            span = day_start(start, zone), day_start(end + timedelta(1), zone)
    return span


def moment(log: Log, name: str, known: int) -> datetime | None:
    """When it was, by what was known."""
    found = None
    for fact in log[:known]:
        if fact["type"] in ("MomentRecorded", "MomentCorrected") and fact["data"]["name"] == name:
            found = instant(fact["data"]["at"])
        elif fact["type"] == "MomentRetracted" and fact["data"]["name"] == name:
            found = None
    return found


def feed_definitions(log: Log, feed: str, at: datetime | None, known: int) -> list[Json]:
    """Its definitions in order of time, each with ``since`` (the first: from the beginning of time)."""
    found: list[Json] = []
    for fact in told(log, f"feed/{feed}", at, known):
        if fact["type"] in ("FeedRegistered", "FeedRedefined"):
            found.append({**fact["data"], "since": fact["effective_at"] if found else None})
    return found or ([] if at is None else feed_definitions(log, feed, None, known))


def restarts(log: Log, feed: str, known: int) -> dict[datetime, Any]:
    """When the counter began anew, and from what."""
    found: dict[datetime, Any] = {}
    for fact in log[:known]:
        if fact["stream"] != f"feed/{feed}":
            continue
        if fact["type"] == "CounterRestarted":
            found[instant(fact["data"]["at"])] = Fraction(fact["data"].get("base", "0"))
        elif fact["type"] == "CounterRestartRetracted":
            found.pop(instant(fact["data"]["at"]), None)
    return found


def part_unit(log: Log, measure: Json, binding: Json | None) -> str | None:
    """Its own, else its feed's at the binding."""
    own: str | None = measure.get("unit")
    if own is not None or binding is None:
        return own
    known = feed_definitions(log, binding["feed"], None, binding["seq"])
    return known[-1].get("unit") if known else None
