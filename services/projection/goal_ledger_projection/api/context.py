"""What the arithmetic of every goal depends on: workspace, policies, moments, cycles, feeds, units,
who left, and all links.

These things are few and change rarely, so all their versions of a workspace are kept in memory, and any moment (T, K)
is looked up there. What is kept up to a seq is brought up to date by looking at the facts since: only if one of them is
of these kinds are their newer versions read. Nothing here depends on the order in which questions come.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_contracts.workspace import Policy
from goal_ledger_scoring.aggregation import FeedDefinition, with_restarts
from goal_ledger_scoring.policy import Rules, in_force
from goal_ledger_scoring.windows import Span, cycle_span

from goal_ledger_projection.api.database import Snapshot
from goal_ledger_projection.api.goals import KeyResult
from goal_ledger_projection.read_models.definitions import CONTEXT_FACTS, CONTEXT_KINDS

Body = dict[str, Any]

_ALL = """
SELECT kind, id, seq, effective_at, body FROM definitions
WHERE workspace = $1 AND kind = ANY ($2) AND seq > $3 AND seq <= $4
ORDER BY kind, id, seq
"""
_LINKS = """
SELECT id, seq, effective_at, body->'links' AS links FROM definitions
WHERE workspace = $1 AND body['changed'] ->> 'type' IN ('ObjectiveAligned', 'ObjectiveUnaligned')
  AND seq > $2 AND seq <= $3
