"""How standings are written in answers, and the shapes of what is written; a test holds the two together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.canonical import EXACT
from goal_ledger_history.background import Link
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring import results
from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.numbers import shown_mean
from goal_ledger_scoring.windows import Span
from pydantic import Field

from goal_ledger_projection.api.answers import Instant, Number, Shape, number, time

Json = dict[str, Any]
Events = Mapping[str, str]
"""Seq (as text) → event id."""


class Scores(Shape):
    score: Number = Field(description="As amended: the definition in effect. Null: not measured, never 0")
    score_committed: Number = Field(
        description="As committed: the definition folded up to the first activation"
    )
    score_difference: Number = Field(description="As amended minus as committed")


class ObjectiveSummary(Scores):
    id: str
    title: str
    kind: str | None = Field(description="committed or aspirational")
    owner: str
    contributors: list[str]
    cycle: str | None
    state: str = Field(description="draft, active, closed or archived")
    outcome: str | None
    grade: Number = Field(description="What a person gave at the closing")
    expected: Number = Field(description="The share of the cycle that has gone")
    gap: Number = Field(description="Points of 100 behind the expected score")
    status: str = Field(description="What is shown, by the rule of precedence")
    status_stated: str | None = Field(description="Stated since the last due date")
    status_computed: str | None = Field(description="By the gap between expected score and score")
    activated_at: Instant


class ListedObjective(ObjectiveSummary):
    version: int = Field(description="Of the stream; for If-Match")
    owner_left: bool = Field(description="The owner left the organisation: assign the goal to somebody else")
    confidence: Number = Field(description="Of the last check-in on the objective")


class BriefKeyResult(Scores):
    id: str
    text: str
    weight: str
    dropped: bool
    status: str = Field(description="Its own; under a closed objective: at the closing")


class Counted(Shape):
    ref: str = Field(description="key-result/<id> or objective/<id>")
    weight: str
    score: str


class LeftOut(Shape):
    ref: str
    why: str = Field(
        description="not_measured, waiting, baseline_to_be_found, weight_zero, draft, dropped, postponed, supports, "
        "by_policy, not_committed, loop (its parent would count in itself) or unknown"
    )


class PartShape(Shape):
    part: str
    value: Number = Field(description="In force; a mean is shown with 6 places and counts unrounded")
    done: list[str] | None
    value_at: Instant
    unit: str | None
    raw: Number
    score: Number
    state: str = Field(
        description="measured, not_measured, waiting, baseline_to_be_found or not_defined_yet (as_of is before it)"
    )
    zone: str | None
    within_risk: bool
    waiting_for: str | None
    later_value_not_comparable: bool = Field(
        description="A later value, or a later reading of its feed, is under another unit or kind and does not count"
    )
    feed: str | None
    aggregation: str | None
    window_start: Instant
    window_end: Instant
    evidence: list[str] = Field(description="Event ids of the facts the value comes from")


class Binding(Shape):
    part: str
    feed: str
    aggregation: str


class CommittedKeyResult(Shape):
    measure: dict[str, Any]
    weight: str
    raw: Number
    score: Number
    state: str
    parts: list[PartShape]


class KeyResultShape(Scores):
    id: str
    objective: str
    text: str
    description: str | None
    carried_from: str | None = Field(description="The key result whose lineage it continues")
    owner: str | None
    weight: str
    dropped: bool
    measure: dict[str, Any] = Field(description="As the facts state it")
    bindings: list[Binding]
    state: str
    waiting_for: str | None
    raw: Number = Field(description="Unclamped")
    beyond: Number = Field(description="What lies above 1")
    reached: bool | None
    mean: Number = Field(description="Of a compound: of its parts measured")
    bottleneck: str | None = Field(description="Of a compound: the part with the lowest score")
    expected: Number
    gap: Number
    status: str = Field(description="Its own; under a closed objective: at the closing")
    status_stated: str | None
    status_computed: str | None
    fresh: bool
    confidence: Number
    last_check_in_at: Instant
    parts: list[PartShape]
    committed: CommittedKeyResult | None = Field(
        description="The key result as it was committed to; null: added later"
    )
    counted: list[Counted]
    left_out: list[LeftOut]


class LinkShape(Shape):
    link: str
    child: str
    parent: str
    mode: str
    weight: str


def summary(standing: Standing) -> Json:
    """An objective in a list."""
    return {**lasting(standing), **passing(standing)}


def lasting(standing: Standing) -> Json:
    """What of a summary changes by facts alone."""
    body, closing = standing.goal.body, standing.goal.closing
    return {
        "id": standing.goal.id,
        "title": body["title"],
        "kind": body.get("kind"),
        "owner": body["owner"],
        "contributors": body["contributors"],
        "cycle": body.get("cycle"),
        "state": body["stage"],
        "outcome": standing.goal.outcome,
        "grade": body["closings"][-1].get("grade") if closing is not None else None,
        "activated_at": body.get("activated_at"),
        **scores(standing.amended, standing.as_committed),
    }


def passing(standing: Standing) -> Json:
    """What of a summary changes as time goes."""
    return {
        "expected": number(standing.expected),
        "gap": number(standing.status.gap),
        "status": standing.status.shown,
        "status_stated": standing.status.stated,
        "status_computed": standing.status.computed,
    }


def scores(
    amended: results.GoalScore | results.KeyResultScore | None,
    committed: results.GoalScore | results.KeyResultScore | None,
) -> Json:
    """As amended, as committed, and the difference."""
    return scores_of(
        None if amended is None else amended.score, None if committed is None else committed.score
    )


def scores_of(now: Decimal | None, then: Decimal | None) -> Json:
    """As amended, as committed, and the difference."""
    written = number(now)
    if now is then:
        same = None if now is None else "0"
        return {"score": written, "score_committed": written, "score_difference": same}
    difference = None if now is None or then is None else EXACT.subtract(now, then)
    return {"score": written, "score_committed": number(then), "score_difference": number(difference)}


def key_result(standing: Standing, one: KeyResult, spans: Mapping[str, Span], events: Events) -> Json:
    """A key result whole. `spans`: its parts' windows as they are seen at the moment."""
    amended = standing.amended.key_results[one.id]
    committed = standing.as_committed.key_results.get(one.id)
    of_it = standing.key_result(one)
    return {
        "id": one.id,
        "objective": standing.goal.id,
        "text": one.text,
        "description": one.body.get("description"),
        "carried_from": one.body.get("carried_from"),
        "owner": one.owner,
        "weight": number(one.weight),
        "dropped": one.dropped,
        "measure": one.body["measure"],
        "bindings": bindings(one),
        "state": amended.state,
        "waiting_for": amended.waiting_for,
        "raw": number(amended.raw),
        "beyond": number(amended.beyond),
        "reached": amended.reached,
        "mean": number(amended.mean),
        "bottleneck": amended.bottleneck,
        **scores(amended, committed),
        "expected": number(of_it.expected),
        "gap": number(of_it.status.gap),
        "status": of_it.status.shown,
        "status_stated": of_it.status.stated,
        "status_computed": of_it.status.computed,
        "fresh": of_it.status.fresh,
        "confidence": number(of_it.said.confidence),
        "last_check_in_at": time(of_it.said.word.at),
        "parts": [_part(standing, name, part, one, spans, events) for name, part in amended.parts.items()],
        "committed": None if committed is None else _committed(standing, committed, one.id, events),
        "counted": counted(amended.counted),
        "left_out": left_out(amended.left_out),
    }


