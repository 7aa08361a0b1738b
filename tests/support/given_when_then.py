"""Specifications of deciders: given facts, when a command, then facts, or nothing new, or a refusal.

    given(on("unit/shop", UnitCreated("Shop"))).when(CloseUnit(meta(reason="Done"), "shop")).then(UnitClosed())

A :class:`Record` is a workspace's record in memory: it numbers facts, folds them, keeps identities and points as the
ledger does. ``record.tell(command)`` decides and appends, for histories told in commands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import envelope
from goal_ledger_contracts.decision import LIVE, Decision, Found, Identity, Neighbours, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.workspace import WorkspaceCreated
from goal_ledger_domain import command, decide, evolve
from goal_ledger_domain.deciders import rule_of
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World

WORKSPACE = "acme"
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""When histories begin; every fact given without a time is a minute after the one before."""


def meta(actor: str = "person/ada", **more: Any) -> command.Meta:
    """A command's Meta; ``reason=``, ``effective_at=``, ``importing=`` as wanted."""
    return command.Meta(actor=actor, correlation_id="spec", causation_id="spec", **more)


@dataclass(frozen=True)
class Given:
    stream: str
    data: FactData
    at: datetime | None = None
    reason: str | None = None
    actor: str = "person/ada"


def on(stream: str, *data: FactData, at: datetime | None = None, actor: str = "person/ada") -> list[Given]:
    """Facts of a stream, in order; ``at`` is their effective_at (default: as recorded)."""
    return [Given(stream, one, at, actor=actor) for one in data]


def given(*history: list[Given]) -> Record:
    """The record of a workspace in Oslo with this history."""
    record = Record()
    record.append(Given(f"workspace/{WORKSPACE}", WorkspaceCreated("Acme", "Europe/Oslo")))
    return record.given(*history)


@dataclass
class Record:
    """A workspace's record in memory."""

    world: World = field(default_factory=World)
    facts: list[Fact] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    found: dict[Identity, Found] = field(default_factory=dict)
    points: dict[tuple[str, Identity], tuple[datetime, Decimal]] = field(default_factory=dict)
    now: datetime = START

    def given(self, *history: list[Given]) -> Record:
        for facts in history:
            for one in facts:
                self.append(one)
        return self

    def append(self, one: Given) -> Fact:
        self.now += timedelta(minutes=1)
        return self._append(one.stream, one.data, one.at or self.now, actor=one.actor, reason=one.reason)

    def _append(self, stream: str, data: FactData, effective_at: datetime, **more: Any) -> Fact:
        version = self.versions.get(stream, 0) + 1
        fact = Fact(
            event_id=more.pop("event_id", None) or uuid7(),
            workspace=WORKSPACE,
            seq=len(self.facts) + 1,
            stream=stream,
            version=version,
            data=data,
            effective_at=effective_at,
            recorded_at=self.now,
            correlation_id="spec",
            causation_id="spec",
            previous=None if version == 1 else "0" * 64,
            **more,
        )
        envelope.to_bytes(fact)
        self.versions[stream] = version
        self.facts.append(fact)
        evolve.evolve(self.world, fact)
        return fact

    def decide(self, asked: Any) -> Decision:
        """What the command comes to, a minute after the last fact. Raises Refusal."""
        return decide.decide(self.world, asked, self._situation(asked))

    def _situation(self, asked: Any) -> Situation:
        return Situation(
            now=self.now + timedelta(minutes=1),
            position=Position(1, len(self.facts)),
            found={i: self.found[i] for i in decide.lookups(asked) if i in self.found},
            neighbours={
                (series, at): self._around(series, at, asked) for series, at in decide.neighbours(asked)
            },
            versions=self.versions,
        )

    def _around(self, series: str, at: datetime, asked: Any) -> Neighbours:
        own = set(decide.lookups(asked)[:1])
        points = sorted(p for (s, i), p in self.points.items() if s == series and i not in own)
        before = [(value, t) for t, value in points if t <= at]
        after = [(value, t) for t, value in points if t > at]
        (before_value, before_at), (after_value, after_at) = (
            before[-1] if before else (None, None),
            after[0] if after else (None, None),
        )
        return Neighbours(before_value, after_value, before_at, after_at)

    def tell(self, asked: Any) -> Decision:
        """Decide and append."""
        decision = self.decide(asked)
        self.now += timedelta(minutes=1)
        recorded = [
            self._append(
                d.stream,
                d.data,
                d.effective_at,
                event_id=d.event_id,
                actor=d.actor,
                reason=d.reason,
                stated_at=d.stated_at,
                origin=d.origin,
            )
            for d in decision.drafts
        ]
        for claim in decision.claims:
            known = self.found.get(claim.identity)
            fact = known.fact if claim.keeps_content and known else recorded[claim.draft]
            self.found[claim.identity] = Found(fact, claim.state, claim.subject)
        for point in decision.points:
            self.points.pop((point.series, point.identity), None)
            if not point.gone:
                self.points[point.series, point.identity] = (point.at, point.value)
        return decision

    def told(self, *commands: Any) -> Record:
        """A history told in commands."""
        for one in commands:
            self.tell(one)
        return self

    def when(self, asked: Any) -> Outcome:
        try:
            return Outcome(self, asked, decision=self.decide(asked))
        except Refusal as refusal:
            return Outcome(self, asked, refusal=refusal)

    def state(self, identity: Identity) -> int:
        return self.found[identity].state if identity in self.found else LIVE


@dataclass
class Outcome:
    record: Record
    asked: Any
    decision: Decision | None = None
    refusal: Refusal | None = None

    def then(self, *data: FactData) -> Decision:
        """Exactly these facts are decided."""
        assert self.refusal is None, f"refused: {self.refusal!r}"
        assert self.decision is not None
        assert tuple(d.data for d in self.decision.drafts) == data
        return self.decision

    def then_nothing_new(self) -> Decision:
        """Allowed, and there is no fact to record."""
        assert self.refusal is None, f"refused: {self.refusal!r}"
        assert self.decision is not None
        assert self.decision.drafts == ()
        return self.decision

    def then_refused(self, code: str, field: str | None = None) -> Refusal:
        """Refused with this code (and, if given, this field)."""
        assert self.refusal is not None, f"not refused, but decided: {self.decision}"
        assert self.refusal.code == code, repr(self.refusal)
        assert field is None or self.refusal.field == field, repr(self.refusal)
        return self.refusal


def tells_nothing_new_twice(record: Record, asked: Any) -> None:
    """The property of every decider: a command told twice records nothing the second time."""
    try:
        decision = record.tell(asked)
    except Refusal:
        return
    assert _is_there(record, rule_of(asked).shows, decision.id), f"{asked} shows {decision.id}"
    before = len(record.facts)
    record.tell(asked)
    assert len(record.facts) == before


def _is_there(record: Record, kind: str, id: str) -> bool:
    """Whether there is a thing of that kind and id: what a command's row says that its answer shows."""
    match kind:
        case "workspace":
            return id == record.world.get("workspace", "").id
        case "holder":
            return id.partition("/")[0] in ("person", "system")
        case "policy":
            what, _, name = id.partition("/")
            return what == "workspace" or record.world.get(what, name) is not None
        case "check-in" | "comment" | "kudos" | "reading":
            return any(one.kind == kind and one.names[-1] == id for one in record.found)
        case "link":
            # Unaligned from a parent once more, an objective has no such link: the answer is about itself.
            return any(record.world.get(one, id) is not None for one in ("link", "objective"))
    return record.world.get(kind, id) is not None