ORDER BY id, seq
"""
_CHANGED = """
SELECT seq FROM facts WHERE workspace = $1 AND seq > $2 AND seq <= $3 AND type = ANY ($4) ORDER BY seq LIMIT 1
"""


@dataclass(slots=True)
class Versions:
    """All versions of one thing, in seq order."""

    seqs: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    def at(self, seq: int, as_of: datetime | None) -> Any:
        """The one in effect: the greatest seq up to `seq` whose `effective_at` is not after `as_of` (None: any)."""
        i = bisect_right(self.seqs, seq) - 1
        while i >= 0 and as_of is not None and self.times[i] > as_of:
            i -= 1
        return self.bodies[i] if i >= 0 else None

    def seq_at(self, seq: int, as_of: datetime | None) -> int | None:
        """The seq of the one in effect."""
        i = bisect_right(self.seqs, seq) - 1
        while i >= 0 and as_of is not None and self.times[i] > as_of:
            i -= 1
        return self.seqs[i] if i >= 0 else None


@dataclass(frozen=True, slots=True)
class Link:
    """An objective aligned with `parent` (`objective/<id>` or `key-result/<id>`)."""

    id: str
    child: str
    parent: str
    contributes: bool
    weight: Decimal
    seq: int


class Context:
    """All versions of these things up to `seq`."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._things: dict[str, dict[str, Versions]] = {kind: {} for kind in CONTEXT_KINDS}
        self._links: dict[str, Versions] = {}
        self._children: defaultdict[str, set[str]] = defaultdict(set)
        self._parents: set[str] = set()
        self._rules: dict[tuple[Any, ...], Rules] = {}

    def add(self, kind: str, id: str, seq: int, effective_at: datetime, body: Body) -> None:
        """One more version of a thing; versions come in seq order."""
        _add(self._things[kind].setdefault(id, Versions()), seq, effective_at, body)

    def add_links(self, child: str, seq: int, effective_at: datetime, links: list[Body]) -> None:
        """The links of an objective after a change of them."""
        made = [
            Link(
                one["link"],
                child,
                one["parent"],
                one["mode"] == "contributes",
                Decimal(one["weight"]),
                one["seq"],
            )
            for one in links
        ]
        _add(self._links.setdefault(child, Versions()), seq, effective_at, made)
        for link in made:
            self._children[link.parent].add(child)
            self._parents.add(link.parent.partition("/")[2])

    def all(self, kind: str, seq: int, as_of: datetime | None) -> Iterator[tuple[str, int, Body]]:
        """(id, seq of its version, body) of every thing of a kind that there is at the moment."""
        for id, versions in self._things[kind].items():
            found = versions.seq_at(seq, as_of)
            if found is not None:
                body: Body = versions.at(seq, as_of)
                yield id, found, body

    def ids(self, kind: str, seq: int) -> set[str]:
        """The ids of a kind that the facts up to `seq` name, whenever it took effect."""
        return {id for id, _, _ in self.all(kind, seq, None)}

    def body(self, kind: str, id: str, seq: int, as_of: datetime | None) -> Body | None:
        """The thing as it was defined then."""
        versions = self._things[kind].get(id)
        return None if versions is None else versions.at(seq, as_of)

    def version_of(self, kind: str, id: str, seq: int, as_of: datetime | None) -> int | None:
        """The seq of the definition in effect."""
        versions = self._things[kind].get(id)
        return None if versions is None else versions.seq_at(seq, as_of)

    def links_of(self, child: str, seq: int, as_of: datetime | None) -> list[Link]:
        """What an objective is aligned with."""
        versions = self._links.get(child)
        return [] if versions is None else versions.at(seq, as_of) or []

    def links_to(self, parent: str, seq: int, as_of: datetime | None) -> list[Link]:
        """The links of the objectives aligned with `parent`, by child."""
        children = self._children.get(parent)
        if children is None:
            return []
        found: list[Link] = []
        for child in sorted(children):
            found.extend(link for link in self.links_of(child, seq, as_of) if link.parent == parent)
        return found

    def ever_aligned_with(self, parent: str) -> set[str]:
        """The objectives that were ever aligned with `parent`."""
        return self._children.get(parent, set())

    def changes(self, kind: str, ids: Iterable[str], seq: int) -> Iterator[datetime]:
        """Since when each definition of these things held, up to `seq`."""
        for id in ids:
            versions = self._things[kind].get(id)
            if versions is not None:
                yield from versions.times[: bisect_right(versions.seqs, seq)]

    def may_have_children(self, objective: str, key_results: Sequence[KeyResult]) -> bool:
        """False: nothing was ever aligned with the objective or these key results of its."""
        parents = self._parents
        return objective in parents or any(one.id in parents for one in key_results)

    def moments(self, seq: int) -> dict[str, datetime]:
        """The moments as known at `seq`; one still to come is waited for by its window."""
        return {
            name: parse_instant(body["at"])
            for name, _, body in self.all("moment", seq, None)
            if not body["retracted"]
        }

    def cycle_span(self, cycle: str | None, seq: int, as_of: datetime | None, time_zone: str) -> Span | None:
        """The cycle's instants by its dates then."""
        body = None if cycle is None else self.body("cycle", cycle, seq, as_of)
        if body is None:
            return None
        return cycle_span(date.fromisoformat(body["start"]), date.fromisoformat(body["end"]), time_zone)

    def feed_definitions(self, feed: str, seq: int, as_of: datetime | None) -> list[FeedDefinition]:
        """The feed's definitions in order of time, a counter's cut at its restarts; the first holds for all earlier
        readings too."""
        body = self._feed(feed, seq, as_of)
        if body is None:
            return []
        defined = [
            FeedDefinition(one["kind"], one.get("unit"), parse_instant(one["from"]) if i else None)
            for i, one in enumerate(body["segments"])
        ]
        restarts = self.restarts(feed, seq)
        return with_restarts(defined, [(parse_instant(one["at"]), Decimal(one["base"])) for one in restarts])

    def restarts(self, feed: str, seq: int) -> list[Body]:
        """The restarts of the feed's counter as known at `seq`, in order of time."""
        body = self.body("restarts", feed, seq, None)
        return [] if body is None else list(body["restarts"])

    def feed_interval(self, feed: str, seq: int, as_of: datetime) -> str | None:
        """How often the feed is expected to be read, as it was defined then."""
        body = self._feed(feed, seq, as_of)
        return None if body is None else body.get("interval")

    def feed_unit(self, feed: str, seq: int) -> str | None:
        """The feed's unit by the facts up to `seq`."""
        body = self.body("feed", feed, seq, None)
        return None if body is None else body.get("unit")

    def _feed(self, feed: str, seq: int, as_of: datetime | None) -> Body | None:
        """The feed as it was defined then; one that was bound in an imported past, before it was registered: as now."""
        return self.body("feed", feed, seq, as_of) or self.body("feed", feed, seq, None)

    def has_left(self, reference: str, seq: int, as_of: datetime | None) -> bool:
        """Whether `person/<id>` had left the organisation then; nobody else can."""
        kind, _, id = reference.partition("/")
        body = self.body("leaver", id, seq, as_of) if kind == "person" else None
        return body is not None and bool(body["left"])

    def scopes(self, objective: str, owner: str, seq: int, as_of: datetime | None) -> list[str]:
        """The policy scopes that apply, the nearest first: the objective, its owner's unit and those above, the workspace."""
        found, unit = [f"objective/{objective}"], owner if owner.startswith("unit/") else None
        while unit is not None and unit not in found:
            found.append(unit)
            body = self.body("unit", unit.removeprefix("unit/"), seq, as_of)
            parent = body.get("parent") if body else None
            unit = None if parent is None else parent if "/" in parent else f"unit/{parent}"
        return [*found, "workspace"]

    def rules(self, objective: str, owner: str, seq: int, as_of: datetime) -> Rules:
        """The policy in force for an objective."""
        policies = []
        for scope in self.scopes(objective, owner, seq, as_of):
            body = self.body("policy", scope, seq, as_of)
            if body is not None:
                policies.append((scope, body["revision"], body["policy"]))
        zone = self.time_zone(seq, as_of)
        key = (zone, *((scope, revision) for scope, revision, _ in policies))
        known = self._rules.get(key)
        if known is None:
            read = [wire.decode(Policy, body) for _, _, body in policies]
            known = self._rules[key] = in_force(read, zone)
        return known

    def revisions(self, objective: str, owner: str, seq: int, as_of: datetime) -> list[dict[str, Any]]:
        """Which policy facts were in force, the nearest first."""
        found = []
        for scope in self.scopes(objective, owner, seq, as_of):
            body = self.body("policy", scope, seq, as_of)
            if body is not None:
                found.append({"scope": scope, "revision": body["revision"], "event_id": body["event_id"]})
        return found

    def time_zone(self, seq: int, as_of: datetime | None) -> str:
        """The workspace's time zone: its policy's, else the one that it was created with."""
        policy = self.body("policy", "workspace", seq, as_of)
        if policy is not None and policy["policy"].get("time_zone") is not None:
            return str(policy["policy"]["time_zone"])
        for _, _, body in self.all("workspace", seq, None):
            return str(body["time_zone"])
        return "UTC"


