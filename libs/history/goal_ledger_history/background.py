"""What the arithmetic of every goal depends on: workspace, policies, moments, cycles, feeds, units, and all links.

These are few and change rarely, so all their versions are kept in memory and any moment (T, K) is looked up here.
Nothing depends on the order in which questions come.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Generic, NamedTuple, TypeVar

from goal_ledger_contracts.workspace import Policy
from goal_ledger_scoring.aggregation import FeedDefinition, with_restarts
from goal_ledger_scoring.policy import Rules, in_force
from goal_ledger_scoring.windows import Span, cycle_span

from goal_ledger_history.goals import Goal, KeyResult, PausedTimes

T = TypeVar("T")

NONE_LATER: Set[int] = frozenset()
_TICK = timedelta(microseconds=1)


@dataclass(slots=True)
class Versions(Generic[T]):
    """All versions of one thing, in seq order."""

    seqs: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    things: list[T] = field(default_factory=list)
    later: Set[int] = NONE_LATER

    def add(self, seq: int, effective_at: datetime, thing: T) -> None:
        """One more; they come in seq order."""
        self.seqs.append(seq)
        self.times.append(effective_at)
        self.things.append(thing)

    def at(self, known_to: int, true_at: datetime | None) -> T | None:
        """The one in effect: the greatest seq up to ``known_to`` that took effect by ``true_at`` (None: whenever)."""
        i = self._index(known_to, true_at)
        return self.things[i] if i >= 0 else None

    def seq_at(self, known_to: int, true_at: datetime | None) -> int | None:
        """The seq of the one in effect."""
        i = self._index(known_to, true_at)
        return self.seqs[i] if i >= 0 else None

    def _index(self, known_to: int, true_at: datetime | None) -> int:
        i = bisect_right(self.seqs, known_to) - 1
        while i >= 0 and true_at is not None and (self.times[i] > true_at or self.seqs[i] in self.later):
            i -= 1
        return i


@dataclass(frozen=True, slots=True)
class WorkspaceBegun:
    time_zone: str


@dataclass(frozen=True, slots=True)
class PolicyRevision:
    revision: int
    event_id: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class NamedMoment:
    """``at`` None: retracted."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class CycleDates:
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class FeedAsDefined:
    """``definitions`` in order of time; the first holds for all earlier readings too. ``unit``: the present one."""

    definitions: tuple[FeedDefinition, ...]
    unit: str | None
    interval: str | None


@dataclass(frozen=True, slots=True)
class CounterRestarts:
    """When a feed's counter was restarted, and what it then counts from."""

    restarts: tuple[tuple[datetime, Decimal], ...]


@dataclass(frozen=True, slots=True)
class LeavesOfPerson:
    """When a person was on leave."""

    pauses: PausedTimes


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """``parent``: the unit above, by its id."""

    parent: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """An objective aligned with ``parent`` (``objective/<id>`` or ``key-result/<id>``)."""

    id: str
    child: str
    parent: str
    contributes: bool
    weight: Decimal
    seq: int


class LinkChange(NamedTuple):
    """The fact ``seq`` of the child changed its link to ``parent``; None: there was none, or is none any more."""

    seq: int
    at: datetime
    parent: str
    before: Link | None
    after: Link | None


class DatesChange(NamedTuple):
    """The fact ``seq`` moved the dates of a cycle."""

    seq: int
    at: datetime
    cycle: str
    before: CycleDates
    after: CycleDates


