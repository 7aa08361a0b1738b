"""Looks at the tables from outside, as an auditor would, and says what is wrong."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import asyncpg
from goal_ledger_ledger.merkle import Frontier, root_of
from support.by_hand import past_the_trigger


@dataclass(frozen=True)
class Audit:
    url: str
    workspace: str

    async def facts(self) -> list[dict[str, Any]]:
        """The facts in order, after density, chains, hashes, columns, frontier and root were checked."""
        connection = await asyncpg.connect(self.url)
        try:
            head = await connection.fetchrow("SELECT * FROM heads WHERE workspace = $1", self.workspace)
            rows = await connection.fetch(
                "SELECT * FROM facts WHERE workspace = $1 ORDER BY seq", self.workspace
            )
        finally:
            await connection.close()
        bodies = [json.loads(row["bytes"]) for row in rows]
        leaves = [hashlib.sha256(b"\x00" + row["bytes"]).digest() for row in rows]
        assert [body["seq"] for body in bodies] == list(range(1, len(rows) + 1))
        assert head is not None and head["seq"] == len(rows)
        assert head["root"] == root_of(leaves)
        assert head["frontier"] == Frontier().append(leaves).to_bytes()
        self._chains(rows, bodies, leaves)
        return bodies

    def _chains(self, rows: list[Any], bodies: list[dict[str, Any]], leaves: list[bytes]) -> None:
        tips: dict[str, tuple[int, str]] = {}
        recorded_at = ""
        for row, body, leaf in zip(rows, bodies, leaves, strict=True):
            version, previous = tips.get(body["stream"], (0, None))
            assert (body["version"], body["previous"]) == (version + 1, previous)
            assert row["hash"] == leaf
            assert (row["stream"], row["version"], row["type"]) == (
                body["stream"],
                body["version"],
                body["type"],
            )
            assert str(row["event_id"]) == body["event_id"]
            assert body["recorded_at"] >= recorded_at
            tips[body["stream"]], recorded_at = (version + 1, leaf.hex()), body["recorded_at"]

    async def value(self, query: str, *arguments: object) -> Any:
        connection = await asyncpg.connect(self.url)
        try:
            if query.startswith("DELETE FROM facts"):
                await past_the_trigger(connection)
            return await connection.fetchval(query, self.workspace, *arguments)
        finally:
            await connection.close()
