"""SPEC 3, 5 and 7: the value of a part at (T, K), from check-ins or from the readings of its feed."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from reading.definitions import Span, feed_definitions, moment, part_unit, parts, restarts
from reading.log import Json, Log, instant

KINDS = {"increase": "counter", "sum": "event_count", "count": "event_count"}
NOTHING: Json = {
    "value": None,
    "done": None,
    "at": None,
    "waiting_for": None,
    "not_comparable": False,
    "of": None,
}


def value(log: Log, one: Json, part: str, cycle: Span | None, zone: str, at: datetime, known: int) -> Json:
    """What is in force of one part of a key result."""
    measure, binding = parts(one["measure"])[part], one["bindings"].get(part)
    span = window(log, measure, zone, at, known)
    if isinstance(span, str):
        return {**NOTHING, "waiting_for": span}
    if binding is None:
        return _checked_in(log, one["id"], part, measure, span, at, known)
    if "window" not in measure and binding["aggregation"] != "last":
        if cycle is None:
            return NOTHING
        span = cycle
    return _fed(log, binding, part_unit(log, measure, binding), span, at, known)


def window(log: Log, measure: Json, zone: str, at: datetime, known: int) -> Span | str:
    """The part's window as seen at ``at``; the name of the moment that it waits for."""
    given = measure.get("window")
    if given is None:
        return None, None
    if "moment" not in given:
        start, end = (None if edge not in given else instant(given[edge]) for edge in ("start", "end"))
        return start, end
    opened = moment(log, given["moment"], known)
    if opened is None or opened > at:
        return str(given["moment"])
    return opened, None if "duration" not in given else later(opened, given["duration"], zone)


def later(at: datetime, duration: str, zone: str) -> datetime:
    """``at`` and a duration of years, months, weeks and days more, on the local calendar."""
    much = {unit: int(n) for n, unit in re.findall(r"(\d+)([YMWD])", duration)}
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    months = local.year * 12 + local.month - 1 + 12 * much.get("Y", 0) + much.get("M", 0)
    year, month = months // 12, months % 12 + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    moved = local.replace(year=year, month=month, day=day)
    moved += timedelta(weeks=much.get("W", 0), days=much.get("D", 0))
    return moved.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def inside(span: Span, at: datetime) -> bool:
    return (span[0] is None or at >= span[0]) and (span[1] is None or at < span[1])


def check_ins(log: Log, at: datetime, known: int) -> list[Json]:
    """Those in force, the newest first; each with the measure that was current when it was recorded."""
    found: dict[str, Json] = {}
    measures: dict[str, Json] = {}
    for fact in log[:known]:
        data = fact["data"]
        match fact["type"]:
            case "KeyResultAdded" | "MeasureChanged":
                measures[data["key_result"]] = data["measure"]
            case "CheckInRecorded" | "CheckInCorrected":
                found[data["check_in"]] = {**fact, "measure": measures.get(data.get("key_result"))}
            case "CheckInRetracted":
                del found[data["check_in"]]
    there = [one for one in found.values() if one["effective_at"] <= at]
    return sorted(there, key=lambda one: (one["effective_at"], one["seq"]), reverse=True)


def _checked_in(
    log: Log, key_result: str, part: str, measure: Json, span: Span, at: datetime, known: int
) -> Json:
    passed_over = False
    for one in check_ins(log, at, known):
        if one["data"].get("key_result") != key_result or not inside(span, one["effective_at"]):
            continue
        for given in one["data"].get("values", []):
            if given["part"] != part:
                continue
            if _alike(parts(one["measure"]).get(part), measure):
                return {
                    **_given(given),
                    "at": one["effective_at"],
                    "not_comparable": passed_over,
                    "of": one["event_id"],
                }
            passed_over = True
    return {**NOTHING, "not_comparable": passed_over}


def _alike(then: Json | None, now: Json) -> bool:
    return then is not None and (then["kind"], then.get("unit")) == (now["kind"], now.get("unit"))


def _given(given: Json) -> Json:
    if "value" in given:
        return {**NOTHING, "value": Fraction(given["value"])}
    return {**NOTHING, "done": given.get("done", [])}


