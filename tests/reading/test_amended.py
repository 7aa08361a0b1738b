"""The naive reading of SPEC 3 and 9 judges `/v1/amendments`, `/v1/goalpost-moves` and `/v1/commitments` on random lives, at
random moments of both clocks."""

from __future__ import annotations

import os
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from projection.query.conftest import Reading
from reading import amended
from reading.lives import Told
from reading.log import Json, instant, read

LIVES = int(os.environ.get("JUDGED_LIVES", "12"))
FIRST = int(os.environ.get("JUDGED_FROM", "0"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + LIVES))
async def test_amendments_are_those_of_the_naive_reading(reading: Reading, seed: int) -> None:
    life = Told(seed, 56)
    await life.fold(reading)
    reading.clock.now = life.now + timedelta(days=60)
    log = read(life.stored)
    for at, known in life.questions(1):
        clocks = {"as_of": at.isoformat(), "known_at": f"1-{known}"}
        right = amended.changes(log, at, known)
        told = await life.ask(reading, "/v1/amendments", {**clocks, "limit": "100"})
        assert [_named(one) for one in told["items"]] == [_named(one) for one in right], (seed, at, known)
        for one, answer in zip(right, told["items"], strict=True):
            assert _judged(answer) == amended.judged(log, one), (seed, at, known, answer)
        moves = await life.ask(reading, "/v1/goalpost-moves", {**clocks, "limit": "100"})
        assert [_named(one) for one in moves["items"]] == [_named(one) for one in right if one["goalpost"]]
        assert _dividends(told["dividend"]) == amended.dividends(log, at, known), (seed, at, known)
        committed = await life.ask(reading, "/v1/commitments", clocks)
        assert [_commitment(one) for one in committed["items"]] == amended.register(log, at, known)


def _named(one: Json) -> tuple[Any, ...]:
    at = one["at"] if not isinstance(one["at"], str) else instant(one["at"])
    return one["seq"], one["objective"], one["key_result"], one["type"], at


def _judged(answer: Json) -> Json:
    return {
        "effect": _number(answer["effect"]),
        "effect_committed": _number(answer["effect_committed"]),
        "direction": answer["direction"],
        "flags": set(answer["flags"]) - {"self_approved"},
    }


def _dividends(told: Json) -> dict[str, Any]:
    groups = {"all": told["all"]}
    groups |= {f"cycle/{one['cycle']}": one for one in told["cycles"]}
    groups |= {f"owner/{one['owner']}": one for one in told["owners"]}
    return {
        name: (one["goals"], one["measured"], _number(one["dividend"]))
        for name, one in groups.items()
        if one["goals"]
    }


def _commitment(one: Json) -> Json:
    plain = ("objective", "seq", "owner", "cycle", "state", "present_owner", "present_cycle")
    return {
        **{name: one[name] for name in plain},
        "committed_at": instant(one["committed_at"]),
        "key_results": {
            each["id"]: (
                each["measure"],
                Fraction(each["weight"]),
                {bound["part"] for bound in each["bindings"]},
            )
            for each in one["key_results"]
        },
        "score": _number(one["score"]),
        "score_committed": _number(one["score_committed"]),
    }


def _number(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