class Background:
    """All versions of these things. ``later``: the seqs of facts that are taken to be true just after their instant, so
    that facts of one instant can be looked at one after another."""

    def __init__(self, later: Set[int] = NONE_LATER) -> None:
        self._later = later
        self._workspace: Versions[WorkspaceBegun] = Versions()
        self._policies: dict[str, Versions[PolicyRevision]] = {}
        self._moments: dict[str, Versions[NamedMoment]] = {}
        self._cycles: dict[str, Versions[CycleDates]] = {}
        self._feeds: dict[str, Versions[FeedAsDefined]] = {}
        self._restarts: dict[str, Versions[CounterRestarts]] = {}
        self._units: dict[str, Versions[UnitPlace]] = {}
        self._leaves: dict[str, Versions[LeavesOfPerson]] = {}
        self._links: dict[str, Versions[list[Link]]] = {}
        self._children: defaultdict[str, set[str]] = defaultdict(set)
        self._parents: set[str] = set()
        self._rules: dict[tuple[Any, ...], Rules] = {}

    def add(self, id: str, seq: int, effective_at: datetime, thing: object) -> None:
        """One more version of a thing; versions come in seq order."""
        match thing:
            case WorkspaceBegun():
                self._workspace.add(seq, effective_at, thing)
            case PolicyRevision():
                self._policies.setdefault(id, Versions(later=self._later)).add(seq, effective_at, thing)
            case NamedMoment():
                self._moments.setdefault(id, Versions(later=self._later)).add(seq, effective_at, thing)
            case CycleDates():
                self._cycles.setdefault(id, Versions(later=self._later)).add(seq, effective_at, thing)
            case FeedAsDefined():
                self._feeds.setdefault(id, Versions(later=self._later)).add(seq, effective_at, thing)
            case CounterRestarts():
                self._restarts.setdefault(id, Versions(later=self._later)).add(seq, effective_at, thing)
            case UnitPlace():
                self._units.setdefault(id, Versions(later=self._later)).add(seq, effective_at, thing)
            case LeavesOfPerson():
                self._leaves.setdefault(id, Versions(later=self._later)).add(seq, effective_at, thing)
            case _:
                raise TypeError(f"{type(thing).__name__} is no thing of the background")

    def add_links(self, child: str, seq: int, effective_at: datetime, links: list[Link]) -> None:
        """The links of an objective after a change of them."""
        self._links.setdefault(child, Versions(later=self._later)).add(seq, effective_at, links)
        for link in links:
            self._children[link.parent].add(child)
            self._parents.add(link.parent.partition("/")[2])

    def links_of(self, child: str, known_to: int, true_at: datetime | None) -> list[Link]:
        """What an objective is aligned with."""
        versions = self._links.get(child)
        return [] if versions is None else versions.at(known_to, true_at) or []

    def links_at(self, known_to: int, true_at: datetime | None) -> Iterator[Link]:
        """All links at the moment."""
        for child in self._links:
            yield from self.links_of(child, known_to, true_at)

    def links_to(self, parent: str, known_to: int, true_at: datetime | None) -> list[Link]:
        """The links of the objectives aligned with ``parent``, by child."""
        children = self._children.get(parent)
        if children is None:
            return []
        found: list[Link] = []
        for child in sorted(children):
            found.extend(link for link in self.links_of(child, known_to, true_at) if link.parent == parent)
        return found

    def link_changes(self, known_to: int) -> Iterator[LinkChange]:
        """How links changed, child by child."""
        for versions in self._links.values():
            old: dict[str, Link] = {}
            for seq, at, links in zip(versions.seqs, versions.times, versions.things, strict=True):
                if seq > known_to:
                    break
                new = {link.parent: link for link in links}
                for parent in sorted(old.keys() | new.keys()):
                    if old.get(parent) != new.get(parent):
                        yield LinkChange(seq, at, parent, old.get(parent), new.get(parent))
                old = new

    def dates_changes(self, known_to: int) -> Iterator[DatesChange]:
        """How the dates of cycles were moved, cycle by cycle."""
        for cycle, versions in self._cycles.items():
            rows = list(zip(versions.seqs, versions.times, versions.things, strict=True))
            for (_, _, before), (seq, at, after) in pairwise(rows):
                if seq <= known_to and before != after:
                    yield DatesChange(seq, at, cycle, before, after)

    def ever_aligned_with(self, parent: str) -> set[str]:
        """The objectives that were ever aligned with ``parent``."""
        return self._children.get(parent, set())

    def may_have_children(self, objective: str, key_results: Sequence[KeyResult]) -> bool:
        """False: nothing was ever aligned with the objective or these key results of its."""
        parents = self._parents
        return objective in parents or any(one.id in parents for one in key_results)

    def moments(self, known_to: int) -> dict[str, datetime]:
        """The moments as known at ``known_to``; one still to come is waited for by its window."""
        found = {}
        for name, versions in self._moments.items():
            known = versions.at(known_to, None)
            if known is not None and known.at is not None:
                is_later = versions.seq_at(known_to, None) in self._later
                found[name] = known.at + _TICK if is_later else known.at
        return found

    def cycle_span(
        self, cycle: str | None, known_to: int, true_at: datetime | None, time_zone: str
    ) -> Span | None:
        """The cycle's instants by its dates then."""
        versions = None if cycle is None else self._cycles.get(cycle)
        dates = None if versions is None else versions.at(known_to, true_at)
        return None if dates is None else cycle_span(dates.start, dates.end, time_zone)

    def moment_seq(self, name: str, known_to: int) -> int | None:
        """The fact that said last when the moment was."""
        return _seq_at(self._moments.get(name), known_to, None)

    def cycle_seq(self, cycle: str | None, known_to: int, true_at: datetime | None) -> int | None:
        """The fact that set the dates that the cycle had then."""
        return None if cycle is None else _seq_at(self._cycles.get(cycle), known_to, true_at)

    def feed_seqs(self, feed: str, known_to: int, true_at: datetime | None) -> tuple[int, ...]:
        """The facts that defined the feed as it was then, and that told of its counter's restarts."""
        versions, told = self._feeds.get(feed), self._restarts.get(feed)
        seq = _seq_at(versions, known_to, true_at) or _seq_at(versions, known_to, None)
        restarts = () if told is None else tuple(one for one in told.seqs if one <= known_to)
        return restarts if seq is None else (seq, *restarts)

    def policy_seqs(self, objective: str, owner: str, known_to: int, true_at: datetime) -> dict[str, int]:
        """The facts that set the policies in force, by scope, the nearest first."""
        found = {}
        for scope in self.scopes(objective, owner, known_to, true_at):
            seq = _seq_at(self._policies.get(scope), known_to, true_at)
            if seq is not None:
                found[scope] = seq
        return found

    def cycle_changes(self, cycle: str | None, known_to: int) -> list[datetime]:
        """Since when each of its definitions held."""
        return _changes(None if cycle is None else self._cycles.get(cycle), known_to)

    def policy_changes(self, scopes: Iterable[str], known_to: int) -> list[datetime]:
        """Since when each policy of these scopes held."""
        return [at for scope in scopes for at in _changes(self._policies.get(scope), known_to)]

    def feed_definitions(
        self, feed: str, known_to: int, true_at: datetime | None
    ) -> Sequence[FeedDefinition]:
        """The feed's definitions in order of time, a counter's cut at its restarts; the first holds for all earlier
        readings too."""
        found = self._feed(feed, known_to, true_at)
        if found is None:
            return ()
        versions = self._restarts.get(feed)
        known = None if versions is None else versions.at(known_to, None)
        if versions is None or known is None:
            return found.definitions
        restarts = known.restarts
        if self._later:
            moved = {at for seq, at in zip(versions.seqs, versions.times, strict=True) if seq in self._later}
            restarts = tuple((at + _TICK if at in moved else at, base) for at, base in restarts)
        return with_restarts(found.definitions, restarts)

    def feed_interval(self, feed: str, known_to: int, true_at: datetime) -> str | None:
        """How often the feed is expected to be read, as it was defined then."""
        found = self._feed(feed, known_to, true_at)
        return None if found is None else found.interval

    def feed_unit(self, feed: str, known_to: int) -> str | None:
        """The feed's unit by the facts up to ``known_to``."""
        found = self._feed(feed, known_to, None)
        return None if found is None else found.unit

    def _feed(self, feed: str, known_to: int, true_at: datetime | None) -> FeedAsDefined | None:
        """As it was defined then; one that was bound in an imported past, before it was registered: as now."""
        versions = self._feeds.get(feed)
        return None if versions is None else versions.at(known_to, true_at) or versions.at(known_to, None)

    def scopes(self, objective: str, owner: str, known_to: int, true_at: datetime | None) -> list[str]:
        """The policy scopes that apply, the nearest first: the objective, the unit that owns it and those above, the
        workspace."""
        found, unit = [f"objective/{objective}"], owner if owner.startswith("unit/") else None
        while unit is not None and unit not in found:
            found.append(unit)
            versions = self._units.get(unit.removeprefix("unit/"))
            place = None if versions is None else versions.at(known_to, true_at)
            unit = None if place is None or place.parent is None else f"unit/{place.parent}"
        return [*found, "workspace"]

    def policies(
        self, objective: str, owner: str, known_to: int, true_at: datetime
    ) -> Iterator[tuple[str, PolicyRevision]]:
        """The policies in force by scope, the nearest first."""
        for scope in self.scopes(objective, owner, known_to, true_at):
            revision = self.policy(scope, known_to, true_at)
            if revision is not None:
                yield scope, revision

    def policy(self, scope: str, known_to: int, true_at: datetime | None) -> PolicyRevision | None:
        """That of one scope."""
        versions = self._policies.get(scope)
        return None if versions is None else versions.at(known_to, true_at)

    def rules(self, objective: str, owner: str, known_to: int, true_at: datetime) -> Rules:
        """The policy in force for an objective."""
        policies = list(self.policies(objective, owner, known_to, true_at))
        zone = self.time_zone(known_to, true_at)
        key = (zone, *((scope, one.revision) for scope, one in policies))
        known = self._rules.get(key)
        if known is None:
            known = self._rules[key] = in_force([one.policy for _, one in policies], zone)
        return known

    def workspace_rules(self, known_to: int, true_at: datetime) -> Rules:
        """The workspace's own policy, for what belongs to no goal."""
        set_ = self.policy("workspace", known_to, true_at)
        return in_force([] if set_ is None else [set_.policy], self.time_zone(known_to, true_at))

    def leaves(self, holder: str, known_to: int, true_at: datetime) -> PausedTimes:
        """When ``person/<id>`` was on leave; a unit never is."""
        kind, _, id = holder.partition("/")
        versions = self._leaves.get(id) if kind == "person" else None
        known = None if versions is None else versions.at(known_to, true_at)
        return () if known is None else known.pauses

    def pauses(self, goal: Goal, known_to: int, true_at: datetime) -> PausedTimes:
        """When the goal was paused, and when its owner was on leave."""
        leaves = self.leaves(goal.owner, known_to, true_at) if self._leaves else ()
        return (*goal.pauses, *leaves) if leaves else goal.pauses

    def time_zone(self, known_to: int, true_at: datetime | None) -> str:
        """The workspace's time zone: its policy's, else the one that it was created with."""
        set_ = self.policy("workspace", known_to, true_at)
        if set_ is not None and set_.policy.time_zone is not None:
            return set_.policy.time_zone
        begun = self._workspace.at(known_to, None)
        return "UTC" if begun is None else begun.time_zone


def _seq_at(versions: Versions[Any] | None, known_to: int, true_at: datetime | None) -> int | None:
    return None if versions is None else versions.seq_at(known_to, true_at)


def _changes(versions: Versions[Any] | None, known_to: int) -> list[datetime]:
    return [] if versions is None else versions.times[: bisect_right(versions.seqs, known_to)]
