"""Answers that were saved are what the offline verifier computes from the log; whatever is edited in them is named."""

from __future__ import annotations

import json
import random
from argparse import Namespace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_contracts.envelope import to_bytes
from goal_ledger_contracts.workspace import IdentityLinked, RoleGranted
from goal_ledger_verifier.main import verify
from goal_ledger_verifier.report import Report
from history.lives import Life
from projection.query.conftest import Reading
from projection.query.story import ISSUER, Story
from verifier.saved import EDITABLE, edited

SEEDS = range(5)
EDITS = 24


async def lived(reading: Reading, seed: int) -> Story:
    """A random life, folded, and Ada, who asks."""
    life = Life(seed)
    stream = f"workspace/{life.workspace}"
    life.tell(stream, IdentityLinked(ISSUER, "sub-ada", "ada"))
    life.tell(stream, RoleGranted("person/ada", "analyst"))
    story = Story(life.workspace, reading.applier, reading.client, reading.issuer, facts=list(life.facts))
    reading.clock.now = life.now + timedelta(days=1)
    await story.arrive()
    assert [to_bytes(fact) for fact in story.facts] == life.stored
    return story


async def saved(story: Story, chosen: random.Random) -> list[dict[str, Any]]:
    """Answers of every kind that can be checked, now and at some moment."""
    found = []
    then = {
        "as_of": chosen.choice(story.facts).recorded_at.isoformat(),
        "known_at": f"1-{chosen.randrange(len(story.facts) // 2, len(story.facts))}",
    }
    for clocks in ({}, then):
        tree = await story.ask("/v1/alignment", **clocks)
        lists = [await story.ask(path, **clocks) for path in ("/v1/objectives", "/v1/key-results")]
        found += [tree, *lists]
        for path, items in zip(("/v1/objectives", "/v1/key-results"), lists, strict=True):
            found += [await story.ask(f"{path}/{one['id']}", **clocks) for one in items["items"]]
    return found


def report_of(folder: Path, story: Story, answers: list[dict[str, Any]]) -> Report:
    log = folder / "log.jsonl"
    log.write_bytes(b"".join(to_bytes(fact) + b"\n" for fact in story.facts))
    paths = []
    for number, answer in enumerate(answers):
        paths.append(folder / f"answer-{number}.json")
        paths[-1].write_text(json.dumps(answer))
    given = Namespace(log=log, key=[], head=[], proof=[], answer=paths, policy=None, processes=1)
    return verify(given, lambda facts, share: None)


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_number_of_an_answer_follows_from_the_facts(
    reading: Reading, tmp_path: Path, seed: int
) -> None:
    story = await lived(reading, seed)
    answers = await saved(story, random.Random(seed))
    report = report_of(tmp_path, story, answers)
    assert (report.findings.kept, report.not_checked) == ([], [])
    assert report.checked["saved answers"] == len(answers)
    scores = {name for name in report.not_computed if "score" in name or "status" in name or "value" in name}
    assert not scores


async def test_an_edited_answer_is_named_with_the_member_edited(reading: Reading, tmp_path: Path) -> None:
    story = await lived(reading, 1)
    chosen = random.Random(1)
    answers = await saved(story, chosen)
    for _ in range(EDITS):
        number = chosen.randrange(len(answers))
        changed, pointer = edited(chosen, answers[number], EDITABLE)
        (found, *_) = report_of(tmp_path, story, [changed]).findings.kept
        assert found.code in ("answer_differs", "answer_unreadable")
        assert pointer in found.detail or found.code == "answer_unreadable"
