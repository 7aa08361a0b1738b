"""What the query service must answer about an objective at (T, K): its fields by the naive reading, as numbers."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from reading.definitions import (
    committed,
    cycle_span,
    goal,
    goals,
    is_paused,
    part_unit,
    pauses,
    rules,
    time_zone,
)
from reading.log import Json, Log, rounded, told
from reading.scores import Pool, Reading, Scored
from reading.statuses import (
    Rhythm,
    computed,
    expected,
    expected_span,
    gap,
    is_fed_and_fresh,
    said_on,
    shown,
    worst,
)
from reading.values import value


def objectives(log: Log, at: datetime, known: int) -> dict[str, Json]:
    """Every objective that existed."""
    return {id: objective(log, id, at, known) for id in goals(log, at, known)}


def objective(log: Log, id: str, at: datetime, known: int) -> Json:
    """One objective with its key results; a closed one as it stood at its closing."""
    now = goal(log, id, at, known)
    assert now is not None
    one = _Standing(log, now, Reading(log, at, known).moment_of(id))
    answer = {"id": id, "state": now["state"], "owner": now["owner"], "cycle": now["cycle"], **one.answer()}
    closing = now["closing"]
    answer["outcome"] = None if closing is None else closing["data"]["outcome"]
    answer["restated"] = None
    if closing is not None:
        then = Reading(log, closing["effective_at"], known)
        again, as_committed = then.unclosed(id), then.elsewhere(then.at, known, "committed").unclosed(id)
        answer["restated"] = {"score": again.score, "score_committed": as_committed.score}
    return answer


class _Standing:
    """One objective at the moment that counts for it."""

    def __init__(self, log: Log, now: Json, then: Reading) -> None:
        self.log, self.at, self.known = log, then.at, then.known
        found = goal(log, now["id"], then.at, then.known)
        assert found is not None
        self.goal, self.closing = found, now["closing"]
        self.committed = committed(log, found, then.at, then.known)
        self.rules = rules(log, found, then.at, then.known)
        self.cycle = cycle_span(log, found["cycle"], then.at, then.known, self.rules["time_zone"])
        self.amended = then.unclosed(now["id"])
        self.as_committed = then.elsewhere(then.at, then.known, "committed").unclosed(now["id"])
        self.rhythm = Rhythm(self.rules, then.at)
        activated = found["activated"]
        paused = is_paused(pauses(log, found, then.at, then.known), self.rhythm.owed)
        self.active_since = None if paused else activated and activated["effective_at"]
        self.expected = expected(self.cycle, then.at)

    def answer(self) -> Json:
        key_results = {id: self.key_result(one) for id, one in self.goal["key_results"].items()}
        return {
            **_scores(self.amended.score, self.as_committed.score),
            "expected": self.expected,
            "gap": gap(self.expected, self.amended.score),
            **self.status(key_results),
            **_pools(self.amended, ""),
            **_pools(self.as_committed, "_committed"),
            "feeds_counted_twice": sorted(feed for feed, times in self.amended.feeds.items() if times > 1),
            "key_results": key_results,
        }

    def status(self, key_results: dict[str, Json]) -> Json:
        said = said_on(self.log, self.goal["id"], None, self.at, self.known)
        stated = self.rhythm.stated(said)
        worst_of = [one["status"] for one in key_results.values() if not one["dropped"]]
        outdated = self.rhythm.is_outdated(said, self.active_since)
        alone = "outdated" if outdated else "pending"
        return {
            "status": self._closed() or stated or (worst(worst_of) if worst_of else alone),
            "status_stated": stated,
            "status_computed": computed(self.expected, self.amended.score, self.rules, False),
            **_last(said),
        }

    def _closed(self) -> str | None:
        return None if self.closing is None else self.closing["data"]["outcome"]

    def key_result(self, one: Json) -> Json:
        now, then = self.amended.key_results[one["id"]], self.as_committed.key_results.get(one["id"])
        span = expected_span(self.log, one, self.cycle, self.rules["time_zone"], self.at, self.known)
        by_now = expected(span, self.at)
        said = said_on(self.log, self.goal["id"], one["id"], self.at, self.known)
        at_most_behind = _at_most_behind(now)
        by_gap = computed(by_now, now["score"], self.rules, at_most_behind)
        fresh = is_fed_and_fresh(self.log, one, self.rules, self.at, self.known)
        outdated = self.rhythm.is_outdated(said, self.active_since)
        stated = self.rhythm.stated(said)
        return {
            "weight": one["weight"],
            "dropped": one["dropped"],
            "measure": one["measure"],
            **{name: now[name] for name in ("state", "raw", "beyond", "reached", "mean", "bottleneck")},
            **_scores(now["score"], None if then is None else then["score"]),
            "expected": by_now,
            "gap": gap(by_now, now["score"]),
            "status": shown(outdated, fresh, stated, by_gap),
            "status_stated": stated,
            "status_computed": by_gap,
            **_last(said),
            "parts": self._parts(one, now),
            "committed": None if then is None else self._as_committed(one["id"], then),
            "counted": sorted(now["counted"]),
            "left_out": sorted(now["left_out"]),
        }

    def _as_committed(self, id: str, then: Json) -> Json:
        assert self.committed is not None
        one = self.committed["key_results"][id]
        plain = {name: then[name] for name in ("raw", "score", "state")}
        return {
            **plain,
            "measure": one["measure"],
            "weight": one["weight"],
            "parts": self._parts(one, then),
        }

    def _parts(self, one: Json, scored: Json) -> dict[str, Json]:
        return {
            part: {
                **_value(found),
                **{
                    name: found[name]
                    for name in ("raw", "score", "state", "within_risk", "waiting_for", "feed")
                },
                "unit": part_unit(self.log, found["measure"], one["bindings"].get(part)),
            }
            for part, found in scored["parts"].items()
        }


def values_before_it_existed(log: Log, id: str, at: datetime, known: int) -> dict[str, dict[str, Json]]:
    """Of the key results of an objective that were added only after ``at``: values, by their first measures."""
    there = goal(log, id, at, known)
    zone = time_zone(log, at, known) if there is None else rules(log, there, at, known)["time_zone"]
    found: dict[str, dict[str, Json]] = {}
    for fact in told(log, f"objective/{id}", None, known):
        name = fact["data"].get("key_result")
        if fact["type"] != "KeyResultAdded" or (there is not None and name in there["key_results"]):
            continue
        one = {"id": name, "measure": fact["data"]["measure"], "bindings": {}}
        names = [part["id"] for part in one["measure"].get("parts", ())] or ["value"]
        if one["measure"]["kind"] != "aligned":
            found[name] = {part: _value(value(log, one, part, None, zone, at, known)) for part in names}
    return found


def _value(given: Json) -> Json:
    amount: Fraction | None = given["value"]
    return {
        "value": None if amount is None else rounded(amount, 6),
        "done": given["done"],
        "value_at": given["at"],
        "later_value_not_comparable": given["not_comparable"],
    }


def _scores(now: Fraction | None, then: Fraction | None) -> Json:
    difference = None if now is None or then is None else now - then
    return {"score": now, "score_committed": then, "score_difference": difference}


def _pools(one: Scored, side: str) -> dict[str, Any]:
    pool: Pool = sorted(one.counted)
    return {f"counted{side}": pool, f"left_out{side}": sorted(one.left_out)}


def _last(said: list[Json]) -> Json:
    if not said:
        return {"confidence": None, "last_check_in_at": None}
    confidence = said[0]["data"].get("confidence")
    return {
        "confidence": None if confidence is None else Fraction(confidence),
        "last_check_in_at": said[0]["effective_at"],
    }


def _at_most_behind(scored: Json) -> bool:
    """Nothing is missing but what lies between a limit and its risk value."""
    missing = [part for part in scored["parts"].values() if part["score"] is None or part["score"] < 1]
    return bool(missing) and all(part["within_risk"] for part in missing)
