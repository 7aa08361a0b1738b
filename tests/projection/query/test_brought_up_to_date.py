"""Whatever happened, a tree that was brought up to date is, byte for byte, the tree computed from nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from goal_ledger_contracts import feed, objective, workspace
from goal_ledger_contracts.measures import Increase
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.api.view import Views
from goal_ledger_projection.query import verifier
from projection.query.conftest import Reading
from projection.query.story import START, Story, d

GOALS = 8


class Chance:
    """Tells a random story."""

    def __init__(self, story: Story, seed: int) -> None:
        self.story, self.random = story, random.Random(seed)
        self.key_results: defaultdict[str, list[str]] = defaultdict(list)
        self.state: dict[str, str] = {}
        self.links: set[tuple[int, int]] = set()
        self.check_ins: dict[str, tuple[str, str]] = {}
        self.readings: list[str] = []
        self.bound: set[str] = set()
        story.tell(
            f"workspace/{story.workspace}",
            workspace.PolicySet("workspace", 1, workspace.Policy(roll_up="both")),
        )
        story.tell("feed/f", feed.FeedRegistered("shop", "gauge", interval="P1D"))

    def measure(self) -> Increase:
        baseline = self.random.randint(-5, 5)
        return Increase(d(str(baseline + self.random.randint(1, 13))), d(str(baseline)))

    def past(self) -> datetime:
        now = self.story.recorded_at
        return now - (now - START) * self.random.random()

    def step(self) -> None:
        self.story.recorded_at += timedelta(hours=self.random.randint(1, 40))
        i = self.random.randrange(GOALS)
        id = f"o{i}"
        if id not in self.state:
            self.story.goal(id, active=False)
            self.state[id] = "draft"
            for n in range(self.random.randint(1, 3)):
                self.add(id, n)
            return
        moves = {"draft": self.define, "active": self.work, "closed": self.after}
        moves[self.state[id]](id, i)

    def add(self, id: str, n: int) -> None:
        name = f"{id}-k{n}"
        self.story.tell(f"objective/{id}", objective.KeyResultAdded(name, name, self.measure()))
        self.key_results[id].append(name)

    def define(self, id: str, i: int) -> None:
        if self.random.random() < 0.5:
            self.story.tell(f"objective/{id}", objective.ObjectiveActivated())
            self.state[id] = "active"
        else:
            self.amend(id, i)

    def amend(self, id: str, i: int) -> None:
        stream, name = f"objective/{id}", self.random.choice(self.key_results[id])
        match self.random.randrange(6):
            case 0:
                self.story.tell(stream, objective.MeasureChanged(name, self.measure()), reason="x")
            case 1:
                weight = d(str(self.random.randint(0, 3)))
                self.story.tell(stream, objective.KeyResultWeightChanged(name, weight), reason="x")
            case 2:
                self.add(id, 10 + len(self.key_results[id]))
            case 3 if name not in self.bound:
                self.story.tell(stream, objective.PartBound(name, "value", "f", "last"), reason="x")
                self.bound.add(name)
            case 4:
                self.story.tell(stream, objective.KeyResultDropped(name), reason="x")
            case _:
                self.link(id, i)

    def link(self, id: str, i: int) -> None:
        parent = self.random.randrange(GOALS)
        if parent >= i or f"o{parent}" not in self.state or self.state[f"o{parent}"] == "closed":
            return
        stream, to = f"objective/{id}", f"objective/o{parent}"
        if (i, parent) in self.links:
            self.story.tell(stream, objective.ObjectiveUnaligned(f"l{i}-{parent}", to), reason="x")
            self.links.remove((i, parent))
        else:
            mode = self.random.choice(("contributes", "contributes", "supports"))
            weight = d(str(self.random.randint(1, 4)))
            link = objective.ObjectiveAligned(f"l{i}-{parent}", to, mode, weight)
            self.story.tell(stream, link, reason="x")
            self.links.add((i, parent))

    def work(self, id: str, i: int) -> None:
        match self.random.randrange(12):
            case 0 | 1:
                self.amend(id, i)
            case 2:
                outcome = self.random.choice(("achieved", "partial", "dropped"))
                self.story.tell(f"objective/{id}", objective.ObjectiveClosed(outcome))
                self.state[id] = "closed"
            case 3 | 4:
                self.read()
            case 5 | 6 if self.check_ins:
                self.revise()
            case _:
                self.check_in(id)

    def after(self, id: str, i: int) -> None:
        if self.random.random() < 0.3:
            self.story.tell(f"objective/{id}", objective.ObjectiveReopened(), reason="x")
            self.state[id] = "active"
        else:
            self.revise()

    def value(self) -> Decimal:
        return Decimal(self.random.randint(-10, 20))

    def check_in(self, id: str) -> None:
        name = self.random.choice(self.key_results[id])
        check_in = f"c{len(self.story.facts)}"
        data = objective.CheckInRecorded(check_in, name, (objective.PartValue("value", self.value()),))
        self.story.tell(f"objective/{id}", data, at=self.past())
        self.check_ins[check_in] = (id, name)

    def revise(self) -> None:
        if not self.check_ins:
            return
        check_in, (id, name) = self.random.choice(list(self.check_ins.items()))
        if self.random.random() < 0.3:
            self.story.tell(f"objective/{id}", objective.CheckInRetracted(check_in, name), reason="x")
            del self.check_ins[check_in]
        else:
            data = objective.CheckInCorrected(check_in, name, (objective.PartValue("value", self.value()),))
            self.story.tell(f"objective/{id}", data, at=self.past(), reason="x")

    def read(self) -> None:
        time, id, value = self.past(), f"r{len(self.story.facts)}", self.value()
        match self.random.randrange(4):
            case 0 if self.readings:
                which = self.random.choice(self.readings)
                data: Any = feed.ReadingCorrected("s", which, time, value, "absolute")
            case 1:
                self.story.tell(
                    "feed/f",
                    feed.ReadingQuarantined("s", id, time, value, "absolute", "out_of_limits"),
                    at=time,
                )
                data = feed.ReadingReleased("s", id)
                self.readings.append(id)
            case _:
                data = feed.ReadingRecorded("s", id, time, value, "absolute")
                self.readings.append(id)
        at = None if isinstance(data, feed.ReadingReleased) else time
        self.story.tell("feed/f", data, at=at, reason="x")


@pytest.mark.parametrize("seed", range(2))
async def test_a_tree_brought_up_to_date_is_the_tree_computed_from_nothing(
    story: Story, reading: Reading, seed: int
) -> None:
    chance = Chance(story, 100 + seed)
    for _ in range(25):
        for _ in range(chance.random.randint(1, 6)):
            chance.step()
        await story.arrive()
        reading.clock.now = story.recorded_at + timedelta(minutes=chance.random.randint(0, 600))
        kept = (await story.get("/v1/alignment")).content
        views = Views(
            reading.views.settings, reading.views.database, verifier(reading.views.settings), reading.clock
        )
        app = query_app(views, new_registry("query"))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://query") as client:
            fresh = Story(story.workspace, story.applier, client, story.issuer)
            assert (await fresh.get("/v1/alignment")).content == kept
        await views.close()
