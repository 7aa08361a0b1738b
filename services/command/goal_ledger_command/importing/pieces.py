"""Imports too large for one request: their pieces, kept until the import is done.

A piece is any stretch of the file's bytes; all of them, one after another, are the file. Pieces, and the reports of the
steps that are done, are sealed under a key that belongs to the import (``snapshot/…`` in the keys database) and is
deleted with it, so that no personal text is left anywhere. Any process can take a piece, and go on where another broke
off: what is recorded is compared, and steps that are done are not taken again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from goal_ledger_contracts.ids import uuid7
from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.keyring import SNAPSHOT, Keyring
from goal_ledger_ledger.store import raw_connection
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.importing.report import Report

NONCE_BYTES = 12
MAX_STAGED_IMPORTS = 8
"""Of a workspace; an older one must be done, or dropped, first."""
KEPT_DAYS = 7

_BEGIN = """
INSERT INTO imports (workspace, import_id, key_id, media_type, zone, moved_at) VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT (workspace, import_id) DO NOTHING
"""
_FIND = "SELECT key_id, media_type, zone, steps_done FROM imports WHERE workspace = $1 AND import_id = $2"
_COUNT = "SELECT count(*) FROM imports WHERE workspace = $1"
_OLD = "SELECT import_id FROM imports WHERE workspace = $1 AND moved_at < now() - make_interval(days => $2)"
_TOUCH = "UPDATE imports SET moved_at = now() WHERE workspace = $1 AND import_id = $2"
_ADVANCE = """
UPDATE imports SET moved_at = now(), steps_done = greatest(steps_done, $3) WHERE workspace = $1 AND import_id = $2
"""
_KEEP = """
INSERT INTO import_pieces (workspace, import_id, number, digest, bytes, body) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace, import_id, number) DO NOTHING
"""
_DIGEST = "SELECT digest FROM import_pieces WHERE workspace = $1 AND import_id = $2 AND number = $3"
_PIECES = "SELECT number, bytes FROM import_pieces WHERE workspace = $1 AND import_id = $2 ORDER BY number"
_PIECE = "SELECT body FROM import_pieces WHERE workspace = $1 AND import_id = $2 AND number = $3"
_TELL = """
INSERT INTO import_outcomes (workspace, import_id, after, body) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace, import_id, after) DO NOTHING
"""
_TOLD = """
SELECT after, body FROM import_outcomes WHERE workspace = $1 AND import_id = $2 AND after >= $3 ORDER BY after LIMIT 1
"""
_FORGET = tuple(
    f"DELETE FROM {table} WHERE workspace = $1 AND import_id = $2"
    for table in ("import_pieces", "import_outcomes", "imports")
)
Told = list[tuple[int, Report]]


@dataclass(frozen=True, slots=True)
class Staged:
    """An import whose pieces are here."""

    workspace: str
    import_id: str
    key_id: str
    media_type: str
    zone: str
    steps_done: int


class Pieces:
    """The staged imports of all workspaces. Raises Unreachable or asyncpg's errors."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine, self._keyring = engine, keyring

    async def begin(self, workspace: str, import_id: str, media_type: str, zone: str) -> Staged:
        """The import, from now on if it is new. Problem 409 if it has another media type, 413 if there are too many."""
        found = await self.find(workspace, import_id)
        if found is None:
            await self._make_room(workspace)
            key_id = f"{SNAPSHOT}import-{uuid7()}"
            await self._keyring.ensure(workspace, [key_id])
            async with raw_connection(self._engine) as raw:
                await raw.execute(_BEGIN, workspace, import_id, key_id, media_type, zone)
            found = await self.find(workspace, import_id)
            if found is None or found.key_id != key_id:
                await self._keyring.delete(workspace, [key_id])
        if found is None or found.media_type != media_type:
            raise Problem(409, "id_taken", "Another file is sent under this import id.", field="import_id")
        return found

    async def find(self, workspace: str, import_id: str) -> Staged | None:
        async with raw_connection(self._engine) as raw:
            row = await raw.fetchrow(_FIND, workspace, import_id)
        return None if row is None else Staged(workspace, import_id, *row)

    async def keep(self, staged: Staged, number: int, piece: bytes) -> None:
        """The same piece again changes nothing. Problem 409 ``id_taken`` for another under its number."""
        key, of = await self._key(staged), (staged.workspace, staged.import_id)
        digest = hmac.digest(key, hashlib.sha256(piece).digest(), "sha256")
        sealed = _sealed(key, piece, _bound(staged, "piece", number))
        async with raw_connection(self._engine) as raw:
            await raw.execute(_KEEP, *of, number, digest, len(piece), sealed)
            kept = await raw.fetchval(_DIGEST, *of, number)
            await raw.execute(_TOUCH, *of)
        if kept is None or not hmac.compare_digest(kept, digest):
            sentence = f"Another piece {number} was sent under this import id."
            raise Problem(409, "id_taken", sentence, field="number")

    async def listing(self, staged: Staged) -> dict[int, int]:
        """The numbers of the pieces that are here, and their bytes."""
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_PIECES, staged.workspace, staged.import_id)
        return {row[0]: row[1] for row in rows}

    async def piece(self, staged: Staged, number: int) -> bytes:
        async with raw_connection(self._engine) as raw:
            body = await raw.fetchval(_PIECE, staged.workspace, staged.import_id, number)
        return _opened(await self._key(staged), body, _bound(staged, "piece", number))

    async def done(self, staged: Staged, after: int, told: Told) -> None:
        """The steps beyond the first ``after`` are taken, and these are their reports."""
        written = json.dumps([[n, asdict(report)] for n, report in told], ensure_ascii=False).encode()
        body = _sealed(await self._key(staged), written, _bound(staged, "outcomes", after))
        of = (staged.workspace, staged.import_id)
        async with raw_connection(self._engine) as raw, raw.transaction():
            await raw.execute(_TELL, *of, after, body)
            await raw.execute(_ADVANCE, *of, after + len(told))

    async def told(self, staged: Staged, after: int) -> tuple[int, Told] | None:
        """What was reported of the steps beyond the first ``after``; None: nothing."""
        async with raw_connection(self._engine) as raw:
            row = await raw.fetchrow(_TOLD, staged.workspace, staged.import_id, after)
        if row is None or row[0] != after:
            return None
        read = json.loads(_opened(await self._key(staged), row[1], _bound(staged, "outcomes", after)))
        return after + len(read), [(n, _report(one)) for n, one in read]

    async def forget(self, staged: Staged) -> None:
        """It is done, or dropped: its key goes first, so that what may be left elsewhere cannot be read."""
        await self._keyring.delete(staged.workspace, [staged.key_id])
        async with raw_connection(self._engine) as raw, raw.transaction():
            for statement in _FORGET:
                await raw.execute(statement, staged.workspace, staged.import_id)

    async def _make_room(self, workspace: str) -> None:
        async with raw_connection(self._engine) as raw:
            old = [row[0] for row in await raw.fetch(_OLD, workspace, KEPT_DAYS)]
            count = await raw.fetchval(_COUNT, workspace) - len(old)
        for import_id in old:
            staged = await self.find(workspace, import_id)
            if staged is not None:
                await self.forget(staged)
        if count >= MAX_STAGED_IMPORTS:
            sentence = f"{count} imports are under way here: run them, or DELETE those that are not needed."
            raise Problem(413, "too_many_items", sentence, max_items=MAX_STAGED_IMPORTS)

    async def _key(self, staged: Staged) -> bytes:
        """Problem 404 if the import was done, or dropped, meanwhile."""
        await self._keyring.load(staged.workspace, [staged.key_id])
        key = self._keyring.keys(staged.workspace).get(staged.key_id)
        if key is None:
            raise Problem(404, "not_found", "This import is done, or was dropped.")
        return key.raw


def lines_of(chunks: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """The lines of a file that comes in stretches, without their ends. Problem 413 for a longer line."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > most_bytes:
            raise Problem(413, "body_too_large", f"A line has more than {most_bytes} bytes.")
    if rest:
        yield rest


def _report(read: dict[str, Any]) -> Report:
    warning = read.pop("warning")
    return Report(**read, warning=None if warning is None else tuple(warning))


def _bound(staged: Staged, what: str, number: int) -> bytes:
    return b"\x00".join(one.encode() for one in (staged.workspace, staged.key_id, what, str(number)))


def _sealed(key: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _opened(key: bytes, body: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], bound)
