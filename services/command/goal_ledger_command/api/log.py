"""The log itself: facts in order, heads, the signed checkpoint and the key that verifies it.

The role auditor reads its own workspace on either listener; service tokens, on the internal one alone, name the
workspace. Facts leave as their stored bytes, one per line: hash what you get.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from fastapi import APIRouter, Query
from goal_ledger_command.api.door import Door, service_in
from goal_ledger_command.api.log_readers import LogReaders, LogRequest
from goal_ledger_command.api.routes import Route
from goal_ledger_command.relay import latest_checkpoint
from goal_ledger_contracts.canonical import instant_text, parse_instant
from goal_ledger_edge.positions import HEADER
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Gives, Refuses
from goal_ledger_edge.visits import note
from goal_ledger_ledger.checkpoint import key_hash, ml_dsa_44_verifier_key, origin_of, verifier_key
from goal_ledger_ledger.log_reader import MAX_PAGE_HASHES, Head, LogReader
from goal_ledger_ledger.store import raw_connection
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

MAX_PAGE_FACTS = 5000
MAX_PAGE_HEADS = 1000
JSON_LINES = "application/jsonl"
NOTE = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"

After = Annotated[int, Query(ge=0, le=10**18, description="Facts after this seq")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_FACTS)]
HashesLimit = Annotated[int, Query(ge=1, le=MAX_PAGE_HASHES)]
Workspace = Annotated[str | None, Query(description="Services name it; else the credential does")]
EpochQuery = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Left out: the present one")]


class HeadDocument(BaseModel):
    workspace: str
    epoch: int
    seq: int
    root: str = Field(description="RFC 6962 root over the facts, hex")
    moved_at: str


class LogKeyDocument(BaseModel):
    """The public key of the signed heads; the private one never leaves its file."""

    origin: str = Field(
        description="The first line of a checkpoint, and the key's name",
        examples=["goal-ledger.local/acme/1"],
    )
    algorithm: str = Field(examples=["Ed25519"])
    public_key: str = Field(
        description="The 32 bytes in base64; the same for all workspaces and epochs",
        examples=["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
    )
    key_hash: str = Field(
        description="SHA-256(origin ‖ 0x0A ‖ 0x01 ‖ public key), its first four bytes in hex",
        examples=["bf969586"],
    )
    verifier_key: str = Field(
        description="All of it as C2SP signed-note writes it (vkey): <origin>+<key hash>+<base64(0x01 ‖ public key)>",
        examples=["goal-ledger.local/acme/1+bf969586+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"],
    )
    ml_dsa_44_verifier_key: str | None = Field(
        description="Of the ML-DSA-44 key that signs heads too (C2SP tlog-cosignature, 0x06); null: there is none"
    )


_POSITION = {"description": "The head's position", "schema": {"type": "string", "examples": ["1-151"]}}
Lines = Annotated[
    Response,
    Gives(
        "One fact's canonical bytes per line, in seq order; empty: the end",
        content={JSON_LINES: {"$ref": "#/components/schemas/Fact"}},
        headers={HEADER: _POSITION},
    ),
    Refuses(400, 404, 410),
]
Hashes = Annotated[
    Response,
    Gives(
        "SHA-256(0x00 ‖ bytes) of each fact, 32 bytes, in seq order; empty: the end",
        content={BYTES: {"type": "string", "format": "binary"}},
        headers={HEADER: _POSITION},
    ),
    Refuses(400, 404, 410),
]
Note = Annotated[
    Response,
    Gives(
        "C2SP tlog-checkpoint in a signed note (Ed25519; ML-DSA-44 too, where its key is set)",
        content={"text/plain": {"type": "string"}},
    ),
    Refuses(404),
]


@dataclass(frozen=True, slots=True)
class HeadsKey:
    """What signed heads are verified with: the public keys, and the prefix of every origin."""

    public_key: Ed25519PublicKey
    origin: str
    ml_dsa_44: MLDSA44PublicKey | None = None


def router(door: Door, engine: AsyncEngine, heads_key: HeadsKey | None) -> APIRouter:
    """The five routes. ``heads_key`` None: this installation signs no heads."""
    routes, log = APIRouter(tags=["log"], route_class=Route), Log(door, engine, heads_key)
    routes.get("/v1/log", summary="Facts in order, as stored")(log.read_log)
    routes.get("/v1/log/hashes", summary="Hashes of facts, from the rows as they are")(log.read_log_hashes)
    routes.get("/v1/log/heads", summary="Heads that moved")(log.read_heads)
    routes.get("/v1/log/checkpoint", summary="The newest signed head")(log.read_checkpoint)
    routes.get("/v1/log/key", summary="The public key of the signed heads")(log.read_log_key)
    return routes


class Log:
    """What is read of a workspace's log on one listener."""

    def __init__(self, door: Door, engine: AsyncEngine, heads_key: HeadsKey | None) -> None:
        self._engine, self._feed = engine, LogReader(engine)
        self._readers = LogReaders(door, self._feed)
        self._heads_key = heads_key

    async def read_log(
        self,
        request: LogRequest,
        after: After = 0,
        limit: Limit = 1000,
        workspace: Workspace = None,
        epoch: EpochQuery = None,
    ) -> Lines:
        """The facts after a seq. With ``epoch``: 410 ``position_lost`` if ``after`` lies beyond that epoch's fork."""
        head = await self._readers.head(await self._readers.workspace(request, workspace))
        if epoch is not None and epoch != head.epoch:
            await self._need_kept(head, epoch, after)
        stored = await self._feed.facts_after(head.workspace, after, limit)
        first, last = (stored[0].seq, stored[-1].seq) if stored else (None, None)
        note(request, head.workspace, facts=len(stored), first_seq=first, last_seq=last)
        seen = max(head.seq, last or 0)
        body = b"".join([one.bytes + b"\n" for one in stored])
        return Response(body, media_type=JSON_LINES, headers={HEADER: f"{head.epoch}-{seen}"})

    async def read_log_hashes(
        self,
        request: LogRequest,
        after: After = 0,
        limit: HashesLimit = MAX_PAGE_HASHES,
        workspace: Workspace = None,
        epoch: EpochQuery = None,
    ) -> Hashes:
        """Computed anew from the stored rows, for whoever compares them with copies. 32 zeros stand for a row that is not
        there, or whose columns say other than its bytes."""
        head = await self._readers.head(await self._readers.workspace(request, workspace))
        if epoch is not None and epoch != head.epoch:
            await self._need_kept(head, epoch, after)
        note(request, head.workspace)
        hashes = await self._feed.leaf_hashes(head.workspace, after, min(head.seq, after + limit))
        return Response(hashes, media_type=BYTES, headers={HEADER: str(head.position)})

    async def read_heads(
        self,
        request: LogRequest,
        since: Annotated[str | None, Query(description="An instant; left out: all heads")] = None,
        after: Annotated[str, Query(max_length=40, description="Heads of workspaces after this name")] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_HEADS)] = MAX_PAGE_HEADS,
    ) -> Annotated[list[HeadDocument], Refuses(400)]:
        """Of all workspaces for services, paged by workspace; else the credential's own."""
        at = None if since is None else _instant(since)
        if service_in(request.scope) is not None:
            return [_document(head) for head in await self._feed.heads(at, after, limit)]
        head = await self._readers.head(await self._readers.workspace(request, None))
        return [_document(head)] if (at is None or head.moved_at >= at) and head.workspace > after else []

    async def read_checkpoint(self, request: LogRequest, workspace: Workspace = None) -> Note:
        """Signed within seconds of the head's moving, once its facts are in Kafka."""
        name = await self._readers.workspace(request, workspace)
        async with raw_connection(self._engine) as raw:
            note = await latest_checkpoint(raw, name)
        if note is None:
            await self._readers.head(name)
            sentence = "No head of this workspace has been signed yet; it takes some seconds."
            raise Problem(503, "not_signed_yet", sentence, headers={"Retry-After": "1"})
        return Response(note, media_type=NOTE)

    async def read_log_key(
        self, request: LogRequest, workspace: Workspace = None
    ) -> Annotated[LogKeyDocument, Refuses(404)]:
        """Verifies `/v1/log/checkpoint` and the topic `ledger.heads`. Keep it: it does not change, and a checkpoint is
        only as good as the way by which its reader got the key. 404 `heads_not_signed`: no key is set."""
        head = await self._readers.head(await self._readers.workspace(request, workspace))
        if self._heads_key is None:
            raise Problem(
                404, "heads_not_signed", "This installation signs no heads: it has no key for them."
            )
        public, origin = (
            self._heads_key.public_key,
            origin_of(self._heads_key.origin, head.workspace, head.epoch),
        )
        second = self._heads_key.ml_dsa_44
        return LogKeyDocument(
            origin=origin,
            algorithm="Ed25519",
            public_key=base64.b64encode(public.public_bytes_raw()).decode(),
            key_hash=key_hash(origin, public).hex(),
            verifier_key=verifier_key(origin, public),
            ml_dsa_44_verifier_key=None if second is None else str(ml_dsa_44_verifier_key(origin, second)),
        )

    async def _need_kept(self, head: Head, epoch: int, after: int) -> None:
        """Refuses a position of another epoch, unless it is one of the facts kept since."""
        epochs = await self._feed.epochs(head.workspace)
        forks = [one.fork_seq for one in epochs if one.epoch > epoch]
        if epoch not in {one.epoch for one in epochs} or after > min(forks, default=0):
            raise Problem(
                410,
                "position_lost",
                f"{epoch}-{after} is not a position of this log: it is in epoch {head.epoch} now.",
                headers={HEADER: str(head.position)},
                epoch=head.epoch,
            )


def _document(head: Head) -> HeadDocument:
    return HeadDocument(
        workspace=head.workspace,
        epoch=head.epoch,
        seq=head.seq,
        root=head.root.hex(),
        moved_at=instant_text(head.moved_at),
    )


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise Problem(422, "instant_malformed", "since is an RFC 3339 instant.", field="since") from None
