"""A counter that began anew: at a time, from a base. Like a moment it slots in anywhere, and may be retracted.

The segments before it and from it on add up; within each the count never goes back. Readings in quarantine because the
counter went backwards are judged again by it, in order of time: those that fit the count from the base on are released.
Which of them wait is not folded: the command brings what was read of the record (``waiting``), and each is looked up.
A restart is known by its feed and its time; recorded with a wrong base, it is retracted and recorded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.decision import LIVE, Claim, Decision, Identity, Neighbours, Point, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.feed import CounterRestarted, CounterRestartRetracted, ReadingReleased
from goal_ledger_contracts.permission import Permission

from goal_ledger_domain import times, values
from goal_ledger_domain.command import Meta, need_reason, nothing_new, slot_in
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.feed import COUNTER, Feed, Restart, feed
from goal_ledger_domain.reading import RELEASED, WAITING, goes_back, identity
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.world import World


@dataclass(frozen=True, slots=True)
class InQuarantine:
    """A reading that was in quarantine when the record was read: its identity and its time."""

    source: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class RestartCounter:
    """The count went on from ``base`` at ``at``. ``waiting``: what the restart may release, at most
    ``JUDGED_AGAIN_MAX_ITEMS``; the same restart again judges the next."""

    meta: Meta
    feed: str
    at: datetime
    base: Decimal = Decimal(0)
    waiting: tuple[InQuarantine, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class RetractRestart:
    """The restart recorded at ``at`` never was. Readings that it released stay: correct or retract them."""

    meta: Meta
    feed: str
    at: datetime


def _lookups(command: RestartCounter) -> tuple[Identity, ...]:
    """The first stands for the restart itself: of its neighbours in time no reading's own point is left out."""
    itself = Identity("restart", (command.feed,))
    return (itself, *(identity(one.source, one.id) for one in command.waiting))


def _around(command: RestartCounter, world: World | None) -> tuple[tuple[str, datetime], ...]:
    stream = f"feed/{command.feed}"
    return tuple((stream, at) for at in sorted({command.at, *(one.time for one in command.waiting)}))


def _restart(world: World, command: RestartCounter, situation: Situation) -> Decision:
    times.instant(command.at, "at")
    known, stream = feed(world, command.feed), f"feed/{command.feed}"
    restart = Restart(command.at, values.value(command.base, "base"))
    if known.at(command.at).definition.kind != COUNTER:
        raise Refusal("feed_not_counter", f"{command.feed} was no counter then.", field="at")
    before = next((one for one in known.restarts if one.at == command.at), None)
    if before not in (None, restart):
        sentence = f"A restart from {before.base} is recorded then: retract it first."
        raise Refusal("id_taken", sentence, field="at")
    restarted = known if before else known.restarted(restart)
    if before is None:
        _need_base_below(restarted, restart, situation.neighbours.get((stream, command.at)))
    released = list(_released(command, restarted, restart, situation, stream))
    if before is not None and not released:
        return nothing_new(command.feed, stream)
    need_reason(command.meta, "restarting a counter")
    return _decision(command, situation, stream, None if before else restart, released)


def _need_base_below(known: Feed, restart: Restart, around: Neighbours | None) -> None:
    """What was read from the restart on is not below its base."""
    if around is None:
        return
    at_once = around.before if around.before_at == restart.at else None
    after = (
        around.after if around.after_at is not None and known.counts_on(restart.at, around.after_at) else None
    )
    first = after if at_once is None else at_once
    if first is not None and first < restart.base:
        sentence = f"The first reading from {instant_text(restart.at)} on is {first}: below the base."
        raise Refusal("base_above_reading", sentence, field="base")


def _released(
    command: RestartCounter, known: Feed, restart: Restart, situation: Situation, stream: str
) -> Iterator[InQuarantine]:
    """Those of the waiting readings that fit the count from the restart on, in order of time."""
    last: tuple[datetime, Decimal] | None = None
    for one in sorted(command.waiting, key=lambda one: (one.time, one.source, one.id)):
        found = situation.found.get(identity(one.source, one.id))
        if found is None or found.subject != WAITING or found.fact.stream != stream:
            continue
        data = found.fact.data
        if data.why != "counter_backwards" or known.restart_at(data.time) != restart:
            continue
        around = situation.neighbours.get((stream, data.time), Neighbours())
        if last is not None and (around.before_at is None or around.before_at <= last[0]):
            around = replace(around, before_at=last[0], before=last[1])
        if not goes_back(data.value, data.time, known, around):
            last = (data.time, data.value)
            yield one


def _decision(
    command: RestartCounter,
    situation: Situation,
    stream: str,
    restart: Restart | None,
    released: list[InQuarantine],
) -> Decision:
    drafts, claims, points = [], [], []
    if restart is not None:
        data = CounterRestarted(restart.at, restart.base)
        drafts.append(slot_in(command.meta, situation, stream, data, restart.at, "at"))
    judging = replace(command.meta, effective_at=None)
    for one in released:
        known_as, number = identity(one.source, one.id), len(drafts)
        reading = situation.found[known_as].fact.data
        drafts.append(slot_in(judging, situation, stream, ReadingReleased(one.source, one.id), None))
        claims.append(Claim(known_as, number, RELEASED, LIVE, keeps_content=True))
        points.append(Point(stream, reading.time, reading.value, number, known_as))
    return Decision(command.feed, stream, tuple(drafts), tuple(claims), tuple(points))


def _retract(world: World, command: RetractRestart, situation: Situation) -> Decision:
    known, stream = feed(world, command.feed), f"feed/{command.feed}"
    if command.at in known.retracted:
        return nothing_new(command.feed, stream)
    if all(one.at != command.at for one in known.restarts):
        sentence = f"{command.feed} has no restart at {instant_text(command.at)}."
        raise Refusal("unknown_restart", sentence, field="at")
    need_reason(command.meta, "retracting a restart")
    data = CounterRestartRetracted(command.at)
    retracted = slot_in(command.meta, situation, stream, data, command.meta.effective_at)
    return Decision(command.feed, stream, (retracted,))


def _fold_restarted(world: World, fact: Fact) -> None:
    before: Feed = world.get("feed", fact.stream_id)
    restart = Restart(fact.data.at, fact.data.base)
    world.put("feed", fact.stream_id, before.restarted(restart))


def _fold_retracted(world: World, fact: Fact) -> None:
    before: Feed = world.get("feed", fact.stream_id)
    world.put("feed", fact.stream_id, before.restart_retracted(fact.data.at))


DECIDER = Decider(
    commands={
        RestartCounter: Rule(
            _restart,
            may=Permission.ORGANISE,
            on=WORKSPACE,
            shows="feed",
            lookups=_lookups,
            neighbours=_around,
        ),
        RetractRestart: Rule(_retract, may=Permission.ORGANISE, on=WORKSPACE, shows="feed"),
    },
    folds={CounterRestarted: _fold_restarted, CounterRestartRetracted: _fold_retracted},
)
