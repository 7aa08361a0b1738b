"""Facts in memory answer as the naive reading of SPEC 5 and 7 does, which shares no code: whole random lives, at random
moments of both clocks, and no database."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.before_it_existed import standing_at
from goal_ledger_history.from_facts import history_of
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.results import GoalScore, KeyResultScore, PartScore
from goal_ledger_scoring.status import Status
from history.lives import Life
from reading import naive
from reading.log import Json, read, rounded
from reading.told import differences

LIVES, MOMENTS = 30, 3


@pytest.mark.parametrize("seed", range(LIVES))
async def test_facts_in_memory_answer_as_the_naive_reading(seed: int) -> None:
    life = Life(seed)
    log, history = read(life.stored), history_of(life.facts)
    for at in [AsOf(life.now, len(life.facts)), *(life.asked() for _ in range(MOMENTS))]:
        right = naive.objectives(log, at.true_at, at.known_to)
        stood = await history.at(at, [goal.id for goal in life.goals])
        assert stood.keys() == right.keys(), (seed, at)
        for id, one in right.items():
            alone = await standing_at(history, id, at)
            assert alone is not None and _objective(alone) == _objective(stood[id]), (seed, at, id)
            answer = _objective(stood[id])
            assert not differences(answer, _asked(one, answer), id), (seed, at)
            await _early_values(alone, naive.values_before_it_existed(log, id, at.true_at, at.known_to))


async def _early_values(standing: Standing, right: dict[str, dict[str, Json]]) -> None:
    """Key results that did not exist yet have the values of then, and no score."""
    for one in standing.added_later:
        score = standing.amended.key_results[one.id]
        assert (score.raw, score.score) == (None, None)
        for name, part in score.parts.items():
            if one.id in right:
                assert not differences(_value(part), right[one.id][name], one.id)


def _asked(right: Json, answer: Json) -> Json:
    """What of the naive answer the history says itself; the rest is how the query service shows it."""
    return {
        name: {id: _asked(each, answer[name][id]) for id, each in one.items() if id in answer[name]}
        if name in ("key_results", "parts")
        else one
        for name, one in right.items()
        if name in answer
    }


def _objective(one: Standing) -> Json:
    now, then = one.amended, one.as_committed
    return {
        "state": one.goal.stage,
        "owner": one.goal.owner,
        "cycle": one.goal.cycle,
        "outcome": one.goal.outcome,
        "score": _number(now.score),
        "score_committed": _number(then.score),
        "expected": _number(one.expected),
        **_status(one.status),
        "confidence": _number(one.said.confidence),
        "last_check_in_at": one.said.word.at,
        "feeds_counted_twice": list(now.feeds_twice),
        **_pools(now, ""),
        **_pools(then, "_committed"),
        "key_results": {each.id: _key_result(one, each) for each in one.defined.key_results},
    }


def _key_result(of: Standing, one: KeyResult) -> Json:
    now, then, standing = (
        of.amended.key_results[one.id],
        of.as_committed.key_results.get(one.id),
        of.key_result(one),
    )
    return {
        "weight": _number(one.weight),
        "dropped": one.dropped,
        **_scored(now),
        "beyond": _number(now.beyond),
        "reached": now.reached,
        "mean": _number(now.mean),
        "bottleneck": now.bottleneck,
        "score_committed": None if then is None else _number(then.score),
        "expected": _number(standing.expected),
        **_status(standing.status),
        "confidence": _number(standing.said.confidence),
        "last_check_in_at": standing.said.word.at,
        "parts": {
            name: {
                **_scored(part),
                **_value(part),
                "within_risk": part.within_risk,
                "unit": of.unit_of(one, name),
            }
            for name, part in now.parts.items()
        },
        **_pools(now, ""),
    }


def _scored(one: KeyResultScore | PartScore) -> Json:
    return {"raw": _number(one.raw), "score": _number(one.score), "state": one.state}


def _value(part: PartScore) -> Json:
    """The value as it is shown: of six places, and none beside steps that are done."""
    given = part.input
    whole = None if given.value is None else rounded(Fraction(given.value) / given.divisor, 6)
    return {
        "value": whole,
        "done": None if given.done is None else list(given.done),
        "value_at": given.at,
        "later_value_not_comparable": given.incomparable,
        "waiting_for": given.waiting_for,
    }


def _status(one: Status) -> Json:
    return {
        "status": one.shown,
        "status_stated": one.stated,
        "status_computed": one.computed,
        "gap": _number(one.gap),
    }


def _pools(one: GoalScore | KeyResultScore, side: str) -> Json:
    return {
        f"counted{side}": sorted(
            (each.ref, _number(each.weight), _number(each.score)) for each in one.counted
        ),
        f"left_out{side}": sorted((each.ref, each.why) for each in one.left_out),
    }


def _number(amount: Decimal | None) -> Any:
    return None if amount is None else Fraction(amount)
