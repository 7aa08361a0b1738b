"""A store on real parts that is dumped, goes on, and is put back: what an operator meets after a restore."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from command.conftest import client
from command.service import Organisation, Service
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.process import Relay
from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import apps, open_store
from goal_ledger_ledger.store import create_engine, raw_connection
from goal_ledger_ledger.submission import OpenGate
from goal_ledger_local.postgres import Postgres
from goal_ledger_observability.metrics import new_registry
from relay.conftest import until
from relay.test_set_back import copied, swapped

ROWS = {
    "facts": "SELECT seq, stream, version, type, event_id, recorded_at, hash, bytes, traceparent FROM facts a WHERE true",
    "identities": "SELECT key, seq, state, subject FROM identities a WHERE true",
    "points": "SELECT identity, series, at, seq, value FROM points a WHERE true",
    "answers": """
        SELECT key, body, id, stream, version, first_seq, last_seq, epoch, seq, location FROM answers a
        WHERE EXISTS (
            SELECT FROM facts f WHERE f.workspace = a.workspace AND f.seq = a.last_seq
                AND convert_from(f.bytes, 'UTF8')::json #>> '{command,key}' = encode(a.key, 'hex')
        )""",
}
"""Answers: of commands that recorded something. A success that recorded nothing lives in the store alone."""


def a_name(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


@dataclass
class Drill:
    postgres: Postgres
    settings: Settings
    environment: dict[str, str]
    directory: Path
    workspaces: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Service]:
        """The command service, in this process."""

        async def checks() -> dict[str, str]:
            return {"ledger_database": "ok"}

        async with open_store(self.settings, lambda _: OpenGate()) as store:
            await store.ledger.start()
            public, internal = apps(self.settings, store, checks, new_registry("test"))
            async with client(public) as outside, client(internal) as inside:
                yield Service(outside, inside, store.ledger, self.settings)

    async def organisation(self, service: Service, prefix: str) -> Organisation:
        made = await service.organisation(a_name(prefix))
        self.workspaces.append(made.workspace)
        return made

    @contextlib.asynccontextmanager
    async def relaying(self, *, signing: bool = True) -> AsyncIterator[None]:
        """Publishes, and leaves when all that the store then holds is published, and a head over it."""
        engine = create_engine(self.settings.ledger_database_url, application="tests")
        key = self.settings.signing_key() if signing else None
        metrics = RelayMetrics(new_registry("test"))
        relay = Relay(engine, self.settings.kafka, metrics, key, self.settings.heads_origin)
        task = asyncio.create_task(relay.run())
        left = "coalesce(p.seq, 0) < h.seq" + (" OR coalesce(c.seq, 0) < h.seq" if signing else "")
        statement = (
            "SELECT count(*) FROM heads h LEFT JOIN published p USING (workspace, epoch) "
            f"LEFT JOIN checkpoints c USING (workspace, epoch) WHERE h.seq > 0 AND ({left})"
        )

        async def is_done() -> bool:
            async with raw_connection(engine) as raw:
                return await raw.fetchval(statement) == 0

        try:
            yield
            await until(is_done)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await engine.dispose()

    async def publish(self, *, signing: bool = True) -> None:
        """All that the store holds, and a head over it."""
        async with self.relaying(signing=signing):
            pass

    async def dumped(self) -> str:
        """A copy of the store as it is; nobody may be connected."""
        return await copied(self.postgres, self.settings.ledger_database_url)

    async def dumped_in_use(self) -> Path:
        """A dump of the store as it is, whoever writes meanwhile (pg_dump)."""
        file = self.directory / "ledger.dump"
        await asyncio.to_thread(self.postgres.dump, self._database, file)
        return file

    async def restored(self, dump: Path) -> None:
        """The store is that dump; whoever is connected is thrown out."""
        await asyncio.to_thread(self.postgres.restore, self._database, dump)

    @property
    def _database(self) -> str:
        return self.settings.ledger_database_url.rpartition("/")[2]

    async def put_back(self, dump: str) -> None:
        await swapped(self.postgres, self.settings.ledger_database_url, dump)

    async def rows(self, workspace: str, up_to: int) -> dict[str, Sequence[Any]]:
        """What is kept of a workspace's facts up to there."""
        raw = await asyncpg.connect(self.settings.ledger_database_url)
        try:
            return {
                table: [
                    tuple(row)
                    for row in await raw.fetch(
                        f"{rows} AND a.workspace = $1 AND a.seq <= $2 ORDER BY 1, 2", workspace, up_to
                    )
                ]
                for table, rows in ROWS.items()
            }
        finally:
            await raw.close()

    async def head(self, workspace: str) -> tuple[int, int, bytes]:
        raw = await asyncpg.connect(self.settings.ledger_database_url)
        try:
            row = await raw.fetchrow("SELECT epoch, seq, root FROM heads WHERE workspace = $1", workspace)
            return (0, 0, b"") if row is None else tuple(row)
        finally:
            await raw.close()


async def check_ins(org: Organisation, count: int, begin: int = 0) -> list[httpx2.Response]:
    """Each under a key of its own."""
    return [
        await org.post(
            "/v1/key-results/visitors/check-ins",
            {"values": [{"part": "value", "value": str(number)}], "note": f"Note {number}"},
            Idempotency_Key=f"check-in-{number}",
        )
        for number in range(begin, begin + count)
    ]
