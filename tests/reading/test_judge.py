"""A slow, naive reading of SPEC 5 and 7 judges the query service: whole random lives are folded by the worker's own code
into a real database, asked over HTTP at random moments of both clocks, and compared field by field.

Thousands: ``make test ARGS=tests/reading`` with JUDGED_LIVES=2000, of other seeds with JUDGED_FROM, longer ones with
JUDGED_FACTS."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest
from projection.query.conftest import Reading
from reading import explained, naive
from reading.lives import Told
from reading.log import Log, read, streams
from reading.told import brief, differences, has_value, plain

LIVES = int(os.environ.get("JUDGED_LIVES", "40"))
FIRST = int(os.environ.get("JUDGED_FROM", "0"))
FACTS = int(os.environ.get("JUDGED_FACTS", "64"))
MOMENTS = 3
EXPLAINED = (0, 1)
"""At which of these moments explanations are asked for: they are as many as goals and key results."""


@pytest.mark.parametrize("seed", range(FIRST, FIRST + LIVES))
async def test_the_answers_are_those_of_the_naive_reading(reading: Reading, seed: int) -> None:
    life = Told(seed, FACTS)
    await life.fold(reading)
    reading.clock.now = life.now + timedelta(days=60)
    log = read(life.stored)
    for n, (at, known) in enumerate(life.questions(MOMENTS)):
        found = await _differences(reading, life, log, at, known)
        if n in EXPLAINED:
            found += await _explained(reading, life, log, at, known)
        assert not found, (seed, at.isoformat(), known, found)


async def _differences(reading: Reading, life: Told, log: Log, at: datetime, known: int) -> list[str]:
    clocks = {"as_of": at.isoformat(), "known_at": f"1-{known}"}
    right = naive.objectives(log, at, known)
    tree = await life.ask(reading, "/v1/alignment", clocks)
    nodes = {one["id"]: plain(one) for one in tree["nodes"]}
    found = differences(nodes, {id: brief(one) for id, one in right.items()}, "tree")
    if nodes.keys() != right.keys():
        found.append(f"the tree has {sorted(nodes)}, to be {sorted(right)}")
    for id in streams(log, "objective", known):
        answer = plain((await life.ask(reading, f"/v1/objectives/{id}", clocks))["objective"])
        found += differences(answer, right.get(id, {"score": None}), id)
        early = naive.values_before_it_existed(log, id, at, known)
        there = set(answer["key_results"]) - set(right[id]["key_results"] if id in right else ())
        if there != {name for name, values in early.items() if any(map(has_value, values.values()))}:
            found.append(f"{id} has {sorted(there)}, to be of {sorted(early)} those with values")
        for name, values in early.items():
            one = plain((await life.ask(reading, f"/v1/key-results/{name}", clocks))["key_result"])
            found += differences(one, {"raw": None, "score": None, "parts": values}, name)
    return found


async def _explained(reading: Reading, life: Told, log: Log, at: datetime, known: int) -> list[str]:
    """Where explanations do not add up, or are of other numbers."""
    clocks, found = {"as_of": at.isoformat(), "known_at": f"1-{known}"}, []
    for id, one in naive.objectives(log, at, known).items():
        found += explained.unlike(await life.ask(reading, f"/v1/objectives/{id}/explain", clocks), one)
        for name, each in one["key_results"].items():
            told = await life.ask(reading, f"/v1/key-results/{name}/explain", clocks)
            found += explained.unlike(told, each)
    return found
