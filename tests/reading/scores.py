"""SPEC 5: raw scores of every kind of measure, and the roll-up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from reading.definitions import (
    Span,
    committed,
    cycle_span,
    goal,
    goals,
    lacks_baseline,
    links_to,
    parts,
    rules,
)
from reading.log import Json, Log, rounded
from reading.values import value

ZERO, ONE = Fraction(0), Fraction(1)
Pool = list[tuple[str, Fraction, Fraction]]
"""What counts: reference, weight, score."""


def mean(weighted: Iterable[tuple[Fraction, Fraction]]) -> Fraction | None:
    """The exact quotient, rounded once."""
    pairs = list(weighted)
    weights = sum((weight for weight, _ in pairs), ZERO)
    return rounded(sum((weight * one for weight, one in pairs), ZERO) / weights) if weights else None


def clamped(raw: Fraction | None) -> Fraction | None:
    return None if raw is None else min(max(raw, ZERO), ONE)


def raw_score(measure: Json, given: Json) -> Fraction | None:
    """The table of SPEC 5; None: not measured, never 0."""
    if measure["kind"] == "checklist":
        return None if given["done"] is None else _checklist(measure["steps"], given["done"])
    if given["value"] is None or lacks_baseline(measure):
        return None
    return rounded(_exact(measure, given["value"]))


def _checklist(steps: list[Json], done: list[str]) -> Fraction | None:
    return mean((Fraction(step["weight"]), ONE if step["id"] in done else ZERO) for step in steps)


def _exact(measure: Json, v: Fraction) -> Fraction:
    match measure["kind"]:
        case "stay_below":
            return ONE if v <= Fraction(measure["limit"]) else ZERO
        case "stay_above":
            return ONE if v >= Fraction(measure["limit"]) else ZERO
        case "stay_between":
            return _between(measure, v)
        case "done_or_not":
            return ONE if v >= 1 else ZERO
        case "ranged":
            return _ranged(measure, v)
    b, t = Fraction(measure["baseline"]), Fraction(measure["target"])
    return (v - b) / (t - b)


def _between(measure: Json, v: Fraction) -> Fraction:
    low, high, tolerance = (Fraction(measure.get(name, 0)) for name in ("low", "high", "tolerance"))
    distance = max(low - v, v - high, ZERO)
    if not distance:
        return ONE
    return max(ZERO, 1 - distance / tolerance) if tolerance else ZERO


def _ranged(measure: Json, v: Fraction) -> Fraction:
    xs = [Fraction(measure[name]) for name in ("baseline", "commit", "target", "stretch")]
    ys = [Fraction(one) for one in measure.get("scores", ("0", "0.3", "0.7", "1"))]
    sign = 1 if xs[0] < xs[3] else -1
    i = 0 if v * sign < xs[1] * sign else 1 if v * sign < xs[2] * sign else 2
    return ys[i] + (v - xs[i]) * (ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i])


def within_risk(measure: Json, given: Json) -> bool:
    """Past the limit, not past the risk value."""
    if measure["kind"] not in ("stay_below", "stay_above") or "risk" not in measure or given["value"] is None:
        return False
    limit, risk, v = Fraction(measure["limit"]), Fraction(measure["risk"]), given["value"]
    return limit < v <= risk if measure["kind"] == "stay_below" else risk <= v < limit


def combined(measure: Json, scores: dict[str, Fraction | None]) -> Fraction | None:
    """Of the clamped parts of a compound."""
    measured = {part: one for part, one in scores.items() if one is not None}
    match measure["combine"]:
        case "all":
            return min(measured.values()) if len(measured) == len(scores) else None
        case "any":
            return max(measured.values(), default=None)
        case "at_least":
            n = measure["n"]
            return sorted(measured.values())[-n] if len(measured) >= n else None
    weights = {part["id"]: Fraction(part.get("weight", "1")) for part in measure["parts"]}
    return mean((weights[part], one) for part, one in measured.items())


@dataclass
class Scored:
    """An objective's score with what it came from."""

    score: Fraction | None
    key_results: dict[str, Json] = field(default_factory=dict)
    counted: Pool = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    feeds: Counter[str] = field(default_factory=Counter)


