"""What Kafka holds of workspaces beyond the store, and whether it is believed.

A store restored to an earlier moment is behind what was published: its next facts would get numbers that were given to
others. The marks are in the store and go back with it, so whatever was published after the restored moment lies behind
them. But anybody who can write to ``ledger.facts`` can write a record there with a workspace's name and any number. So
a record whose headers are beyond the head of its workspace is believed only if it *continues what the store holds*:

* its bytes are canonical, and those of this workspace and seq;
* its stream's fact before it is in the store with the version and hash that it names (or it is its stream's first);
* it is the fact at head + 1; or one that the store holds another of (it was set back, and then written to), if the
  seqs are dense from there to beyond the head; or, under a higher epoch, that epoch's ``StoreRestored``.

A store that was set back finds such a record, for Kafka holds all that it lacks. Records beyond the head of which
nothing continues the store are ``foreign_record``: counted and named, and nothing stops for them. (Who can read the
topic too can write a fact that continues it: that is what Kafka's ACLs are for.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from goal_ledger_contracts.canonical import canonical
from goal_ledger_contracts.envelope import MAX_READABLE_BYTES, leaf_hash
from goal_ledger_contracts.strict_json import parse
from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging.records import read_place
from goal_ledger_messaging.security import Kafka
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.published_tail import PublishedTail, published_tail

RESTORED = "StoreRestored"

_HEADS = "SELECT workspace, epoch, seq FROM heads WHERE workspace = ANY($1::text[])"
_HASHES = """
SELECT workspace, seq, hash
FROM facts JOIN unnest($1::text[], $2::bigint[]) AS wanted (workspace, seq) USING (workspace, seq)
"""
_LINKS = """
SELECT workspace, stream, version, seq, hash
FROM facts JOIN unnest($1::text[], $2::text[], $3::int[]) AS wanted (workspace, stream, version)
USING (workspace, stream, version)
"""

log = logger("beyond_store")


@dataclass(frozen=True, slots=True, order=True)
class Tail:
    """A place in a workspace's log: the highest that Kafka holds, or the head."""

    epoch: int
    seq: int


NOTHING = Tail(0, 0)
"""The head of a workspace that the store does not know."""


@dataclass(frozen=True, slots=True)
class StatedPlace:
    """What the bytes of a record say of their place in the workspace's log."""

    workspace: str
    seq: int
    stream: str
    version: int
    previous: str | None
    epoch_begun: int | None
    """Of a ``StoreRestored``: the epoch that it began."""


FactsByVersion = Mapping[tuple[str, str, int], tuple[int, str]]
"""By workspace, stream and version: seq and hash of the fact in the store."""


class _Suspect:
    """A workspace of which records lie beyond the head."""

    def __init__(self, head: Tail) -> None:
        self.head = head
        self.records = 0
        """Beyond the head."""
        self._tail = NOTHING
        """As far as what continues the store was followed."""

    @property
    def beyond(self) -> Tail | None:
        """How far Kafka is known to hold the workspace beyond the head; None: it is not."""
        return self._tail if self._tail > self.head else None

    def is_candidate(self, place: Tail, record: ConsumerRecord) -> bool:
        """Whether the record may be one that continues the store, by its headers."""
        if self.beyond is not None or place.epoch < self.head.epoch:
            return False
        if place.epoch == self.head.epoch:
            return place.seq <= self.head.seq + 1
        return place.seq == self.head.seq + 1 or ("ce_type", RESTORED.encode()) in record.headers

    def see(self, place: Tail, claim: StatedPlace | None, links: FactsByVersion) -> None:
        """The next record; ``claim``: what it says, if it is a candidate and not the store's own fact."""
        self.records += place > self.head
        follows = place == Tail(self._tail.epoch, self._tail.seq + 1) and self._tail != NOTHING
        if follows or (place > self._tail and claim is not None and self._continues(place, claim, links)):
            self._tail = place

    def _continues(self, place: Tail, claim: StatedPlace, links: FactsByVersion) -> bool:
        stream = (claim.workspace, claim.stream)
        before = links.get((*stream, claim.version - 1), (0, None))
        if before[0] >= place.seq or before[1] != claim.previous:
            return False
        if place.epoch == self.head.epoch or place.seq == self.head.seq + 1:
            there = links.get((*stream, claim.version))
            return there is None or there[0] >= place.seq
        return claim.epoch_begun is not None and self.head.epoch < claim.epoch_begun <= place.epoch


