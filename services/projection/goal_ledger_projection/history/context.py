"""The background of a workspace, read from its rows, and what answers show of units, cycles, policies and the like.

What is kept up to a seq is brought up to date by looking at the facts since: only if one of them is of these kinds are
their newer versions read.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_contracts.workspace import Policy
from goal_ledger_history.background import (
    Background,
    CounterRestarts,
    CycleDates,
    FeedAsDefined,
    LeavesOfPerson,
    Link,
    NamedMoment,
    PolicyRevision,
    UnitPlace,
    Versions,
    WorkspaceBegun,
)
from goal_ledger_history.goals import PausedTime, PausedTimes
from goal_ledger_scoring.aggregation import FeedDefinition

from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.definitions import CONTEXT_FACTS, CONTEXT_KINDS
from goal_ledger_projection.read_models.fact import JsonObject

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


class Context(Background):
    """The background up to `seq`, and what answers show of these things besides."""

    def __init__(self, seq: int) -> None:
        super().__init__()
        self.seq = seq
        self._bodies: dict[str, dict[str, Versions[JsonObject]]] = {kind: {} for kind in CONTEXT_KINDS}

    def add_body(self, kind: str, id: str, seq: int, effective_at: datetime, body: JsonObject) -> None:
        """One more version of a thing; versions come in seq order."""
        self.keep_body(kind, id, seq, effective_at, body)
        if kind in _THINGS:
            self.add(id, seq, effective_at, _THINGS[kind](body))

    def keep_body(self, kind: str, id: str, seq: int, effective_at: datetime, body: JsonObject) -> None:
        """What answers show of a thing; not what is computed with it."""
        self._bodies[kind].setdefault(id, Versions()).add(seq, effective_at, body)

    def share(self, kind: str, other: Context) -> None:
        """Show the things of a kind that another context shows."""
        self._bodies[kind] = other._bodies[kind]

    def all(self, kind: str, seq: int, as_of: datetime | None) -> Iterator[tuple[str, int, JsonObject]]:
        """(id, seq of its version, body) of every thing of a kind that there is at the moment."""
        for id, versions in self._bodies[kind].items():
            body = versions.at(seq, as_of)
            if body is not None:
                yield id, versions.seq_at(seq, as_of) or 0, body

    def ids(self, kind: str, seq: int) -> set[str]:
        """The ids of a kind that the facts up to `seq` name, whenever it took effect."""
        return {id for id, _, _ in self.all(kind, seq, None)}

    def body(self, kind: str, id: str, seq: int, as_of: datetime | None) -> JsonObject | None:
        """The thing as it was defined then."""
        versions = self._bodies[kind].get(id)
        return None if versions is None else versions.at(seq, as_of)

    def restarts(self, feed: str, seq: int) -> list[JsonObject]:
        """The restarts of the feed's counter as known at `seq`, in order of time."""
        body = self.body("restarts", feed, seq, None)
        return [] if body is None else list(body["restarts"])

    def has_left(self, reference: str, seq: int, as_of: datetime | None) -> bool:
        """Whether `person/<id>` had left the organisation then; nobody else can."""
        kind, _, id = reference.partition("/")
        body = self.body("leaver", id, seq, as_of) if kind == "person" else None
        return body is not None and bool(body["left"])


def _policy(body: JsonObject) -> PolicyRevision:
    return PolicyRevision(body["revision"], body["event_id"], wire.decode(Policy, body["policy"]))


def _moment(body: JsonObject) -> NamedMoment:
    return NamedMoment(None if body["retracted"] else parse_instant(body["at"]))


def _cycle(body: JsonObject) -> CycleDates:
    return CycleDates(date.fromisoformat(body["start"]), date.fromisoformat(body["end"]))


def _feed(body: JsonObject) -> FeedAsDefined:
    definitions = [
        FeedDefinition(one["kind"], one.get("unit"), parse_instant(one["from"]) if i else None)
        for i, one in enumerate(body["segments"])
    ]
    return FeedAsDefined(tuple(definitions), body.get("unit"), body.get("interval"))


def _restarts(body: JsonObject) -> CounterRestarts:
    return CounterRestarts(
        tuple((parse_instant(one["at"]), Decimal(one["base"])) for one in body["restarts"])
    )


def pauses(told: Iterable[JsonObject]) -> PausedTimes:
    """As the rows of goals and persons hold them."""
    return tuple(
        PausedTime(parse_instant(one["from"]), None if one.get("to") is None else parse_instant(one["to"]))
        for one in told
    )


def _unit(body: JsonObject) -> UnitPlace:
    parent = body.get("parent")
    return UnitPlace(None if parent is None else parent.removeprefix("unit/"))


_THINGS: dict[str, Callable[[JsonObject], object]] = {
    "workspace": lambda body: WorkspaceBegun(body["time_zone"]),
    "policy": _policy,
    "moment": _moment,
    "cycle": _cycle,
    "feed": _feed,
    "restarts": _restarts,
    "unit": _unit,
    "leaves": lambda body: LeavesOfPerson(pauses(body["leaves"])),
}


def _links(child: str, links: list[JsonObject]) -> list[Link]:
    return [
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
        context.add_body(row["kind"], row["id"], row["seq"], row["effective_at"], json.loads(row["body"]))
    for row in links:
        links_then = _links(row["id"], json.loads(row["links"]))
        context.add_links(row["id"], row["seq"], row["effective_at"], links_then)
