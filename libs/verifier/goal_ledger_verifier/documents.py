"""What answers must say, member by member as the query service writes them, from the history alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import EXACT, decimal_text, instant_text
from goal_ledger_contracts.measures import Measure
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Link
from goal_ledger_history.from_facts import answered
from goal_ledger_history.gathering import Gathering, Ground
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.numbers import shown_mean
from goal_ledger_scoring.results import Counted, GoalScore, KeyResultScore, LeftOut, PartScore

from goal_ledger_verifier.told import Told

Json = dict[str, Any]
Scored = GoalScore | KeyResultScore | None

_write_measure = wire.codec(Measure)[0]


def number(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)


def time(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


class Documents:
    """Written at one moment."""

    def __init__(self, told: Told, at: AsOf) -> None:
        self._told, self._at = told, at

    def summary(self, of: Standing) -> Json:
        """Of an objective in a list or tree."""
        shown = self._told.shown(of.goal.id, of.goal.seq)
        closings = self._told.closings(of.goal.id, of.goal.seq)
        return {
            "id": of.goal.id,
            "title": shown["title"],
            "kind": shown["kind"],
            "owner": of.goal.owner,
            "contributors": shown["contributors"],
            "cycle": of.goal.cycle,
            "state": of.goal.stage,
            "outcome": of.goal.outcome,
            "grade": number(closings[-1][0].data.grade) if of.goal.closing else None,
            "activated_at": time(of.goal.activated_at),
            **_scores(of.amended, of.as_committed),
            "expected": number(of.expected),
            "gap": number(of.status.gap),
            "status": of.status.shown,
            "status_stated": of.status.stated,
            "status_computed": of.status.computed,
        }

    def listed(self, of: Standing) -> Json:
        """An objective in a list."""
        return {
            **self.summary(of),
            "version": self._told.version(of.goal.id, self._at.known_to),
            "confidence": number(of.said.confidence),
        }

    def node(self, of: Standing) -> Json:
        """An objective in a tree."""
        return {
            **self.summary(of),
            "key_results": [self._brief(of, one) for one in of.defined.key_results],
            "counted": _counted(of.amended.counted),
            "left_out": _left_out(of.amended.left_out),
            "feeds_counted_twice": list(of.amended.feeds_twice),
        }

    def objective(self, of: Standing) -> Json:
        """An objective whole."""
        shown, id, at = self._told.shown(of.goal.id, of.goal.seq), of.goal.id, self._at
        background = self._told.history.background
        parents = background.links_of(id, at.known_to, at.true_at)
        beneath = [f"objective/{id}", *(f"key-result/{one.id}" for one in of.goal.key_results)]
        return {
            **self.listed(of),
            "last_check_in_at": time(of.said.word.at),
            "description": shown["description"],
            "drafted_at": time(shown["drafted_at"]),
            "carried_from": shown["carried_from"],
            "cycle_start": time(of.cycle.start) if of.cycle else None,
            "cycle_end": time(of.cycle.end) if of.cycle else None,
            "key_results": [self.key_result(of, one) for one in self._all_key_results(of)],
            "counted": _counted(of.amended.counted),
            "left_out": _left_out(of.amended.left_out),
            "counted_committed": _counted(of.as_committed.counted),
            "left_out_committed": _left_out(of.as_committed.left_out),
            "feeds_counted_twice": list(of.amended.feeds_twice),
            "parents": [_link(one) for one in parents],
            "children": [
                _link(one) for ref in beneath for one in background.links_to(ref, at.known_to, at.true_at)
            ],
            "closings": self._closings(of),
            "restated": self._restated(of),
            "policy": self._policy(of),
        }

    def _all_key_results(self, of: Standing) -> Iterable[KeyResult]:
        scores = of.amended.key_results
        later = [
            one
            for one in of.added_later
            if any(part.input.measured for part in scores[one.id].parts.values())
        ]
        return (*of.defined.key_results, *later)

    def _closings(self, of: Standing) -> list[Json]:
        return [
            {
                "at": time(fact.effective_at),
                "event_id": fact.event_id,
                "actor": fact.actor,
                "outcome": fact.data.outcome,
                "grade": number(fact.data.grade),
                "suggested": number(fact.data.suggested),
                "reason": fact.reason,
                "reopened": reopened,
            }
            for fact, reopened in self._told.closings(of.goal.id, of.goal.seq)
        ]

    def _restated(self, of: Standing) -> Json | None:
        if of.goal.closing is None:
            return None
        id, then = of.goal.id, AsOf(of.goal.closing.at, self._at.known_to)
        again = answered(self._told.history.at(then, [id], unclosed=id))[id]
        return {"score": number(again.amended.score), "score_committed": number(again.as_committed.score)}

    def _policy(self, of: Standing) -> Json:
        rules = dataclasses.asdict(of.rules).items()
        written = {name: number(one) if isinstance(one, Decimal) else one for name, one in rules}
        then = of.moment
        in_force = self._told.history.background.policies(
            of.goal.id, of.defined.owner, then.known_to, then.true_at
        )
        revisions = [self._revision(scope, of) | {"revision": one.revision} for scope, one in in_force]
        return {**written, "revisions": revisions}

    def _revision(self, scope: str, of: Standing) -> Json:
        then, background = of.moment, self._told.history.background
        seqs = background.policy_seqs(of.goal.id, of.defined.owner, then.known_to, then.true_at)
        return {"scope": scope, "event_id": self._told.event_ids[seqs[scope]]}

    def _brief(self, of: Standing, one: KeyResult) -> Json:
        return {
            "id": one.id,
            "text": one.text,
            "weight": number(one.weight),
            "dropped": one.dropped,
            **_scores(of.amended.key_results.get(one.id), of.as_committed.key_results.get(one.id)),
            "status": of.shown[one.id],
        }

    def listed_key_result(self, of: Standing, one: KeyResult) -> Json:
        """A key result in a list."""
        return {
            **self._brief(of, one),
            "objective": of.goal.id,
            "objective_state": of.goal.stage,
            "cycle": of.goal.cycle,
            "owner": one.owner or of.goal.owner,
            "kind": _write_measure(one.measure)["kind"],
            "bindings": _bindings(one),
            "state": of.amended.key_results[one.id].state,
            **_standing_of(of, one),
            "status": of.shown[one.id],
            "version": self._told.version(of.goal.id, self._at.known_to),
        }

    def key_result(self, of: Standing, one: KeyResult) -> Json:
        """A key result whole."""
        amended, committed = of.amended.key_results[one.id], of.as_committed.key_results.get(one.id)
        last = self._told.shown(of.goal.id, max(of.goal.seq, self._first_of(of, one)))
        description, carried_from = last[f"key-result/{one.id}"]
        of_it = of.key_result(one)
        return {
            "id": one.id,
            "objective": of.goal.id,
            "text": one.text,
            "description": description,
            "carried_from": carried_from,
            "owner": one.owner,
            "weight": number(one.weight),
            "dropped": one.dropped,
            "measure": _write_measure(one.measure),
            "bindings": _bindings(one),
            "state": amended.state,
            "waiting_for": amended.waiting_for,
            "raw": number(amended.raw),
            "beyond": number(amended.beyond),
            "reached": amended.reached,
            "mean": number(amended.mean),
            "bottleneck": amended.bottleneck,
            **_scores(amended, committed),
            **_standing_of(of, one),
            "fresh": of_it.status.fresh,
            "confidence": number(of_it.said.confidence),
            "last_check_in_at": time(of_it.said.word.at),
            "parts": [self._part(of, name, part, one, seen=True) for name, part in amended.parts.items()],
            "committed": self._committed(of, one, committed),
            "counted": _counted(amended.counted),
            "left_out": _left_out(amended.left_out),
        }

    def _first_of(self, of: Standing, one: KeyResult) -> int:
        """Of a key result that was added later: the fact that added it."""
        return one.measure_seq if one in of.added_later else 0

    def _committed(self, of: Standing, one: KeyResult, score: KeyResultScore | None) -> Json | None:
        defined = None if of.committed is None else of.committed.key_result(one.id)
        if score is None or defined is None:
            return None
        return {
            "weight": number(defined.weight),
            "raw": number(score.raw),
            "score": number(score.score),
            "state": score.state,
            "parts": [self._part(of, name, part, defined, seen=False) for name, part in score.parts.items()],
        }

    def _part(self, of: Standing, name: str, part: PartScore, one: KeyResult, *, seen: bool) -> Json:
        given, bound = part.input, one.bindings.get(name)
        span = None
        if seen and one.parts[name].window is not None:
            ground = Ground(of.goal.id, of.moment, of.cycle, of.rules.time_zone)
            span = Gathering(self._told.history.background).span(one.parts[name], ground)
        return {
            "part": name,
            "value": number(_value(given)),
            "done": None if given.done is None else list(given.done),
            "value_at": time(given.at),
            "unit": of.unit_of(one, name),
            "raw": number(part.raw),
            "score": number(part.score),
            "state": part.state,
            "zone": part.zone,
            "within_risk": part.within_risk,
            "waiting_for": given.waiting_for,
            "later_value_not_comparable": given.incomparable,
            "feed": None if bound is None else bound.feed,
            "aggregation": None if bound is None else bound.aggregation,
            "window_start": None if span is None else time(span.start),
            "window_end": None if span is None else time(span.end),
            "evidence": [self._told.event_ids[int(seq)] for seq in given.evidence],
        }


def _value(given: PartInput) -> Decimal | None:
    if given.value is None or given.divisor == 1:
        return given.value
    return shown_mean(given.value, given.divisor)


def _standing_of(of: Standing, one: KeyResult) -> Json:
    of_it = of.key_result(one)
    return {
        "expected": number(of_it.expected),
        "gap": number(of_it.status.gap),
        "status": of_it.status.shown,
        "status_stated": of_it.status.stated,
        "status_computed": of_it.status.computed,
    }


def _scores(amended: Scored, committed: Scored) -> Json:
    now, then = (None if one is None else one.score for one in (amended, committed))
    difference = None if now is None or then is None else EXACT.subtract(now, then)
    return {"score": number(now), "score_committed": number(then), "score_difference": number(difference)}


def _bindings(one: KeyResult) -> list[Json]:
    return [
        {"part": part, "feed": bound.feed, "aggregation": bound.aggregation}
        for part, bound in sorted(one.bindings.items())
    ]


def _counted(children: Iterable[Counted]) -> list[Json]:
    return [{"ref": one.ref, "weight": number(one.weight), "score": number(one.score)} for one in children]


def _left_out(children: Iterable[LeftOut]) -> list[Json]:
    return [{"ref": one.ref, "why": one.why} for one in children]


def _link(one: Link) -> Json:
    return {
        "link": one.id,
        "child": one.child,
        "parent": one.parent,
        "mode": "contributes" if one.contributes else "supports",
        "weight": number(one.weight),
    }