class BeyondStore:
    """Looks again and again; what is foreign is counted and named once."""

    def __init__(self, engine: AsyncEngine, kafka: Kafka) -> None:
        self._engine, self._kafka = engine, kafka
        self._foreign: dict[str, int] = {}
        self.foreign_records = 0
        """Seen since the process started."""

    async def look(self) -> dict[str, Tail]:
        """The workspaces whose store is behind, and how far Kafka is known to hold them.

        Raises KafkaNotRead, KafkaError, and what the database raises.
        """
        async with published_tail(self._engine, self._kafka) as tail:
            seen = await highest_places(tail)
            heads = await heads_of(self._engine, seen)
            suspects = {
                workspace: _Suspect(heads.get(workspace, NOTHING))
                for workspace, place in seen.items()
                if heads.get(workspace, NOTHING) < place
            }
            if suspects:
                await self._examine(tail, suspects)
        self._name_foreign(suspects)
        believed = {workspace: one.beyond for workspace, one in suspects.items() if one.beyond is not None}
        return await still_behind(self._engine, believed)

    async def _examine(self, tail: PublishedTail, suspects: Mapping[str, _Suspect]) -> None:
        async for records in tail.records():
            ours = [
                (named[0], Tail(*named[1:]), one)
                for one in records
                if (named := read_place(one.headers)) is not None and named[0] in suspects
            ]
            candidates = [one for one in ours if suspects[one[0]].is_candidate(one[1], one[2])]
            claims = await self._claims(candidates)
            links = await self._links(claims.values())
            for workspace, place, record in ours:
                suspects[workspace].see(place, claims.get((record.partition, record.offset)), links)

    async def _claims(
        self, candidates: Sequence[tuple[str, Tail, ConsumerRecord]]
    ) -> dict[tuple[int, int], StatedPlace]:
        """By partition and offset, what those say that are not the store's own facts."""
        wanted = {(workspace, place.seq) for workspace, place, _ in candidates}
        own = {(row[0], row[1], row[2]) for row in await self._rows(_HASHES, wanted)}
        return {
            (record.partition, record.offset): claim
            for workspace, place, record in candidates
            if (workspace, place.seq, leaf_hash(record.value or b"")) not in own
            and (claim := _claim(record, workspace, place)) is not None
        }

    async def _links(self, claims: Iterable[StatedPlace]) -> FactsByVersion:
        """The facts that the claims build on, and those that stand where they want to."""
        wanted = {
            (one.workspace, one.stream, version)
            for one in claims
            for version in (one.version - 1, one.version)
        }
        return {(row[0], row[1], row[2]): (row[3], row[4].hex()) for row in await self._rows(_LINKS, wanted)}

    async def _rows(self, statement: str, wanted: Collection[tuple[Any, ...]]) -> list[Any]:
        if not wanted:
            return []
        async with raw_connection(self._engine, same=False) as raw:
            columns = [list(column) for column in zip(*wanted, strict=True)]
            rows: list[Any] = await raw.fetch(statement, *columns)
        return rows

    def _name_foreign(self, suspects: Mapping[str, _Suspect]) -> None:
        """Those of which nothing continues the store; what was named by the last look is not named again."""
        before, self._foreign = self._foreign, {}
        for workspace, one in suspects.items():
            if one.beyond is not None:
                continue
            self._foreign[workspace] = one.records
            more = one.records - before.get(workspace, 0)
            if more > 0:
                self.foreign_records += more
                log.error(
                    "foreign_record: Kafka holds records beyond the head that do not continue it; not believed",
                    workspace=workspace,
                    records=one.records,
                    head=f"{one.head.epoch}-{one.head.seq}",
                )


async def highest_places(tail: PublishedTail) -> dict[str, Tail]:
    """By workspace, the highest place that headers in the tail name. Raises as ``PublishedTail.records``."""
    found: dict[str, Tail] = {}
    async for records in tail.records():
        for record in records:
            place = read_place(record.headers)
            if place is not None:
                workspace, seen = place[0], Tail(*place[1:])
                if found.get(workspace, NOTHING) < seen:
                    found[workspace] = seen
    return found


async def heads_of(engine: AsyncEngine, workspaces: Iterable[str]) -> dict[str, Tail]:
    """Of those that the store knows."""
    async with raw_connection(engine, same=False) as raw:
        rows = await raw.fetch(_HEADS, list(workspaces))
    return {row[0]: Tail(row[1], row[2]) for row in rows}


async def still_behind(engine: AsyncEngine, believed: Mapping[str, Tail]) -> dict[str, Tail]:
    """Those workspaces whose head is before what Kafka is known to hold."""
    heads = await heads_of(engine, believed)
    return {name: seen for name, seen in believed.items() if heads.get(name, NOTHING) < seen}


def _claim(record: ConsumerRecord, workspace: str, place: Tail) -> StatedPlace | None:
    """None: the bytes are not the canonical bytes of a fact of this workspace and seq."""
    try:
        body: Any = parse(record.value or b"", MAX_READABLE_BYTES)
        if canonical(body) != record.value or (body["workspace"], body["seq"]) != (workspace, place.seq):
            return None
        stream, version, previous = body["stream"], body["version"], body["previous"]
        begun = body["data"]["epoch"] if body["type"] == RESTORED else None
    except (KeyError, TypeError, ValueError):
        return None
    well_formed = (
        isinstance(stream, str)
        and type(version) is int
        and 1 <= version < 2**31
        and isinstance(previous, str | None)
        and isinstance(begun, int | None)
    )
    return StatedPlace(workspace, place.seq, stream, version, previous, begun) if well_formed else None
