"""An explanation adds up: every number of it is computed anew, with fractions, from the document alone and SPEC 5."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Any

from reading.definitions import parts
from reading.log import Json, instant, number, rounded
from reading.scores import clamped, combined, mean, raw_score, within_risk
from reading.statuses import computed, worst

Nodes = list[Json]
CITING = (
    *("because", "counts_from", "weight_by", "set_by", "defined_by", "kept_by", "moment_by", "recorded_by"),
    *(
        "bound_by",
        "said_by",
        "measure_by",
        "baseline_by",
        "closed_by",
        "stated_by",
        "last_check_in_by",
        "cycle_by",
    ),
)
"""The members that name facts."""


def mistakes(told: Json) -> list[str]:
    """What does not follow from what stands beneath it."""
    found, nodes = list(_heading(told)), told["nodes"]
    for place, node in enumerate(nodes):
        check = _objective if node["kind"] == "objective" else _key_result
        found += [f"node {place}: {wrong}" for wrong in check(node, nodes)]
    found += [f"status: {wrong}" for wrong in _status(told["status"])]
    return found


def unlike(told: Json, right: Json) -> list[str]:
    """Where an explanation does not add up, or is of something else than what the naive reading came to."""
    found = mistakes(told)
    for name in ("score", "score_committed", "score_difference"):
        found += _differ(name, told[name], right[name])
    for name, one in (("shown", "status"), ("stated", "status_stated"), ("computed", "status_computed")):
        if told["status"][name] != right[one]:
            found.append(f"{name}: answered {told['status'][name]}, to be {right[one]}")
    for side, suffix in (("amended", ""), ("committed", "_committed")):
        if told[side] is not None and f"counted{suffix}" in right:
            found += _unlike_pool(
                told["nodes"][told[side]], right[f"counted{suffix}"], right[f"left_out{suffix}"]
            )
    return [f"explained {told['ref']}: {one}" for one in found]


def _unlike_pool(node: Json, counted: Any, left_out: Any) -> Iterator[str]:
    told = sorted((one["ref"], Fraction(one["weight"]), Fraction(one["score"])) for one in node["counted"])
    left = sorted((one["ref"], one["why"]) for one in node["left_out"])
    if (told, left) != (sorted(counted), sorted(left_out)):
        yield f"{node['kind']}: counted {told}, left out {left}; to be {counted}, {left_out}"


def _heading(told: Json) -> Iterator[str]:
    for name, side in (("score", "amended"), ("score_committed", "committed")):
        node = None if told[side] is None else told["nodes"][told[side]]
        yield from _differ(name, told[name], node and number(node["score"]))
    both = told["score"] is not None and told["score_committed"] is not None
    difference = Fraction(told["score"]) - Fraction(told["score_committed"]) if both else None
    yield from _differ("score_difference", told["score_difference"], difference)
    named = {fact["event_id"] for fact in told["facts"]}
    cited = set(_cited([told["nodes"], told["status"]]))
    if named != cited:
        yield f"facts: {named ^ cited} are not told and named alike"


def _cited(value: Any, name: str = "") -> Iterator[str]:
    """Every event id: the members whose name ends so."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _cited(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _cited(one, name)
    elif isinstance(value, str) and name in CITING:
        yield value


def _differ(name: str, told: str | None, right: Fraction | None) -> Iterator[str]:
    if number(told) != right:
        yield f"{name} is {told}, to be {right}"


def _pool(node: Json, nodes: Nodes) -> Iterator[str]:
    for one in node["counted"]:
        beneath = nodes[one["node"]]
        if beneath["score"] != one["score"]:
            yield f"{one['ref']} counts with {one['score']}, but has {beneath['score']}"
    for one in node["left_out"]:
        if one["why"] == "not_measured" and nodes[one["node"]]["score"] is not None:
            yield f"{one['ref']} is said to be not measured"


def _mean_of(node: Json) -> Fraction | None:
    return mean((Fraction(one["weight"]), Fraction(one["score"])) for one in node["counted"])


def _quotient(node: Json, result: str | None) -> Iterator[str]:
    if node["quotient"] is not None:
        exact = Fraction(node["quotient"]["numerator"]) / Fraction(node["quotient"]["denominator"])
        yield from _differ("quotient", result, rounded(exact))
        if node["quotient"]["rounded"] != (exact != rounded(exact)):
            yield "rounded is not said as it is"


def _objective(node: Json, nodes: Nodes) -> Iterator[str]:
    yield from _pool(node, nodes)
    yield from _differ("score", node["score"], _mean_of(node))
    yield from _quotient(node, node["score"])


