"""Whatever happened, the numbers follow from the facts: recomputed here from the facts alone, with fractions, the naive
way; and a tree that was brought up to date is, byte for byte, the tree computed from nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx2
import pytest
from goal_ledger_contracts import feed, objective, workspace
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.measures import Increase
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.api.view import Views
from goal_ledger_projection.query import verifier
from projection.query.conftest import Reading
from projection.query.story import START, Story, d

GOALS = 8


def rounded(exact: Fraction) -> Decimal:
    return Decimal(round(exact * 10**12)).scaleb(-12)


@dataclass
class Naive:
    """The scores at (T, K), folded from the facts one by one."""

    facts: list[Fact]
    at: datetime
    known: int

    def __post_init__(self) -> None:
        self.activated: dict[str, int] = {}
        self.closed: dict[str, tuple[datetime, int, str]] = {}
        for fact in self._defining(self.known, self.at):
            match fact.data:
                case objective.ObjectiveActivated():
                    self.activated.setdefault(fact.stream_id, fact.seq)
                case objective.ObjectiveClosed():
                    self.closed[fact.stream_id] = (fact.effective_at, fact.seq, fact.data.outcome)
                case objective.ObjectiveReopened():
                    del self.closed[fact.stream_id]
        self.drafted = {
            f.stream_id for f in self._defining(self.known, self.at) if f.type == "ObjectiveDrafted"
        }

    def _defining(self, known: int, at: datetime | None) -> list[Fact]:
        return [
            fact
            for fact in self.facts
            if fact.seq <= known
            and fact.stream.startswith("objective/")
            and not fact.type.startswith("CheckIn")
            and (at is None or fact.effective_at <= at)
        ]

    def scores(self) -> dict[str, tuple[Decimal | None, Decimal | None]]:
        return {id: (self.score(id, False), self.score(id, True)) for id in sorted(self.drafted)}

    def score(self, id: str, committed: bool) -> Decimal | None:
        """As amended, or as committed."""
        if id in self.closed:
            at, seq, _ = self.closed[id]
            then = Naive(self.facts, at, seq)
            del then.closed[id]
            return then.score(id, committed)
        if committed and id not in self.activated:
            return None
        known, until = (self.activated[id], None) if committed else (self.known, self.at)
        pool = [(w, s) for w, s in self._key_results(id, known, until) if s is not None]
        for child, weight in self._links(id, known, until):
            score = self._child_score(child, committed)
            if score is not None:
                pool.append((weight, score))
        weights = sum((Fraction(w) for w, _ in pool), Fraction(0))
        if not weights:
            return None
        return rounded(sum((Fraction(w) * Fraction(s) for w, s in pool), Fraction(0)) / weights)

    def _child_score(self, child: str, committed: bool) -> Decimal | None:
        outcome = self.closed.get(child, (None, None, None))[2]
        is_draft = child not in self.activated and child not in self.closed
        if child not in self.drafted or is_draft or outcome in ("dropped", "postponed"):
            return None
        return self.score(child, committed)

    def _key_results(
        self, id: str, known: int, until: datetime | None
    ) -> list[tuple[Decimal, Decimal | None]]:
        measures: dict[str, Increase] = {}
        weights: dict[str, Decimal] = {}
        bound: dict[str, str] = {}
        dropped: set[str] = set()
        for fact in self._defining(known, until):
            if fact.stream_id != id:
                continue
            match fact.data:
                case objective.KeyResultAdded(key_result=name, measure=Increase() as measure, weight=weight):
                    measures[name], weights[name] = measure, weight
                case objective.MeasureChanged(key_result=name, measure=Increase() as measure):
                    measures[name] = measure
                case objective.KeyResultWeightChanged(key_result=name, weight=weight):
                    weights[name] = weight
                case objective.KeyResultDropped(key_result=name):
                    dropped.add(name)
                case objective.PartBound(key_result=name, feed=source):
                    bound[name] = source
        found = []
        for name, measure in measures.items():
            value = self._reading(bound[name]) if name in bound else self._checked_in(name)
            if name not in dropped:
                found.append((weights[name], None if value is None else self._clamped(measure, value)))
        return found

    @staticmethod
    def _clamped(measure: Increase, value: Decimal) -> Decimal:
        raw = (Fraction(value) - Fraction(measure.baseline or 0)) / (
            Fraction(measure.target) - Fraction(measure.baseline or 0)
        )
        return min(max(rounded(raw), Decimal(0)), Decimal(1))

    def _links(self, parent: str, known: int, until: datetime | None) -> list[tuple[str, Decimal]]:
        links: dict[str, tuple[str, Decimal]] = {}
        for fact in self._defining(known, until):
            match fact.data:
                case objective.ObjectiveAligned(parent=to, mode=mode, weight=weight) if (
                    to == f"objective/{parent}"
                ):
                    links[fact.stream_id] = (mode, weight)
                case objective.ObjectiveUnaligned(parent=to) if to == f"objective/{parent}":
                    links.pop(fact.stream_id, None)
        return [(child, weight) for child, (mode, weight) in links.items() if mode == "contributes"]

    def _checked_in(self, key_result: str) -> Decimal | None:
        contents: dict[str, tuple[datetime, int, Decimal]] = {}
        for fact in self.facts[: self.known]:
            match fact.data:
                case (
                    objective.CheckInRecorded(check_in=id, key_result=name, values=values)
                    | objective.CheckInCorrected(check_in=id, key_result=name, values=values)
                ) if name == key_result:
                    contents[id] = (fact.effective_at, fact.seq, values[0].value or Decimal(0))
                case objective.CheckInRetracted(check_in=id) if id in contents:
                    del contents[id]
        return self._last(contents.values())

    def _reading(self, name: str) -> Decimal | None:
        contents: dict[str, tuple[datetime, int, Decimal]] = {}
        held: dict[str, tuple[datetime, Decimal]] = {}
        for fact in self.facts[: self.known]:
            if fact.stream != f"feed/{name}":
                continue
            match fact.data:
                case feed.ReadingRecorded(id=id, time=time, value=value):
                    contents[id] = (time, fact.seq, value)
                case feed.ReadingQuarantined(id=id, time=time, value=value):
                    held[id] = (time, value)
                case feed.ReadingReleased(id=id):
                    contents[id] = (held[id][0], fact.seq, held[id][1])
                case feed.ReadingCorrected(id=id, time=time, value=value):
                    contents[id] = (time, fact.seq, value)
                case feed.ReadingRetracted(id=id):
                    contents.pop(id, None)
        return self._last(contents.values())

    def _last(self, contents: Any) -> Decimal | None:
        until = [one for one in contents if one[0] <= self.at]
        return max(until)[2] if until else None


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


def text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


@pytest.mark.parametrize("seed", range(4))
async def test_the_scores_are_those_recomputed_from_the_facts_at_any_moment_as_known_at_any_moment(
    story: Story, seed: int
) -> None:
    chance = Chance(story, seed)
    while len(story.facts) < 220:
        chance.step()
    await story.arrive()
    moments: list[tuple[datetime, int]] = [(datetime(2027, 1, 1, tzinfo=UTC), len(story.facts))]
    for _ in range(14):
        known = chance.random.randint(4, len(story.facts))
        moments.append((chance.past(), known))
    for at, known in moments:
        answer = await story.ask("/v1/alignment", as_of=at.isoformat(), known_at=f"1-{known}")
        found = {one["id"]: (one["score"], one["score_committed"]) for one in answer["nodes"]}
        naive = Naive(story.facts, at, known).scores()
        assert found == {id: (text(a), text(c)) for id, (a, c) in naive.items()}, (at, known)
        for id in chance.random.sample(sorted(found), min(2, len(found))):
            one = (await story.ask(f"/v1/objectives/{id}", as_of=at.isoformat(), known_at=f"1-{known}"))[
                "objective"
            ]
            assert (one["score"], one["score_committed"]) == found[id]


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
