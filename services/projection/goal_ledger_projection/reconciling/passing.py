"""One pass: every workspace's facts, rows and records, up to the heads that the store names at its beginning."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import asyncpg
from aiokafka.errors import KafkaError
from goal_ledger_contracts.position import Position
from goal_ledger_database.sessions import CONNECTION_FAILED
from goal_ledger_observability.failures import failure_text

from goal_ledger_projection.command_feed import CommandFeed, FeedUnavailable, HeadTold
from goal_ledger_projection.database import NoVersionOfOurShape, WorkersDatabase, live_projection
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.positions import FoldedTo
from goal_ledger_projection.read_models.fact import CannotApply
from goal_ledger_projection.reconciling.findings import (
    COPIES,
    KAFKA,
    READ,
    STORE,
    Mismatch,
    PassReport,
    Unread,
)
from goal_ledger_projection.reconciling.hashes import StoreHashes, compare_facts
from goal_ledger_projection.reconciling.refolding import KnownSums, MovedMeanwhile, compare_rows
from goal_ledger_projection.reconciling.topic import read_topic
from goal_ledger_projection.settings import WorkerSettings

COMES_WITHIN_S = 5.0
DATABASE_AWAY = (*CONNECTION_FAILED, asyncpg.PostgresError)


class Passes:
    """Passes one after another: what one found right need not be folded again by the next."""

    def __init__(self, settings: WorkerSettings, feed: CommandFeed) -> None:
        self._settings = settings
        self._feed = feed
        self._known = KnownSums()
        self._missing: dict[str, int] = {}
        """By workspace, the seq from which on Kafka held nothing in the pass before."""

    async def look(self) -> PassReport:
        """Compare everything once. What is out of reach is told in the report, never raised."""
        report = PassReport()
        try:
            heads = [head for head in await self._feed.heads(None) if head.position.seq > 0]
        except FeedUnavailable as away:
            report.unread += [Unread(copy, "", f"the command service: {away}") for copy in COPIES]
            return report
        hashes = StoreHashes(self._feed)
        await self._read_side(heads, hashes, report)
        await self._kafka(heads, hashes, report)
        report.facts = sum(head.position.seq for head in heads)
        return report

    async def _read_side(self, heads: Sequence[HeadTold], hashes: StoreHashes, report: PassReport) -> None:
        url = self._settings.read_database_url
        try:
            version = await live_projection(url)
            database = await WorkersDatabase.open(url, version)
        except (*DATABASE_AWAY, NoVersionOfOurShape) as away:
            report.unread.append(Unread(READ, "", failure_text(away)))
            return
        try:
            for head in heads:
                try:
                    report.add(await self._workspace(database, head, hashes, report))
                except (*DATABASE_AWAY, MovedMeanwhile, CannotApply) as away:
                    copy = STORE if isinstance(away, FeedUnavailable) else READ
                    report.unread.append(Unread(copy, head.workspace, failure_text(away)))
        finally:
            await database.close()

    async def _workspace(
        self, database: WorkersDatabase, head: HeadTold, hashes: StoreHashes, report: PassReport
    ) -> list[Mismatch]:
        version = database.projection
        standing = await _arrived(database, head)
        async with database.connection() as connection:
            folded = _folded(standing, head)
            if folded < head.position.seq:
                report.unread.append(Unread(READ, head.workspace, _why_behind(standing, head)))
            found = await compare_facts(connection, f"{version}.facts", hashes, head, folded)
        if folded > 0 and not any(one.copy == READ for one in found):
            position = Position(head.position.epoch, folded)
            url = self._settings.read_database_url
            found += await compare_rows(url, version, head.workspace, position, self._known)
        return found

    async def _kafka(self, heads: Sequence[HeadTold], hashes: StoreHashes, report: PassReport) -> None:
        try:
            seen = await read_topic(self._settings, heads, hashes)
        except (OSError, TimeoutError, KafkaError) as away:
            report.unread.append(Unread(KAFKA, "", failure_text(away)))
            return
        found = seen.found(self._settings.facts_topic, self._missing)
        report.add(one for one in found if not report.found_in(STORE, one.workspace))
        self._missing = {head.workspace: seen.missing_from(head.workspace) for head in heads}


async def _arrived(database: WorkersDatabase, head: HeadTold) -> FoldedTo | None:
    """Where the read side stands, which is given a moment to come to the head."""
    deadline = time.monotonic() + COMES_WITHIN_S
    while True:
        async with database.connection() as connection:
            standing = await positions.standing(connection, database.projection, head.workspace)
        if _folded(standing, head) == head.position.seq or time.monotonic() > deadline:
            return standing
        if standing is not None and standing.parked is not None:
            return standing
        await asyncio.sleep(0.1)


def _folded(standing: FoldedTo | None, head: HeadTold) -> int:
    """Up to which seq the read side holds what the head is of."""
    if standing is None or standing.rebuilding or standing.folded.epoch != head.position.epoch:
        return 0
    return min(standing.folded.next_seq - 1, head.position.seq)


def _why_behind(standing: FoldedTo | None, head: HeadTold) -> str:
    if standing is None:
        return "nothing of it is folded yet"
    if standing.parked is not None:
        return f"it stands still: {standing.parked}"
    return (
        f"it is folded to {standing.folded.epoch}-{standing.folded.next_seq - 1}, the head is {head.position}"
    )
