"""The log for programs that know nothing of ours: C2SP ``tlog-tiles`` and ``tlog-proof``, one log for each epoch.

Everything is of the newest signed head, or of an earlier one: whoever begins at the checkpoint finds every tile of its
size, partial ones included. With witnesses the checkpoint and the proofs are of the newest head that they made good. Tiles and entries never change, so their answers may be kept for ever, by the reader alone:
the log is not public. An inclusion proof is checked against the signed root before it leaves: what does not verify is an
error of ours, never an answer.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import Awaitable, Iterable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Request
from goal_ledger_command.api.door import Door
from goal_ledger_command.api.log_readers import LogReaders, LogRequest, unknown_workspace
from goal_ledger_command.api.routes import Route
from goal_ledger_command.relay import SignedHead, signed_head
from goal_ledger_contracts.envelope import MAX_FACT_BYTES
from goal_ledger_contracts.ids import WORKSPACE_ID
from goal_ledger_edge.positions import HEADER
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Gives, Refuses
from goal_ledger_edge.visits import note
from goal_ledger_ledger.checkpoint import proof_file
from goal_ledger_ledger.kept_tiles import KeptTiles, TilesNotKept
from goal_ledger_ledger.log_reader import LogReader
from goal_ledger_ledger.merkle import leaf_hash, verify_inclusion
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.tiles import WIDTH, Tile, is_of, parse_level, parse_number_path
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.responses import Response

T = TypeVar("T")

FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
NOT_KEPT = {"Cache-Control": "private, no-cache"}
NOTE = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"

Workspace = Annotated[str, Path(description="As the credential says, or as a service names it")]
EpochPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="Each epoch is a log of its own")]
Level = Annotated[str, Path(description="0 to 63", examples=["0"])]
Number = Annotated[
    str,
    Path(
        description="The tile's number, in elements of three digits, all but the last with an x; partial ones with .p/ and "
        "their width, 1 to 255",
        examples=["x001/234", "067.p/112"],
    ),
]
Seq = Annotated[int, Path(ge=1, le=10**18, description="The fact's seq; its index in the tree is one less")]
Size = Annotated[int, Query(ge=0, le=10**18, description="So many facts, from seq 1 on")]

TEXT = {"type": "string"}
Note = Annotated[
    Response,
    Gives("C2SP tlog-checkpoint in a signed note (Ed25519)", content={"text/plain": TEXT}),
    Refuses(404),
]
Bundle = Annotated[
    Response,
    Gives(
        "C2SP tlog-tiles entry bundle: each fact's bytes after their length (two bytes, big-endian); gzip if accepted",
        content={BYTES: TEXT | {"format": "binary"}},
    ),
    Refuses(404),
]
Hashes = Annotated[
    Response,
    Gives(
        "C2SP tlog-tiles tile: up to 256 hashes of 32 bytes, one after another",
        content={BYTES: TEXT | {"format": "binary"}},
    ),
    Refuses(404),
]
Proof = Annotated[
    Response,
    Gives(
        "C2SP tlog-proof: the fact's index, its inclusion proof and the newest signed head",
        content={"text/plain": TEXT},
    ),
    Refuses(404, 410),
]


class ConsistencyDocument(BaseModel):
    """That the log of one size is the beginning of the log of another, both of the same epoch."""

    from_: int = Field(alias="from", description="The earlier size")
    to: int = Field(description="The later size")
    hashes: list[str] = Field(
        description="PROOF(from, to) of RFC 6962 section 2.1.2, in base64; empty if the sizes are the same, or from is 0",
        examples=[["gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="]],
    )


def router(door: Door, engine: AsyncEngine) -> APIRouter:
    """The five routes."""
    log = Tiles(door, engine)
    routes = APIRouter(tags=["log"], prefix="/v1/logs/{workspace}/{epoch}", route_class=Route)
    routes.get("/checkpoint", summary="The newest signed head of an epoch")(log.read_log_checkpoint)
    routes.get("/tile/entries/{number:path}", summary="Facts of one tile, as stored")(log.read_log_entries)
    routes.get("/tile/{level}/{number:path}", summary="Hashes of the tree")(log.read_log_tile)
    routes.get("/proof/{seq}", summary="A fact's proof")(log.read_log_proof)
    routes.get("/consistency", summary="That the log only grew")(log.read_log_consistency)
    return routes


class Tiles:
    """What is read of one workspace's logs on one listener."""

    def __init__(self, door: Door, engine: AsyncEngine) -> None:
        self._engine, self._signing = engine, door.signs_heads
        self._feed, self._kept = LogReader(engine), KeptTiles(engine)
        self._readers = LogReaders(door, self._feed)

    async def read_log_checkpoint(self, request: LogRequest, workspace: Workspace, epoch: EpochPath) -> Note:
        """Where a reader begins: its size says which tiles there are."""
        signed = await self._signed(request, workspace, epoch)
        note(request, workspace, size=signed.seq)
        return Response(signed.note, media_type=NOTE, headers=NOT_KEPT)

    async def read_log_tile(
        self, request: LogRequest, workspace: Workspace, epoch: EpochPath, level: Level, number: Number
    ) -> Hashes:
        """Of level 0 the facts' leaf hashes; above it the roots of the full tiles of the level below."""
        signed = await self._signed(request, workspace, epoch)
        tile = _tile(level, number, signed.newest_seq)
        note(request, workspace, hashes=tile.width)
        read = await _caught_up(self._kept.read(workspace, [tile]))
        return Response(read[tile], media_type=BYTES, headers=FOR_EVER)

    async def read_log_entries(
        self, request: LogRequest, workspace: Workspace, epoch: EpochPath, number: Number
    ) -> Bundle:
        """The entry ``i`` of bundle ``n`` is the fact with seq 256·n + i + 1, and hashes to hash ``i`` of level 0's tile ``n``."""
        signed = await self._signed(request, workspace, epoch)
        tile = _tile("0", number, signed.newest_seq)
        first = tile.number * WIDTH + 1
        facts = await self._feed.facts_after(workspace, first - 1, tile.width)
        note(request, workspace, facts=len(facts), first_seq=first, last_seq=first + len(facts) - 1)
        body = _bundle([fact.bytes for fact in facts])
        headers = {**FOR_EVER, "Vary": "Accept-Encoding"}
        if _takes_gzip(request.headers.getlist("accept-encoding")):
            headers["Content-Encoding"] = "gzip"
            body = await asyncio.to_thread(gzip.compress, body, 6, mtime=0)
        return Response(body, media_type=BYTES, headers=headers)

    async def read_log_proof(
        self, request: LogRequest, workspace: Workspace, epoch: EpochPath, seq: Seq
    ) -> Proof:
        """Verified offline with the fact's bytes and the key of `/v1/log/key`. 503 `not_signed_yet`: recorded, and signed
        within seconds; 410 `position_lost`: beyond what is kept of an epoch that is over. Whose fact it is may read its
        proof without the role auditor: the receipt of a command."""
        signed = await self._signed(request, workspace, epoch, seq)
        if seq > signed.seq:
            raise await self._not_signed(workspace, epoch, seq)
        note(request, workspace, facts=0, first_seq=seq, last_seq=seq)
        hashes = await _caught_up(self._kept.inclusion(workspace, seq, signed.seq))
        (fact,) = await self._feed.facts_after(workspace, seq - 1, 1)
        if not verify_inclusion(leaf_hash(fact.bytes), seq - 1, signed.seq, hashes, signed.root):
            raise RuntimeError(f"the fact {seq} of {workspace} is not under the head signed at {signed.seq}")
        return Response(proof_file(seq - 1, hashes, signed.note), media_type=NOTE, headers=NOT_KEPT)

    async def read_log_consistency(
        self,
        request: LogRequest,
        response: Response,
        workspace: Workspace,
        epoch: EpochPath,
        from_: Annotated[Size, Query(alias="from")],
        to: Size,
    ) -> Annotated[ConsistencyDocument, Refuses(404)]:
        """Between any two sizes up to that of the newest signed head. Both roots are the reader's own, of heads it has kept."""
        signed = await self._signed(request, workspace, epoch)
        if not from_ <= to:
            raise Problem(422, "invalid", "from is the earlier size, to the later one.", field="from")
        if to > signed.newest_seq:
            raise await self._not_signed(workspace, epoch, to)
        note(request, workspace, from_size=from_, to_size=to)
        hashes = await _caught_up(self._kept.consistency(workspace, from_, to))
        response.headers.update(FOR_EVER)
        return ConsistencyDocument.model_validate(
            {"from": from_, "to": to, "hashes": [base64.b64encode(one).decode() for one in hashes]}
        )

    async def _signed(
        self, request: Request, workspace: str, epoch: int, own: int | None = None
    ) -> SignedHead:
        """The newest signed head, for who may read the log, or whose fact ``own`` is. Problems 401, 403, 404 and 503
        ``not_signed_yet``."""
        if WORKSPACE_ID.fullmatch(workspace) is None:
            raise unknown_workspace()
        await self._readers.workspace(request, workspace, own)
        async with raw_connection(self._engine) as raw:
            signed = await signed_head(raw, workspace, epoch)
        if signed is not None:
            return signed
        await self._readers.head(workspace)
        if not self._signing:
            raise Problem(
                404, "heads_not_signed", "This installation signs no heads: it has no key for them."
            )
        if epoch not in {one.epoch for one in await self._feed.epochs(workspace)}:
            raise _nothing(f"The workspace has no epoch {epoch}.")
        raise _not_yet("not_signed_yet", "No head of this epoch has been signed yet; it takes some seconds.")

    async def _not_signed(self, workspace: str, epoch: int, seq: int) -> Problem:
        """Why a fact has no signed head over it."""
        head = await self._readers.head(workspace)
        if head.epoch != epoch:
            sentence = f"{epoch}-{seq} is not kept: the log is in epoch {head.epoch} now."
            return Problem(
                410, "position_lost", sentence, headers={HEADER: str(head.position)}, epoch=head.epoch
            )
        if seq > head.seq:
            return Problem(404, "unknown_fact", f"There is no fact {seq}: the last one is {head.seq}.")
        return _not_yet("not_signed_yet", f"The fact {seq} is recorded; its head is signed within seconds.")


