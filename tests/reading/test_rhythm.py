"""The naive reading of SPEC 6 judges `/v1/silent` and `/v1/owed` on random lives, at random moments of both clocks."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

import pytest
from goal_ledger_contracts.workspace import Policy, PolicySet
from projection.query.conftest import Reading
from reading import rhythm
from reading.definitions import goals
from reading.lives import Told
from reading.log import read

LIVES = int(os.environ.get("JUDGED_LIVES", "16"))
FIRST = int(os.environ.get("JUDGED_FROM", "0"))


BO_SINCE = 3
"""The fact that Bo is there."""


class Spoken(Told):
    """A life in which, if it is a second one, feeds count as word."""

    def _begin(self) -> None:
        super()._begin()
        if self.seed % 2:
            policy = Policy(feeds_count_as_word=True)
            self.tell(f"workspace/{self.workspace}", PolicySet("objective/o0", 9, policy))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + LIVES))
async def test_due_dates_and_silence_are_those_of_the_naive_reading(reading: Reading, seed: int) -> None:
    life = Spoken(seed, 48)
    await life.fold(reading)
    reading.clock.now = life.now + timedelta(days=60)
    log = read(life.stored)
    moments = [*life.questions(2), (life.now + timedelta(days=12), len(life.facts))]
    for at, known_then in moments:
        known = max(known_then, BO_SINCE)
        clocks = {"as_of": at.isoformat(), "known_at": f"1-{known}"}
        right = rhythm.duties(log, at, known)
        told = (await life.ask(reading, "/v1/silent", clocks))["items"]
        assert {one["objective"]: (one["missed_in_a_row"], one["paused"]) for one in told} == {
            id: (one["missed"], one["paused"]) for id, one in right.items()
        }, (seed, at, known)
        states = {id: (one["last"], one["next"]) for id, one in right.items()}
        answer = await life.ask(reading, "/v1/owed", {**clocks, "by": "person/bo"})
        for one in answer["items"]:
            found = (one["last"] and one["last"]["state"], one["next"]["state"])
            assert found == states[one["objective"]], (seed, at, known, one)
        theirs = {id for id, one in goals(log, at, known).items() if one["owner"] == "person/bo"}
        assert {one["objective"] for one in answer["items"]} == theirs & right.keys()
        first, last = (at - timedelta(weeks=8)).date(), (at + timedelta(1)).date()
        asked = {**clocks, "from": first.isoformat(), "to": last.isoformat(), "every": "P2W"}
        tallies = (await life.ask(reading, "/v1/participation", asked))["all"]
        counts = {
            name: sum(one[name] for one in tallies) for name in ("on_time", "late", "missed", "pending")
        }
        assert +Counter(counts) == rhythm.counted(log, first, last, at, known), (seed, at, known)