def listed_key_result(standing: Standing, one: KeyResult, owner: str) -> Json:
    """A key result in a list. `owner`: its own, else its objective's."""
    amended = standing.amended.key_results[one.id]
    of_it = standing.key_result(one)
    return {
        "id": one.id,
        "objective": standing.goal.id,
        "objective_state": standing.goal.stage,
        "cycle": standing.goal.cycle,
        "text": one.text,
        "owner": owner,
        "weight": number(one.weight),
        "dropped": one.dropped,
        "kind": one.body["measure"]["kind"],
        "bindings": bindings(one),
        "state": amended.state,
        **scores(amended, standing.as_committed.key_results.get(one.id)),
        "expected": number(of_it.expected),
        "gap": number(of_it.status.gap),
        "status": standing.shown[one.id],
        "status_stated": of_it.status.stated,
        "status_computed": of_it.status.computed,
    }


def bindings(one: KeyResult) -> list[Json]:
    """The feeds that its parts take their values from."""
    return [
        {"part": part, "feed": bound.feed, "aggregation": bound.aggregation}
        for part, bound in sorted(one.bindings.items())
    ]


def _committed(standing: Standing, score: results.KeyResultScore, id: str, events: Events) -> Json | None:
    defined = standing.committed.key_result(id) if standing.committed is not None else None
    if defined is None:
        return None
    return {
        "measure": defined.body["measure"],
        "weight": number(defined.weight),
        "raw": number(score.raw),
        "score": number(score.score),
        "state": score.state,
        "parts": [_part(standing, name, part, defined, {}, events) for name, part in score.parts.items()],
    }


def _part(
    standing: Standing,
    name: str,
    part: results.PartScore,
    one: KeyResult,
    spans: Mapping[str, Span],
    events: Events,
) -> Json:
    given = part.input
    span = spans.get(name)
    binding = one.bindings.get(name)
    return {
        "part": name,
        "value": number(number_in_force(given)),
        "done": None if given.done is None else list(given.done),
        "value_at": time(given.at),
        "unit": standing.unit_of(one, name),
        "raw": number(part.raw),
        "score": number(part.score),
        "state": part.state,
        "zone": part.zone,
        "within_risk": part.within_risk,
        "waiting_for": given.waiting_for,
        "later_value_not_comparable": given.incomparable,
        "feed": None if binding is None else binding.feed,
        "aggregation": None if binding is None else binding.aggregation,
        "window_start": None if span is None else time(span.start),
        "window_end": None if span is None else time(span.end),
        "evidence": [events[seq] for seq in given.evidence if seq in events],
    }


def value(given: PartInput) -> Any:
    """A part's value as it is written: a number (a mean with 6 places), the steps done, or null."""
    if given.done is not None:
        return list(given.done)
    return number(number_in_force(given))


def number_in_force(given: PartInput) -> Decimal | None:
    """A part's number as it is shown: a mean with 6 places."""
    if given.value is None or given.divisor == 1:
        return given.value
    return shown_mean(given.value, given.divisor)


def counted(children: Iterable[results.Counted]) -> list[Json]:
    """The children in a mean, with their weights."""
    return [{"ref": one.ref, "weight": number(one.weight), "score": number(one.score)} for one in children]


def left_out(children: Iterable[results.LeftOut]) -> list[Json]:
    """The children that are shown but not counted, and why."""
    return [{"ref": one.ref, "why": one.why} for one in children]


def link(one: Link) -> Json:
    """An alignment."""
    return {
        "link": one.id,
        "child": one.child,
        "parent": one.parent,
        "mode": "contributes" if one.contributes else "supports",
        "weight": number(one.weight),
    }


def evidence_seqs(standings: Iterable[Standing]) -> set[int]:
    """The facts that the values of these standings come from."""
    return {
        int(seq)
        for standing in standings
        for side in (standing.amended, standing.as_committed)
        for score in side.key_results.values()
        for part in score.parts.values()
        for seq in part.input.evidence
    }
