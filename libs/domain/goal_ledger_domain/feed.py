"""Feeds: registered streams of readings from one system. A redefinition is a visible break in the series."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.feed import FeedRedefined, FeedRegistered
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import limits, text, values
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.durations import duration
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import registered
from goal_ledger_domain.target import WORKSPACE, References, found_by
from goal_ledger_domain.world import World

GAUGE, COUNTER, EVENT_COUNT = KINDS = ("gauge", "counter", "event_count")
MODE_OF = {GAUGE: "absolute", COUNTER: "absolute", EVENT_COUNT: "increment"}


@dataclass(frozen=True, slots=True)
class RegisterFeed:
    """``kind``: gauge, counter or event_count; ``interval``: an ISO duration; ``low``, ``high``: plausibility limits."""

    meta: Meta
    feed: str
    system: str
    kind: str
    unit: str | None = None
    interval: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class RedefineFeed:
    """The whole new definition."""

    meta: Meta
    feed: str
    kind: str
    unit: str | None = None
    interval: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    description: str | None = None


_Command = RegisterFeed | RedefineFeed


@dataclass(frozen=True, slots=True)
class Segment:
    """One definition of the feed, from ``since`` until the next."""

    since: datetime
    definition: FeedRedefined


@dataclass(frozen=True, slots=True)
class Restart:
    """The counter began anew at ``at`` from ``base``."""

    at: datetime
    base: Decimal


_kind_of = attrgetter("definition.kind")


@dataclass(frozen=True, slots=True)
class Feed:
    system: str
    segments: tuple[Segment, ...]
    """In order of ``since``; the last is the present definition."""
    restarts: tuple[Restart, ...] = ()
    """In order of time."""
    retracted: frozenset[datetime] = frozenset()
    """When there is no restart any more."""

    @property
    def definition(self) -> FeedRedefined:
        return self.segments[-1].definition

    @property
    def kind(self) -> str:
        return self.definition.kind

    @property
    def unit(self) -> str | None:
        return self.definition.unit

    @property
    def last_effective_at(self) -> datetime:
        return self.segments[-1].since

    @property
    def counts_ever(self) -> bool:
        """Whether it is or was a counter."""
        return COUNTER in map(_kind_of, self.segments)

    def at(self, time: datetime) -> Segment:
        """The segment that a reading of that time belongs to: earlier readings keep the old definition."""
        for segment in reversed(self.segments):
            if segment.since <= time:
                return segment
        return self.segments[0]

    def restart_at(self, time: datetime) -> Restart | None:
        """The restart that the count goes on from at that time, under the definition of then."""
        last = next((one for one in reversed(self.restarts) if one.at <= time), None)
        return last if last is not None and self.at(last.at) is self.at(time) else None

    def counts_on(self, one: datetime, other: datetime) -> bool:
        """Whether the count goes on from one time to the other: no redefinition and no restart lies between."""
        return self.at(one) is self.at(other) and self.restart_at(one) == self.restart_at(other)

    def restarted(self, restart: Restart) -> Feed:
        restarts = sorted([*self.restarts, restart], key=attrgetter("at"))
        return replace(self, restarts=tuple(restarts), retracted=self.retracted - {restart.at})

    def restart_retracted(self, at: datetime) -> Feed:
        left = tuple(one for one in self.restarts if one.at != at)
        return replace(self, restarts=left, retracted=self.retracted | {at})


def feed(world: World, name: str, field: str = "feed") -> Feed:
    """Refuses ``unknown_feed``."""
    found = feed_state(world, name)
    if found is None:
        raise Refusal("unknown_feed", f"There is no feed {name[:64]}.", field=field)
    return found


def feed_state(world: World, name: str) -> Feed | None:
    found: Feed | None = world.get("feed", name)
    return found


@found_by("feed")
def its_feed(world: World, command: Any, situation: Situation) -> References:
    """The feed that the command names. Refuses ``unknown_feed``."""
    feed(world, command.feed)
    return (f"feed/{command.feed}",)


def evolve(world: World, fact: Fact) -> None:
    match fact.data:
        case FeedRegistered(system):
            world.put(
                "feed", fact.stream_id, Feed(system, (Segment(fact.effective_at, _definition(fact.data)),))
            )
        case FeedRedefined():
            before: Feed = world.get("feed", fact.stream_id)
            segments = (*before.segments, Segment(fact.effective_at, fact.data))
            world.put("feed", fact.stream_id, replace(before, segments=segments))


def _definition(stated: FeedRegistered | _Command) -> FeedRedefined:
    return FeedRedefined(**{f.name: getattr(stated, f.name) for f in fields(FeedRedefined)})


def _valid(command: _Command) -> FeedRedefined:
    text.choice(command.kind, "kind", KINDS)
    low, high = values.optional_value(command.low, "low"), values.optional_value(command.high, "high")
    if low is not None and high is not None and low > high:
        raise Refusal("limits_reversed", "low is above high.", field="low")
    return FeedRedefined(
        kind=command.kind,
        unit=text.optional_line(command.unit, "unit", limits.MEASURE_UNIT_MAX_CHARACTERS),
        interval=None if command.interval is None else duration(command.interval, "interval"),
        low=low,
        high=high,
        description=text.optional_passage(
            command.description, "description", limits.DESCRIPTION_MAX_CHARACTERS
        ),
    )


def is_defined_so(known: Feed, command: RedefineFeed) -> bool:
    """Whether the feed has that very definition. Refuses one that makes no sense."""
    return known.definition == _valid(command)


def _register(world: World, command: RegisterFeed, situation: Situation) -> Decision:
    stream = f"feed/{text.id_of(command.feed, 'feed')}"
    definition, present = _valid(command), feed_state(world, command.feed)
    if present is not None:
        known = (present.segments[0].definition, present.definition)
        if present.system == command.system and definition in known:
            return nothing_new(command.feed, stream)
        raise Refusal("id_taken", f"There is another feed {command.feed}.", field="feed")
    registered(world, command.system)
    data = FeedRegistered(
        system=command.system, **{f.name: getattr(definition, f.name) for f in fields(FeedRedefined)}
    )
    return Decision(command.feed, stream, (draft(command.meta, situation, stream, data, after=None),))


def _redefine(world: World, command: RedefineFeed, situation: Situation) -> Decision:
    before, stream = feed(world, command.feed), f"feed/{command.feed}"
    definition = _valid(command)
    if before.definition == definition:
        sentence = (
            f"That is the definition of {command.feed} already. Did its counter begin anew? Record a restart."
        )
        raise Refusal("nothing_redefined", sentence)
    registered(world, before.system, "feed")
    need_reason(command.meta, "redefining a feed")
    redefined = draft(command.meta, situation, stream, definition, after=before.last_effective_at)
    return Decision(command.feed, stream, (redefined,))


DECIDER = Decider(
    commands={
        RegisterFeed: Rule(_register, may=Permission.ORGANISE, on=WORKSPACE, shows="feed", creates=True),
        RedefineFeed: Rule(_redefine, may=Permission.ORGANISE, on=WORKSPACE, shows="feed"),
    },
    folds=dict.fromkeys(
        (
            FeedRegistered,
            FeedRedefined,
        ),
        evolve,
    ),
)