def readings(log: Log, feed: str, at: datetime, known: int) -> list[Json]:
    """The accepted ones up to ``at``, by (time, the seq that they count from)."""
    found: dict[tuple[str, str], Json] = {}
    for fact in log[:known]:
        if fact["stream"] == f"feed/{feed}" and fact["type"].startswith("Reading"):
            _reading_told(found, fact)
    there = [one for one in found.values() if one["accepted"] and one["time"] <= at]
    return sorted(there, key=lambda one: (one["time"], one["seq"]))


def _reading_told(found: dict[tuple[str, str], Json], fact: Json) -> None:
    data, id = fact["data"], (fact["data"]["source"], fact["data"]["id"])
    match fact["type"]:
        case "ReadingRecorded":
            found[id] = _content(fact, True)
        case "ReadingQuarantined":
            found[id] = _content(fact, False)
            if instant(data["time"]) > fact["recorded_at"] + timedelta(minutes=5):
                found[id]["time"] = instant(data["time"])
        case "ReadingReleased":
            found[id] = {**found[id], "accepted": True, "seq": fact["seq"]}
        case "ReadingCorrected":
            found[id] = _content(fact, found[id]["accepted"])
        case "ReadingRejected" | "ReadingRetracted":
            del found[id]


def _content(fact: Json, accepted: bool) -> Json:
    return {
        "accepted": accepted,
        "time": fact["effective_at"],
        "seq": fact["seq"],
        "value": Fraction(fact["data"]["value"]),
        "unit": fact["data"].get("unit"),
    }


def _fed(log: Log, binding: Json, unit: str | None, span: Span, at: datetime, known: int) -> Json:
    """The aggregation of the readings in the span that are of the right kind and in the part's unit."""
    how = binding["aggregation"]
    definitions = feed_definitions(log, binding["feed"], at, known)
    began = restarts(log, binding["feed"], known)
    placed = [
        (one, _segment(one["time"], definitions, began)) for one in readings(log, binding["feed"], at, known)
    ]
    counting = [
        (one, segment)
        for one, segment in placed
        if segment["kind"] == KINDS.get(how, "gauge") and (one["unit"] or segment["unit"] or unit) == unit
    ]
    in_the_span = [one for one, _ in placed if inside(span, one["time"])]
    within = [one for one, _ in counting if inside(span, one["time"])]
    passed_over = bool(in_the_span) and in_the_span[-1] not in within
    if not within:
        return {**NOTHING, "not_comparable": passed_over}
    amount = (
        _increase(counting, span) if how == "increase" else _aggregate(how, [one["value"] for one in within])
    )
    return {**NOTHING, "value": amount, "at": within[-1]["time"], "not_comparable": passed_over}


def _segment(time: datetime, definitions: list[Json], began: dict[datetime, Any]) -> Json:
    """The definition that the reading keeps, from the counter's last restart in it on."""
    last = [one for one in definitions if one["since"] is None or one["since"] <= time][-1]
    segment = {"kind": last["kind"], "unit": last.get("unit"), "since": last["since"], "base": None}
    for at, base in sorted(began.items()):
        if last["kind"] == "counter" and at <= time and (last["since"] is None or at >= last["since"]):
            segment.update(since=at, base=base)
    return segment


def _aggregate(how: str, values: list[Fraction]) -> Fraction:
    match how:
        case "last":
            return values[-1]
        case "max" | "min":
            return max(values) if how == "max" else min(values)
        case "count":
            return Fraction(len(values))
    total = sum(values, Fraction(0))
    return total / len(values) if how == "mean" else total


def _increase(counting: list[tuple[Json, Json]], span: Span) -> Fraction:
    """Each segment's last minus its last before the span, else its base, else its first in the span."""
    total = Fraction(0)
    for since in {segment["since"] for _, segment in counting}:
        base, last = None, None
        for one, segment in counting:
            if segment["since"] != since:
                continue
            base = segment["base"] if base is None else base
            if inside(span, one["time"]):
                base = one["value"] if base is None else base
                last = one["value"]
            elif last is None and (span[1] is None or one["time"] < span[1]):
                base = one["value"]
        total += 0 if last is None or base is None else last - base
    return total
