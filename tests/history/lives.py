"""Whole random lives of a workspace, told as facts: every kind of measure, feeds that are redefined and restarted,
amendments, closings, reopenings, carrying over, backdated and corrected check-ins, policies, moments, cycles moved."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import cycle, feed, objective, person, unit, workspace
from goal_ledger_contracts.envelope import Fact, leaf_hash, to_bytes
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.measures import Checklist, DoneOrNot, Measure, parts_of
from goal_ledger_contracts.personal import Sealed
from goal_ledger_history.as_of import AsOf
from history.measures_at_random import UNITS, measure

BEGUN = datetime(2026, 1, 5, 8, tzinfo=UTC)
KINDS = {"gauge": ("last", "max", "mean", "min"), "counter": ("increase",), "event_count": ("sum", "count")}
ZONES = ("UTC", "Europe/Oslo", "America/New_York")


@dataclass
class Goal:
    """What is left of an objective to tell of."""

    id: str
    state: str = "draft"
    activated: bool = False
    paused: bool = False
    key_results: dict[str, Measure] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    bound: dict[tuple[str, str], str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)


class Life:
    """Facts in seq order, each with its stream's hash of the one before."""

    def __init__(self, seed: int, facts: int = 64) -> None:
        self.seed, self.random = seed, random.Random(seed)
        self.workspace = f"w-{uuid7()}"
        self.facts: list[Fact] = []
        self.stored: list[bytes] = []
        self.now = BEGUN
        self.goals: list[Goal] = []
        self.check_ins: dict[str, tuple[Goal, str | None]] = {}
        self.feeds: dict[str, str] = {}
        self.readings: dict[tuple[str, str], bool] = {}
        self.restarts: dict[str, list[datetime]] = {}
        self.moments: set[str] = set()
        self.on_leave = False
        self.revisions: dict[str, int] = {}
        self._links = 0
        self._ends: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._begin()
        while len(self.facts) < facts:
            self._step()

    def tell(self, stream: str, data: FactData, at: datetime | None = None, **more: Any) -> None:
        """One fact more; ``at``: when it took effect (default: as it is recorded)."""
        self.now += timedelta(minutes=self.random.choice((1, 20, 600, 2000)))
        self._versions[stream] = self._versions.get(stream, 0) + 1
        fact = Fact(
            event_id=uuid7(),
            workspace=self.workspace,
            seq=len(self.facts) + 1,
            stream=stream,
            version=self._versions[stream],
            data=data,
            effective_at=self.now if at is None else min(at, self.now),
            recorded_at=self.now,
            actor="person/ada",
            correlation_id="life",
            causation_id="life",
            previous=self._ends.get(stream),
            reason="By chance",
            **more,
        )
        stored = to_bytes(fact)
        self._ends[stream] = leaf_hash(stored).hex()
        self.facts.append(fact)
        self.stored.append(stored)

    def instant(self) -> datetime:
        """Any time from before the beginning to after the end; now and then that of a fact, to the microsecond."""
        if self.random.random() < 0.3:
            return self.random.choice(self.facts).effective_at
        whole = self.now - BEGUN + timedelta(days=20)
        return BEGUN - timedelta(days=10) + whole * self.random.random()

    def asked(self) -> AsOf:
        """A moment to ask about, on both clocks; now rather often."""
        whole = len(self.facts)
        known = whole if self.random.random() < 0.5 else self.random.randint(1, whole)
        return AsOf(self.now if self.random.random() < 0.3 else self.instant(), known)

    def _begin(self) -> None:
        choice = self.random.choice
        self.tell(f"workspace/{self.workspace}", workspace.WorkspaceCreated("Acme", choice(ZONES)))
        self.tell("unit/top", unit.UnitCreated("Top"))
        self.tell("person/bo", person.PersonAdded(Sealed("person/bo", "AAAAAAAAAAAAAAAA", "AAAA")))
        self.tell("unit/web", unit.UnitCreated("Web", choice((None, "top", "unit/top"))))
        for number, name in enumerate(("q1", "q2")):
            start = date(2026, 1 + 3 * number, 1)
            self.tell(f"cycle/{name}", cycle.CyclePlanned(name, start, start + timedelta(days=80)))
        for name, kind in (("g", "gauge"), ("c", "counter"), ("e", "event_count")):
            self.feeds[name] = kind
            interval = choice((None, "P1D", "P2W"))
            self.tell(f"feed/{name}", feed.FeedRegistered("shop", kind, choice(UNITS), interval))
        self._draft()

    def _step(self) -> None:
        steps: tuple[tuple[int, Callable[[], None]], ...] = (
            (3, self._draft),
            (34, self._work),
            (16, self._read),
            (6, self._judge),
            (5, self._revise),
            (4, self._feed),
            (4, self._policy),
            (3, self._moment),
            (2, self._cycle),
            (2, self._unit),
        )
        self.random.choices([step for _, step in steps], [weight for weight, _ in steps])[0]()

    # the goals

    def _draft(self) -> None:
        if len(self.goals) == 5:
            return
        goal = Goal(f"o{len(self.goals)}")
        self.goals.append(goal)
        owner, within = self.random.choice(("unit/web", "unit/top", "person/bo")), self._some_cycle()
        drafted = objective.ObjectiveDrafted(goal.id, owner, cycle=within)
        self.tell(f"objective/{goal.id}", drafted)
        for _ in range(self.random.randint(1, 3)):
            self._add(goal)
        if self.random.random() < 0.8:
            self._align(goal)
            self._activate(goal)

    def _some_cycle(self) -> str | None:
        return self.random.choice((None, "q1", "q1", "q2"))

    def _add(self, goal: Goal) -> None:
        if len(goal.key_results) == 4:
            return
        id, made = f"{goal.id}-k{len(goal.key_results)}", measure(self.random, aligned=True)
        goal.key_results[id] = made
        weight = Decimal(self.random.choice(("1", "1", "2.5", "0")))
        self.tell(f"objective/{goal.id}", objective.KeyResultAdded(id, id, made, weight))

    def _activate(self, goal: Goal) -> None:
        goal.state, goal.activated = "active", True
        self.tell(f"objective/{goal.id}", objective.ObjectiveActivated())

    def _work(self) -> None:
        goal = self.random.choice(self.goals)
        match goal.state:
            case "draft":
                self.random.choice((self._add, self._align, self._activate, self._bind))(goal)
            case "active":
                many = (self._check_in,) * 8 + (self._bind,) * 3 + (self._align,) * 2
                one_each = (
                    self._amend,
                    self._add,
                    self._drop,
                    self._unbind,
                    self._close,
                    self._move,
                    self._pause,
                )
                self.random.choice((*many, *one_each, self._amend))(goal)
            case "closed":
                self.random.choice((self._reopen, self._archive, self._check_in, self._carry_over))(goal)
            case "archived":
                self._reopen(goal)

    def _align(self, goal: Goal) -> None:
        """With a goal drafted earlier or one of its key results, so that there is no loop."""
        number = self.goals.index(goal)
        if not number:
            return
        above = self.random.choice(self.goals[:number])
        aligned = [id for id, one in above.key_results.items() if one.kind == "aligned"]
        parent = f"key-result/{self.random.choice(aligned)}" if aligned else f"objective/{above.id}"
        if parent in goal.parents:
            link = goal.parents.pop(parent)
            self.tell(f"objective/{goal.id}", objective.ObjectiveUnaligned(link, parent))
            return
        self._links += 1
        goal.parents[parent] = f"l{self._links}"
        mode = self.random.choice(("contributes", "contributes", "supports"))
        weight = Decimal(self.random.choice(("1", "2", "0.5", "0")))
        self.tell(
            f"objective/{goal.id}", objective.ObjectiveAligned(goal.parents[parent], parent, mode, weight)
        )

    def _bind(self, goal: Goal) -> None:
        free = [
            (id, part)
            for id, one in goal.key_results.items()
            for part, simple in parts_of(one).items()
            if (id, part) not in goal.bound and not isinstance(simple, Checklist)
        ]
        if not free:
            return
        id, part = self.random.choice(free)
        source = self.random.choice(sorted(self.feeds))
        how = self.random.choice(KINDS[self.feeds[source]])
        goal.bound[id, part] = source
        self.tell(f"objective/{goal.id}", objective.PartBound(id, part, source, how))

    def _unbind(self, goal: Goal) -> None:
        if goal.bound:
            id, part = self.random.choice(sorted(goal.bound))
            del goal.bound[id, part]
            self.tell(f"objective/{goal.id}", objective.PartUnbound(id, part))

    def _amend(self, goal: Goal) -> None:
        id = self.random.choice(sorted(goal.key_results))
        stream = f"objective/{goal.id}"
        bound = {part for name, part in goal.bound if name == id}
        match self.random.randrange(5):
            case 0:
                self.tell(stream, objective.KeyResultWeightChanged(id, Decimal(self.random.randint(0, 3))))
            case 1:
                self.tell(stream, objective.ObjectiveAssigned(self.random.choice(("unit/top", "person/bo"))))
            case _ if goal.key_results[id].kind != "aligned":
                made = measure(self.random, like=goal.key_results[id])
                if not any(isinstance(parts_of(made).get(part), Checklist | None) for part in bound):
                    goal.key_results[id] = made
                    self.tell(stream, objective.MeasureChanged(id, made))

    def _drop(self, goal: Goal) -> None:
        id = self.random.choice(sorted(goal.key_results))
        taken_up = id in goal.dropped
        goal.dropped ^= {id}
        data = objective.KeyResultTakenUp(id) if taken_up else objective.KeyResultDropped(id)
        self.tell(f"objective/{goal.id}", data)

    def _move(self, goal: Goal) -> None:
        self.tell(f"objective/{goal.id}", objective.MovedToCycle(self.random.choice(("q1", "q2"))))

    def _pause(self, goal: Goal) -> None:
        goal.paused = not goal.paused
        data = objective.ObjectivePaused() if goal.paused else objective.ObjectiveResumed()
        self.tell(f"objective/{goal.id}", data)

    def _close(self, goal: Goal) -> None:
        goal.state, goal.paused = "closed", False
        outcome = self.random.choice(("achieved", "partial", "missed", "dropped", "postponed"))
        self.tell(f"objective/{goal.id}", objective.ObjectiveClosed(outcome))

    def _reopen(self, goal: Goal) -> None:
        goal.state = "active" if goal.activated else "draft"
        self.tell(f"objective/{goal.id}", objective.ObjectiveReopened())

    def _archive(self, goal: Goal) -> None:
        goal.state = "archived"
        self.tell(f"objective/{goal.id}", objective.ObjectiveArchived())

    def _carry_over(self, goal: Goal) -> None:
        if len(self.goals) == 5:
            return
        into = Goal(f"o{len(self.goals)}", key_results={})
        self.goals.append(into)
        drafted = objective.ObjectiveDrafted(into.id, "unit/web", cycle="q2", carried_from=goal.id)
        self.tell(f"objective/{into.id}", drafted)
        for number, (id, made) in enumerate(goal.key_results.items()):
            into.key_results[f"{into.id}-k{number}"] = made
            added = objective.KeyResultAdded(f"{into.id}-k{number}", id, made, carried_from=id)
            self.tell(f"objective/{into.id}", added)
        self.tell(f"objective/{goal.id}", objective.ObjectiveCarriedOver(into.id, "q2"))

    # what is said and read

    def _check_in(self, goal: Goal) -> None:
        on = self.random.choice((None, *sorted(goal.key_results)))
        id = f"ci{len(self.facts)}"
        self.check_ins[id] = (goal, on)
        data = objective.CheckInRecorded(id, on, self._values(goal, on), **self._said())
        self.tell(f"objective/{goal.id}", data, at=self.instant())

    def _said(self) -> dict[str, Any]:
        return {
            "confidence": self.random.choice((None, Decimal("0.3"), Decimal("0.8"))),
            "status": self.random.choice((None, None, "on_track", "behind", "at_risk")),
        }

    def _values(self, goal: Goal, on: str | None) -> tuple[objective.PartValue, ...]:
        if on is None:
            return ()
        return tuple(
            self._value(part, simple)
            for part, simple in parts_of(goal.key_results[on]).items()
            if (on, part) not in goal.bound and self.random.random() < 0.8
        )

    def _value(self, part: str, simple: Any) -> objective.PartValue:
        if isinstance(simple, Checklist):
            return objective.PartValue(
                part, done=tuple(s.id for s in simple.steps if self.random.random() < 0.5)
            )
        if isinstance(simple, DoneOrNot):
            return objective.PartValue(part, Decimal(self.random.randint(0, 1)))
        return objective.PartValue(part, Decimal(self.random.randint(-20, 140)) / 8)

    def _revise(self) -> None:
        if not self.check_ins:
            return
        id = self.random.choice(sorted(self.check_ins))
        goal, on = self.check_ins[id]
        if self.random.random() < 0.3:
            del self.check_ins[id]
            self.tell(f"objective/{goal.id}", objective.CheckInRetracted(id, on))
        else:
            data = objective.CheckInCorrected(id, on, self._values(goal, on), **self._said())
            self.tell(f"objective/{goal.id}", data, at=self.instant())

    def _read(self) -> None:
        source = self.random.choice(sorted(self.feeds))
        id, time = f"r{len(self.facts)}", min(self.instant(), self.now)
        mode = "increment" if self.feeds[source] == "event_count" else "absolute"
        value, of = Decimal(self.random.randint(0, 96)) / 8, self.random.choice(UNITS)
        held = self.random.random() < 0.25
        self.readings[source, id] = held
        if not held:
            self.tell(f"feed/{source}", feed.ReadingRecorded("s", id, time, value, mode, of), at=time)
        elif self.random.random() < 0.3:
            ahead = self.now + timedelta(days=3)
            quarantined = feed.ReadingQuarantined("s", id, ahead, value, mode, "future", of)
            self.tell(f"feed/{source}", quarantined, stated_at=ahead)
        else:
            quarantined = feed.ReadingQuarantined("s", id, time, value, mode, "wrong_unit", of)
            self.tell(f"feed/{source}", quarantined, at=time)

    def _judge(self) -> None:
        if not self.readings:
            return
        source, id = key = self.random.choice(sorted(self.readings))
        held, stream = self.readings[key], f"feed/{source}"
        match self.random.randrange(3):
            case 0:
                time, value = min(self.instant(), self.now), Decimal(self.random.randint(0, 12))
                corrected = feed.ReadingCorrected("s", id, time, value, "absolute", self.random.choice(UNITS))
                self.tell(stream, corrected, at=time)
            case 1 if held:
                self.readings[key] = False
                self.tell(stream, feed.ReadingReleased("s", id))
            case _:
                del self.readings[key]
                self.tell(stream, (feed.ReadingRejected if held else feed.ReadingRetracted)("s", id))

    def _feed(self) -> None:
        source = self.random.choice(sorted(self.feeds))
        if source == "c" and self.random.random() < 0.7:
            self._restart()
            return
        kind = self.random.choice((self.feeds[source], self.feeds[source], *KINDS))
        self.feeds[source] = kind
        interval = self.random.choice((None, "P1D", "P1W"))
        self.tell(f"feed/{source}", feed.FeedRedefined(kind, self.random.choice(UNITS), interval))

    def _restart(self) -> None:
        known = self.restarts.setdefault("c", [])
        if known and self.random.random() < 0.3:
            at = known.pop()
            self.tell("feed/c", feed.CounterRestartRetracted(at), at=at)
            return
        at = min(self.instant(), self.now)
        known.append(at)
        self.tell("feed/c", feed.CounterRestarted(at, Decimal(self.random.choice((0, 0, 5)))), at=at)

    # what is around them

    def _policy(self) -> None:
        scopes = ("workspace", "unit/top", "unit/web", *(f"objective/{one.id}" for one in self.goals))
        scope = self.random.choice(scopes)
        self.revisions[scope] = self.revisions.get(scope, 0) + 1
        choice = self.random.choice
        policy = workspace.Policy(
            time_zone=choice((None, *ZONES)),
            on_track_points=choice((None, Decimal(2))),
            behind_points=choice((None, Decimal(50))),
            roll_up=choice((None, "key_results", "aligned", "both", "both")),
            cadence_weeks=choice((None, 1, 2)),
            anchor_weekday=choice((None, 1, 3)),
            grace_days=choice((None, 0, 4)),
        )
        data = workspace.PolicySet(scope, self.revisions[scope], policy)
        self.tell(f"workspace/{self.workspace}", data)

    def _moment(self) -> None:
        stream, at = f"workspace/{self.workspace}", self.instant()
        if "launch" not in self.moments:
            self.moments.add("launch")
            self.tell(stream, workspace.MomentRecorded("launch", at), at=at)
        elif self.random.random() < 0.3:
            self.moments.discard("launch")
            self.tell(stream, workspace.MomentRetracted("launch"))
        else:
            self.tell(stream, workspace.MomentCorrected("launch", at), at=at)

    def _cycle(self) -> None:
        start = date(2026, 1, 1) + timedelta(days=self.random.randint(0, 40))
        moved = cycle.CycleDatesMoved(start, start + timedelta(days=self.random.randint(20, 90)))
        self.tell(f"cycle/{self.random.choice(('q1', 'q2'))}", moved)

    def _unit(self) -> None:
        if self.random.random() < 0.6:
            self.on_leave = not self.on_leave
            self.tell("person/bo", person.LeaveBegun() if self.on_leave else person.LeaveEnded())
            return
        self.tell("unit/web", unit.UnitMoved(self.random.choice((None, "top"))))
