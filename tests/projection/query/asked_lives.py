"""Random lives folded into tables, and asked over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import httpx2
from goal_ledger_contracts.envelope import Fact, leaf_hash, to_bytes
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.workspace import IdentityLinked, RoleGranted
from goal_ledger_projection.folding.records import Record
from history.lives import Life
from projection.query.conftest import Reading
from projection.query.story import ISSUER


class AskedWorkspace:
    """A workspace, and Ada who may ask."""

    def __init__(self, reading: Reading, workspace: str) -> None:
        self._reading = reading
        self._token = reading.issuer.token(workspace, "sub-ada")

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        address, _, query = path.partition("?")
        return await self._reading.client.get(
            address, params={**dict(parse_qsl(query)), **params}, headers=self._headers
        )

    async def post(self, path: str, body: Any, **params: Any) -> httpx2.Response:
        return await self._reading.client.post(path, json=body, params=params, headers=self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


async def told(reading: Reading, life: Life) -> AskedWorkspace:
    """The life's own workspace."""
    stream = f"workspace/{life.workspace}"
    life.tell(stream, IdentityLinked(ISSUER, "sub-ada", "ada"))
    life.tell(stream, RoleGranted("person/ada", "analyst"))
    await _fold(reading, life.workspace, life.stored)
    return AskedWorkspace(reading, life.workspace)


async def told_without(reading: Reading, facts: Sequence[Fact]) -> AskedWorkspace:
    """Another workspace, in which these facts were recorded and no others."""
    workspace, ends, versions = f"w-{uuid7()}", dict[str, str](), dict[str, int]()
    old, stored = facts[0].workspace, list[bytes]()
    for seq, fact in enumerate(facts, 1):
        stream = fact.stream.replace(f"workspace/{old}", f"workspace/{workspace}")
        versions[stream] = versions.get(stream, 0) + 1
        one = replace(fact, workspace=workspace, stream=stream, seq=seq, previous=ends.get(stream))
        stored.append(to_bytes(replace(one, version=versions[stream])))
        ends[stream] = leaf_hash(stored[-1]).hex()
    await _fold(reading, workspace, stored)
    return AskedWorkspace(reading, workspace)


async def _fold(reading: Reading, workspace: str, stored: Sequence[bytes]) -> None:
    await reading.applier.apply(
        [Record(workspace, 1, seq, one, vouched=True) for seq, one in enumerate(stored, 1)]
    )