def _key_result(node: Json, nodes: Nodes) -> Iterator[str]:
    yield from _pool(node, nodes)
    measures, scores = parts(node["measure"]), {}
    for part in node["parts"]:
        wrong = _part(part, measures[part["part"]], node["state"])
        yield from (f"part {part['part']}: {one}" for one in wrong)
        scores[part["part"]] = number(part["score"])
    if node["state"] == "not_defined_yet":
        yield from _differ("raw", node["raw"], None)
        return
    kind = node["measure"]["kind"]
    if kind == "compound":
        raw = combined(node["measure"], scores)
    else:
        raw = _mean_of(node) if kind == "aligned" else number(node["parts"][0]["raw"])
    yield from _differ("raw", node["raw"], raw)
    yield from _differ("score", node["score"], clamped(raw))
    yield from _differ("beyond", node["beyond"], None if raw is None else max(Fraction(0), raw - 1))
    yield from _quotient(node, node["raw"])


def _part(part: Json, measure: Json, state: str) -> Iterator[str]:
    given = {"value": number(part["value"]), "done": part["done"]}
    if part["fed"] is not None and part["fed"]["stretches"]:
        given["value"] = fed_value(part["fed"])
        yield from _differ("value", part["value"], _shown(part["fed"], given["value"]))
    raw = None if state == "not_defined_yet" else raw_score(measure, given)
    yield from _differ("raw", part["raw"], raw)
    yield from _differ("score", part["score"], clamped(raw))
    if part["clamped"] != (raw != clamped(raw)):
        yield "clamped is not said as it is"
    yield from _quotient(part, part["raw"])
    if raw is not None and part["within_risk"] != within_risk(measure, given):
        yield "within_risk is not said as it is"
    if raw is not None and not (part["said_by"] or part["fed"]):
        yield "nobody said it"


def fed_value(fed: Json) -> Fraction | None:
    """From the readings that are named."""
    filled = [one for one in fed["stretches"] if any(r["role"] != "before" for r in one["readings"])]
    if not filled:
        return None
    match fed["aggregation"]:
        case "last":
            return _roles(filled[-1])["last"]
        case "max" | "min" as how:
            return (max if how == "max" else min)(_roles(one)[how] for one in filled)
        case "increase":
            return sum((_gain(one) for one in filled), Fraction(0))
    count, total = sum(one["count"] for one in filled), sum(Fraction(one["total"]) for one in filled)
    return {"mean": total / count, "sum": Fraction(total), "count": Fraction(count)}[fed["aggregation"]]


def _roles(stretch: Json) -> dict[str, Fraction]:
    return {one["role"]: Fraction(one["value"]) for one in stretch["readings"]}


def _gain(stretch: Json) -> Fraction:
    """The last minus the last before, else the base of a restart, else the first."""
    roles = _roles(stretch)
    base = number(stretch["base"])
    return roles["last"] - roles.get("before", roles["first"] if base is None else base)


def _shown(fed: Json, value: Fraction | None) -> Fraction | None:
    return rounded(value, 6) if fed["aggregation"] == "mean" and value is not None else value


def _status(told: Json) -> Iterator[str]:
    expected, score = number(told["expected"]), number(told["score"])
    yield from _differ("expected", told["expected"], _expected(told))
    gap = None if expected is None or score is None else (expected - score) * 100
    yield from _differ("gap", told["gap"], gap)
    by_gap = computed(expected, score, told, told["within_risk"])
    if told["computed"] != by_gap:
        yield f"computed is {told['computed']}, to be {by_gap}"
    if told["decided_by"] != "closed" and told["shown"] != (right := _decided(told, by_gap)):
        yield f"{told['shown']} is shown, but {told['decided_by']} is {right}"
    outdated = told["active_since"] is not None and told["active_since"] < told["owed_ends"]
    last = told["last_check_in_at"]
    if told["outdated"] != (outdated and (last is None or last < told["owed_since"])):
        yield "outdated is not said as it is"


def _decided(told: Json, by_gap: str | None) -> str | None:
    match told["decided_by"]:
        case "stated":
            stated: str | None = told["stated"]
            return stated
        case "computed":
            return by_gap
        case "worst_of_key_results":
            return worst([one["status"] for one in told["key_results"]])
    return str(told["decided_by"])


def _expected(told: Json) -> Fraction | None:
    if told["start"] is None or told["end"] is None:
        return None
    start, end, at = (instant(told[name]) for name in ("start", "end", "at"))
    if end <= start:
        return None
    tick = timedelta(microseconds=1)
    share = clamped(Fraction((at - start) // tick, (end - start) // tick))
    return None if share is None else rounded(share)