@dataclass
class Reading:
    """The log as read at (T, K)."""

    log: Log
    at: datetime
    known: int
    side: str = "amended"
    _scored: dict[Any, Scored] = field(default_factory=dict)

    def elsewhere(self, at: datetime, known: int, side: str) -> Reading:
        return Reading(self.log, at, known, side, self._scored)

    def moment_of(self, id: str) -> Reading:
        """Of a closed objective: the closing."""
        closing = goal(self.log, id, self.at, self.known)["closing"]  # type: ignore[index]
        return self if closing is None else self.elsewhere(closing["effective_at"], closing["seq"], self.side)

    def objective(self, id: str) -> Scored:
        """As it counts: a closed one keeps what it had at its closing."""
        return self.moment_of(id).unclosed(id)

    def unclosed(self, id: str) -> Scored:
        """Computed at the moment itself."""
        key = (self.at, self.known, self.side, id)
        if key not in self._scored:
            self._scored[key] = self._compute(id)
        return self._scored[key]

    def _compute(self, id: str) -> Scored:
        one = goal(self.log, id, self.at, self.known)
        assert one is not None
        policy = rules(self.log, one, self.at, self.known)
        at, known, defined = self._sides(one)
        if defined is None:
            return Scored(None)
        cycle = cycle_span(self.log, defined["cycle"], at, known, policy["time_zone"])
        found = Scored(None)
        for each in defined["key_results"].values():
            found.key_results[each["id"]] = self.key_result(each, cycle, policy["time_zone"], at, known)
            self._count_key_result(found, each, policy["roll_up"])
        for child, link in links_to(self.log, f"objective/{id}", at, known):
            by_policy = policy["roll_up"] == "key_results" and link["mode"] == "contributes"
            self._count(found.counted, found.left_out, child, link, "by_policy" if by_policy else None)
        found.score = mean((weight, score) for _, weight, score in found.counted)
        found.feeds = self._feeds(found)
        return found

    def _sides(self, one: Json) -> tuple[datetime | None, int, Json | None]:
        """The clocks that links and cycle dates are looked up at, and the definition."""
        if self.side == "amended":
            return self.at, self.known, one
        seq = one["activated"]["seq"] if one["activated"] else 0
        return None, seq, committed(self.log, one, self.at, self.known)

    def key_result(self, one: Json, cycle: Span | None, zone: str, at: datetime | None, known: int) -> Json:
        """Its parts and its score; ``at``, ``known``: of the links to it."""
        found: Json = {"parts": {}, "counted": [], "left_out": [], "mean": None, "bottleneck": None}
        for part, measure in parts(one["measure"]).items():
            given = value(self.log, one, part, cycle, zone, self.at, self.known)
            found["parts"][part] = _part(measure, given, one["bindings"].get(part))
        kind, scores = one["measure"]["kind"], {id: part["score"] for id, part in found["parts"].items()}
        if kind == "aligned":
            for child, link in links_to(self.log, f"key-result/{one['id']}", at, known):
                self._count(found["counted"], found["left_out"], child, link, None)
            found["raw"] = mean((weight, score) for _, weight, score in found["counted"])
        elif kind == "compound":
            found["raw"] = combined(one["measure"], scores)
            _also(found, {id: score for id, score in scores.items() if score is not None})
        else:
            found["raw"] = found["parts"]["value"]["raw"]
        return _concluded(found)

    def _count_key_result(self, found: Scored, one: Json, roll_up: str) -> None:
        ref, of_it = f"key-result/{one['id']}", found.key_results[one["id"]]
        if one["dropped"]:
            found.left_out.append((ref, "dropped"))
        elif roll_up == "aligned":
            found.left_out.append((ref, "by_policy"))
        elif not one["weight"]:
            found.left_out.append((ref, "weight_zero"))
        elif of_it["score"] is None:
            found.left_out.append((ref, of_it["state"]))
        else:
            found.counted.append((ref, one["weight"], of_it["score"]))

    def _count(
        self, counted: Pool, left: list[tuple[str, str]], child: str, link: Json, why: str | None
    ) -> None:
        ref, weight = f"objective/{child}", Fraction(link.get("weight", "1"))
        why = why or self._why_left_out(child, link, weight)
        score = None if why else self.objective(child).score
        if why or score is None:
            left.append((ref, why or "not_measured"))
        else:
            counted.append((ref, weight, score))

    def _why_left_out(self, child: str, link: Json, weight: Fraction) -> str | None:
        if link["mode"] == "supports":
            return "supports"
        below = goals(self.log, self.at, self.known).get(child)
        if below is None:
            return "unknown"
        if self.side == "committed" and not below["activated"]:
            return "not_committed"
        outcome = below["closing"]["data"]["outcome"] if below["closing"] else None
        if below["state"] == "draft" or outcome in ("dropped", "postponed"):
            return outcome or "draft"
        return None if weight else "weight_zero"

    def _feeds(self, found: Scored) -> Counter[str]:
        """How often each feed is counted beneath."""
        feeds: Counter[str] = Counter()
        refs = [ref for ref, _, _ in found.counted]
        for ref in refs:
            kind, _, id = ref.partition("/")
            if kind == "objective":
                feeds.update(self.objective(id).feeds)
                continue
            one = found.key_results[id]
            refs += [child for child, _, _ in one["counted"]]
            feeds.update(p["feed"] for p in one["parts"].values() if p["feed"] and p["score"] is not None)
        return feeds


def _part(measure: Json, given: Json, binding: Json | None) -> Json:
    raw = raw_score(measure, given)
    state = (
        "waiting"
        if given["waiting_for"]
        else "baseline_to_be_found"
        if lacks_baseline(measure)
        else "not_measured"
    )
    return {
        **given,
        "raw": raw,
        "score": clamped(raw),
        "state": state if raw is None else "measured",
        "within_risk": within_risk(measure, given),
        "feed": binding and binding["feed"],
        "measure": measure,
    }


def _also(found: Json, measured: dict[str, Fraction]) -> None:
    """Mean and bottleneck of a compound."""
    found["mean"] = mean((ONE, one) for one in measured.values())
    found["bottleneck"] = min(measured, key=lambda id: measured[id]) if measured else None


def _concluded(found: Json) -> Json:
    raw, states = found["raw"], [part["state"] for part in found["parts"].values()]
    first = [state for state in ("waiting", "baseline_to_be_found") if state in states]
    return {
        **found,
        "score": clamped(raw),
        "beyond": None if raw is None else max(ZERO, raw - 1),
        "reached": None if raw is None else raw >= 1,
        "state": "measured" if raw is not None else first[0] if first else "not_measured",
    }