def _tile(level: str, number: str, size: int) -> Tile:
    """A tile of the log of that size. Problem 404 for any other address."""
    try:
        tile = Tile(parse_level(level), *parse_number_path(number))
    except ValueError as wrong:
        raise _nothing(f"There is nothing at this address: {wrong}.") from None
    if not is_of(tile, size):
        raise _nothing(f"The log of {size} facts has no {tile.path}.")
    return tile


def _bundle(facts: Iterable[bytes]) -> bytes:
    """Problem 404 for a bundle with a fact that does not fit: older releases recorded longer ones."""
    pieces: list[bytes] = []
    for fact in facts:
        if len(fact) > MAX_FACT_BYTES:
            raise _nothing(f"A fact here has {len(fact)} bytes, which no bundle holds: read it at /v1/log.")
        pieces += (len(fact).to_bytes(2), fact)
    return b"".join(pieces)


def _takes_gzip(accepted: Iterable[str]) -> bool:
    """Whether ``Accept-Encoding`` names gzip, or anything, and not with ``q=0``."""
    weights: dict[str, bool] = {}
    for coding in ",".join(accepted).lower().split(","):
        name, _, weight = coding.partition(";")
        weights[name.strip()] = weight.replace(" ", "").rstrip("0.") != "q="
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


async def _caught_up(reading: Awaitable[T]) -> T:
    """Problem 503 while the tiles of an older log are being made."""
    try:
        return await reading
    except TilesNotKept:
        raise _not_yet("tiles_not_kept_yet", "The tiles of this log are being made. Ask again.") from None


def _not_yet(code: str, sentence: str) -> Problem:
    return Problem(503, code, sentence, headers={"Retry-After": "1"})


def _nothing(sentence: str) -> Problem:
    return Problem(404, "not_found", sentence)
