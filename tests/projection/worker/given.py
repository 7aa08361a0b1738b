"""What the worker's tests stand on: logs of workspaces, a topic of their own, and a feed that really answers HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.envelope import Fact, leaf_hash, to_bytes
from goal_ledger_contracts.ids import uuid7
from goal_ledger_edge.server import Listener, serve
from goal_ledger_ledger.merkle import Frontier
from goal_ledger_messaging import producer as messaging
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.records import Headers, fact_headers
from goal_ledger_messaging.topics import TopicSpec, make_topics
from goal_ledger_projection.folding.worker import Worker, opened
from goal_ledger_projection.settings import WorkerSettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PARTITIONS = 4
START = datetime(2026, 1, 5, 8, tzinfo=UTC)


class Log:
    """The facts of one workspace, numbered and chained as the ledger does it."""

    def __init__(self, workspace: str, epoch: int = 1) -> None:
        self.workspace = workspace
        self.epoch = epoch
        self.facts: list[Fact] = []
        self.stored: list[bytes] = []
        self._last: dict[str, tuple[int, str]] = {}

    def add(self, stream: str, data: Any, at: datetime | None = None, **more: Any) -> Fact:
        """Append a fact; recorded a second after the one before."""
        seq = len(self.facts) + 1
        recorded_at = START + timedelta(seconds=seq)
        version, previous = self._last.get(stream, (0, None))
        id = uuid7()
        fact = Fact(
            event_id=id,
            workspace=self.workspace,
            seq=seq,
            stream=stream,
            version=version + 1,
            data=data,
            effective_at=at or recorded_at,
            recorded_at=recorded_at,
            actor=more.pop("actor", "person/ada"),
            correlation_id=id,
            causation_id=id,
            previous=previous,
            **more,
        )
        stored = to_bytes(fact)
        self._last[stream] = (version + 1, leaf_hash(stored).hex())
        self.facts.append(fact)
        self.stored.append(stored)
        return fact

    def under(self, epoch: int, kept: int) -> Log:
        """The same log after a recovery: the first `kept` facts, under a new epoch."""
        log = Log(self.workspace, epoch)
        for fact in self.facts[:kept]:
            log.facts.append(fact)
            log.stored.append(to_bytes(fact))
            log._last[fact.stream] = (fact.version, leaf_hash(log.stored[-1]).hex())
        return log

    def of(self, workspace: str) -> Log:
        """The same facts, chained anew, in another workspace."""
        log = Log(workspace, self.epoch)
        for fact in self.facts:
            _, previous = log._last.get(fact.stream, (0, None))
            log.facts.append(replace(fact, workspace=workspace, previous=previous))
            log.stored.append(to_bytes(log.facts[-1]))
            log._last[fact.stream] = (fact.version, leaf_hash(log.stored[-1]).hex())
        return log


class Topic:
    """A topic of facts of the test's own, and what publishes to it."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self.bootstrap = bootstrap
        self.name = name

    async def make(self) -> None:
        await self._admin("make")

    async def delete(self) -> None:
        await self._admin("delete")

    async def _admin(self, what: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            if what == "make":
                await make_topics(admin, [TopicSpec(self.name, PARTITIONS)])
            else:
                await admin.delete_topics([self.name])
        finally:
            await admin.close()

    async def publish(self, log: Log, after: int = 0, to: int | None = None) -> None:
        """Publish the facts with seq in (after, to]."""
        await self.publish_these(log, range(after + 1, (to or len(log.facts)) + 1))

    async def publish_foreign(self, value: bytes | None, headers: Headers) -> None:
        """What the relay would never publish."""
        producer = messaging.reliable(self.bootstrap)
        await producer.start()
        try:
            await producer.send_and_wait(self.name, value, partition=0, headers=headers)
        finally:
            await messaging.discard(producer)

    async def publish_these(self, log: Log, seqs: Sequence[int]) -> None:
        producer = messaging.reliable(self.bootstrap)
        await producer.start()
        try:
            partition = partition_of(log.workspace, PARTITIONS)
            sent = []
            for seq in seqs:
                fact = log.facts[seq - 1]
                headers = fact_headers(
                    workspace=log.workspace,
                    epoch=log.epoch,
                    seq=seq,
                    type=fact.type,
                    event_id=fact.event_id,
                    stream=fact.stream,
                    recorded_at=fact.recorded_at,
                    traceparent=None,
                )
                key, value = log.workspace.encode(), log.stored[seq - 1]
                sent.append(
                    await producer.send(self.name, value, key=key, partition=partition, headers=headers)
                )
            await asyncio.gather(*sent)
        finally:
            await messaging.discard(producer)


@dataclass
class Feed:
    """`GET /v1/log`, `/v1/log/hashes` and `/v1/log/heads` over logs in memory."""

    url: str = ""
    logs: dict[str, Log] = field(default_factory=dict)
    away: bool = False
    asked: int = 0

    def serve(self, *logs: Log) -> None:
        self.logs.update({log.workspace: log for log in logs})

    async def log(self, request: Request) -> Response:
        self.asked += 1
        query = request.query_params
        log = self.logs.get(query["workspace"])
        if self.away or log is None:
            return Response(status_code=503 if self.away else 404)
        after, limit = int(query["after"]), int(query.get("limit", 1000))
        position = {"Goal-Ledger-Position": f"{log.epoch}-{len(log.facts)}"}
        if int(query.get("epoch", log.epoch)) != log.epoch and after > len(log.facts):
            return Response(status_code=410, headers=position)
        page = log.stored[after : after + limit]
        return Response(b"".join(one + b"\n" for one in page), headers=position)

    async def hashes(self, request: Request) -> Response:
        query = request.query_params
        log = self.logs[query["workspace"]]
        after, limit = int(query["after"]), int(query["limit"])
        page = log.stored[after : after + limit]
        position = {"Goal-Ledger-Position": f"{log.epoch}-{len(log.facts)}"}
        return Response(b"".join(map(leaf_hash, page)), headers=position)

    async def heads(self, request: Request) -> Response:
        if self.away:
            return Response(status_code=503)
        names = sorted(name for name in self.logs if name > request.query_params.get("after", ""))
        moved_at = instant_text(datetime.now(UTC))
        page = [self.logs[name] for name in names[:2]]
        heads = [
            {
                "workspace": log.workspace,
                "epoch": log.epoch,
                "seq": len(log.facts),
                "root": Frontier().append(map(leaf_hash, log.stored)).root.hex(),
                "moved_at": moved_at,
            }
            for log in page
        ]
        return JSONResponse(heads)


@asynccontextmanager
async def feed_server() -> AsyncIterator[Feed]:
    feed, started, stop = Feed(), asyncio.Event(), asyncio.Event()

    def listening(ports: list[int]) -> None:
        feed.url = f"http://127.0.0.1:{ports[0]}"
        started.set()

    app = Starlette(
        routes=[
            Route("/v1/log", feed.log),
            Route("/v1/log/hashes", feed.hashes),
            Route("/v1/log/heads", feed.heads),
        ]
    )
    serving = asyncio.create_task(serve([Listener(app, "127.0.0.1", 0)], on_started=listening, stop=stop))
    await started.wait()
    try:
        yield feed
    finally:
        stop.set()
        await serving


def worker_settings(url: str, topic: Topic, feed: Feed, **more: Any) -> WorkerSettings:
    """Settings of a worker on a topic and group of the test's own, impatient where time plays a part."""
    given: dict[str, Any] = {
        "read_database_url": url,
        "kafka_bootstrap_servers": topic.bootstrap,
        "command_url": feed.url,
        "facts_topic": topic.name,
        "consumer_group": f"worker-{topic.name}",
        "allow_unsafe_durability": True,
        "heads_poll_s": 0.1,
        "behind_before_heal_s": 3600.0,
        "behind_elsewhere_before_heal_s": 3600.0,
        "retry_first_pause_s": 0.02,
        "http_port": 0,
    }
    return WorkerSettings(**{**given, **more})


@asynccontextmanager
async def working(settings: WorkerSettings) -> AsyncIterator[Worker]:
    """A worker at work; an error of one of its tasks is an error of the test."""
    async with opened(settings) as worker, worker.running() as tasks:
        try:
            yield worker
        finally:
            for task in tasks:
                if task.done():
                    task.result()


async def until_folded(read: asyncpg.Connection[Any], log: Log, seq: int | None = None) -> None:
    """Wait until the workspace's position has passed a fact, by default the log's last."""
    wanted = (log.epoch, seq or len(log.facts))
    async with asyncio.timeout(60):
        while True:
            row = await read.fetchrow(
                "SELECT epoch, next_seq FROM positions WHERE workspace = $1", log.workspace
            )
            if row is not None and (row[0], row[1] - 1) >= wanted:
                return
            await asyncio.sleep(0.01)  # a position can only be asked for


async def until_parked(read: asyncpg.Connection[Any], workspace: str) -> asyncpg.Record:
    """Wait until the workspace stands still; its mark."""
    async with asyncio.timeout(60):
        while True:
            row = await read.fetchrow("SELECT * FROM parked WHERE workspace = $1", workspace)
            if row is not None:
                return row
            await asyncio.sleep(0.01)  # a mark can only be asked for


async def rows(read: asyncpg.Connection[Any], table: str, workspace: str) -> list[str]:
    """All rows of a workspace in a table, in text, in one order."""
    found = await read.fetch(f"SELECT t::text FROM {table} t WHERE workspace = $1 ORDER BY 1", workspace)
    return [row[0] for row in found]


TABLES = ("facts", "definitions", "value_rows", "check_ins", "readings", "reading_sums", "sequences")


async def all_rows(read: asyncpg.Connection[Any], workspace: str) -> dict[str, list[str]]:
    return {table: await rows(read, table, workspace) for table in TABLES}
