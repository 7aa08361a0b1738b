"""The naive reading of SPEC 5 and 7 judges `/v1/restatements` and `/v1/changes-since` on random lives: what it says of both
sides is what they say differs."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from projection.query.conftest import Reading
from reading import amended, naive
from reading.lives import Told
from reading.log import Json, Log, instant, read

LIVES = int(os.environ.get("JUDGED_LIVES", "8"))
FIRST = int(os.environ.get("JUDGED_FROM", "0"))
WHOLE = ("score", "score_committed", "status")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + LIVES))
async def test_what_differs_is_what_the_naive_reading_says_of_both_sides(reading: Reading, seed: int) -> None:
    life = Told(seed, 48)
    await life.fold(reading)
    reading.clock.now = life.now + timedelta(days=60)
    log, end = read(life.stored), len(life.facts)
    known = end // 2
    since = log[known - 1]["recorded_at"]
    restated = await life.ask(reading, "/v1/restatements", {"since": f"1-{known}", "limit": "200"})
    assert instant(restated["from"]["as_of"]) == since
    assert _told(restated) == _differing(log, (since, known), (since, end), new_too=False), seed
    now = life.now + timedelta(days=1)
    asked = {"since": f"1-{known}", "as_of": now.isoformat(), "limit": "100"}
    changed = await life.ask(reading, "/v1/changes-since", asked)
    right = _differing(log, (since, known), (now, end), new_too=True)
    assert {id: one for id, one in _told(changed).items() if id in right or any(one.values())} == right, seed
    moved = [
        (one["objective"], one["seq"])
        for one in amended.changes(log, now, end)
        if one["goalpost"] and (one["seq"] > known or one["at"] > since)
    ]
    told = [(one["objective"], one["seq"]) for item in changed["items"] for one in item["goalpost_moves"]]
    assert sorted(told) == sorted(moved), seed


Moment = tuple[datetime, int]


def _differing(log: Log, before: Moment, after: Moment, *, new_too: bool) -> dict[str, Json]:
    """By objective what differs: of itself, and of its key results that are there in the end."""
    old, new = naive.objectives(log, *before), naive.objectives(log, *after)
    found = {}
    for id, one in new.items():
        if id in old or new_too:
            was = old.get(id, {"key_results": {}})
            each = {
                name: _pairs(was["key_results"].get(name, {}), of_it)
                for name, of_it in one["key_results"].items()
            }
            found[id] = {"": _pairs(was, one), **{name: pairs for name, pairs in each.items() if pairs}}
    return {id: one for id, one in found.items() if any(one.values())}


def _pairs(old: Json, new: Json) -> Json:
    found = {name: (old.get(name), new.get(name)) for name in WHOLE}
    for part in {*old.get("parts", {}), *new.get("parts", {})}:
        found[f"part {part}"] = (_value(old, part), _value(new, part))
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def _value(one: Json, part: str) -> Any:
    given = one.get("parts", {}).get(part)
    if given is None:
        return None
    return given["value"] if given["done"] is None else list(given["done"])


def _told(body: Json) -> dict[str, Json]:
    return {
        one["objective"]: {
            "": _sides(one),
            **{each["key_result"]: _sides(each) for each in one["key_results"]},
        }
        for one in body["items"]
    }


def _sides(one: Json) -> Json:
    found = {name: (_number(one[name]["before"]), _number(one[name]["after"])) for name in WHOLE[:2]}
    found["status"] = (one["status"]["before"], one["status"]["after"])
    for value in one.get("values", ()):
        found[f"part {value['part']}"] = (_number(value["before"]), _number(value["after"]))
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def _number(told: Any) -> Any:
    return Fraction(told) if isinstance(told, str) else told