def _add(versions: Versions, seq: int, effective_at: datetime, body: Any) -> None:
    versions.seqs.append(seq)
    versions.times.append(effective_at)
    versions.bodies.append(body)


class Contexts:
    """The contexts kept, by workspace and epoch."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, int], Context] = OrderedDict()
        self._loading: dict[tuple[str, int], asyncio.Lock] = {}

    def seq_of(self, workspace: str) -> int | None:
        """Up to where the workspace's context is kept, None if it is not."""
        return max((kept.seq for (name, _), kept in self._kept.items() if name == workspace), default=None)

    async def at(self, snapshot: Snapshot) -> Context:
        """The context that holds everything up to the snapshot's position (and perhaps more, which its look-ups leave
        out: they all name a seq)."""
        assert snapshot.position is not None
        key, newest = (snapshot.workspace, snapshot.position.epoch), snapshot.position.seq
        kept = self._kept.get(key)
        if kept is None or kept.seq < newest:
            async with self._loading.setdefault(key, asyncio.Lock()):
                kept = self._kept.get(key) or Context(0)
                if kept.seq < newest:
                    if not kept.seq or await _changed(snapshot, kept.seq, newest):
                        await _load(snapshot, kept, newest)
                    kept.seq = newest
                self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > self._limit:
            gone, _ = self._kept.popitem(last=False)
            self._loading.pop(gone, None)
        return kept


async def _changed(snapshot: Snapshot, after: int, upto: int) -> bool:
    if snapshot.context_holds_since is not None and snapshot.context_holds_since <= after:
        return False
    return await snapshot.first(_CHANGED, after, upto, CONTEXT_FACTS) is not None


async def _load(snapshot: Snapshot, context: Context, upto: int) -> None:
    """Add what is newer than the context. It is read first and then added in one go, so that a failure adds nothing."""
    things = await snapshot.fetch(_ALL, list(CONTEXT_KINDS), context.seq, upto)
    links = await snapshot.fetch(_LINKS, context.seq, upto)
    for row in things:
        context.add(row["kind"], row["id"], row["seq"], row["effective_at"], json.loads(row["body"]))
    for row in links:
        context.add_links(row["id"], row["seq"], row["effective_at"], json.loads(row["links"]))
