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
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from goal_ledger_contracts.ids import uuid7
from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.keyring import SNAPSHOT, Keyring
from goal_ledger_ledger.store import transaction
from goal_ledger_ledger.tables_imports import import_outcomes, import_pieces, imports
from sqlalchemy import ColumnElement, Table, Update, func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.importing.report import Report

NONCE_BYTES = 12
MAX_STAGED_IMPORTS = 8
"""Of a workspace; an older one must be done, or dropped, first."""
KEPT_DAYS = 7

ReportsByRow = list[tuple[int, Report]]


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
            begun = Staged(workspace, import_id, key_id, media_type, zone, 0)
            async with transaction(self._engine) as store:
                new = insert(imports).values(**asdict(begun), moved_at=func.now())
                await store.execute(new.on_conflict_do_nothing())
            found = await self.find(workspace, import_id)
            if found is None or found.key_id != key_id:
                await self._keyring.delete(workspace, [key_id])
        if found is None or found.media_type != media_type:
            raise Problem(409, "id_taken", "Another file is sent under this import id.", field="import_id")
        return found

    async def find(self, workspace: str, import_id: str) -> Staged | None:
        columns = (imports.c[one.name] for one in fields(Staged))
        of = (imports.c.workspace == workspace, imports.c.import_id == import_id)
        async with transaction(self._engine) as store:
            row = (await store.execute(select(*columns).where(*of))).one_or_none()
        return None if row is None else Staged(*row)

    async def keep(self, staged: Staged, number: int, piece: bytes) -> None:
        """The same piece again changes nothing. Problem 409 ``id_taken`` for another under its number."""
        key = await self._key(staged)
        digest = hmac.digest(key, hashlib.sha256(piece).digest(), "sha256")
        sealed = _sealed(key, piece, _bound(staged, "piece", number))
        new = _new(import_pieces, staged, number=number, digest=digest, bytes=len(piece), body=sealed)
        this = (*_of(import_pieces, staged), import_pieces.c.number == number)
        async with transaction(self._engine) as store:
            await store.execute(new)
            kept = await store.scalar(select(import_pieces.c.digest).where(*this))
            await store.execute(_touched(staged))
        if kept is None or not hmac.compare_digest(kept, digest):
            sentence = f"Another piece {number} was sent under this import id."
            raise Problem(409, "id_taken", sentence, field="number")

    async def listing(self, staged: Staged) -> dict[int, int]:
        """The numbers of the pieces that are here, and their bytes."""
        here = select(import_pieces.c.number, import_pieces.c.bytes).where(*_of(import_pieces, staged))
        async with transaction(self._engine) as store:
            return {
                number: size for number, size in await store.execute(here.order_by(import_pieces.c.number))
            }

    async def piece(self, staged: Staged, number: int) -> bytes:
        this = (*_of(import_pieces, staged), import_pieces.c.number == number)
        async with transaction(self._engine) as store:
            body = await store.scalar(select(import_pieces.c.body).where(*this))
        key = await self._key(staged)
        if body is None:
            raise _gone()
        return _opened(key, body, _bound(staged, "piece", number))

    async def done(self, staged: Staged, after: int, told: ReportsByRow) -> None:
        """The steps beyond the first ``after`` are taken, and these are their reports."""
        written = json.dumps([[n, asdict(report)] for n, report in told], ensure_ascii=False).encode()
        body = _sealed(await self._key(staged), written, _bound(staged, "outcomes", after))
        steps_done = func.greatest(imports.c.steps_done, after + len(told))
        async with transaction(self._engine) as store:
            await store.execute(_new(import_outcomes, staged, after=after, body=body))
            await store.execute(_touched(staged).values(steps_done=steps_done))

    async def told(self, staged: Staged, after: int) -> tuple[int, ReportsByRow] | None:
        """What was reported of the steps beyond the first ``after``; None: nothing."""
        these = (*_of(import_outcomes, staged), import_outcomes.c.after == after)
        async with transaction(self._engine) as store:
            body = await store.scalar(select(import_outcomes.c.body).where(*these))
        if body is None:
            return None
        read = json.loads(_opened(await self._key(staged), body, _bound(staged, "outcomes", after)))
        return after + len(read), [(n, _report(one)) for n, one in read]

    async def forget(self, staged: Staged) -> None:
        """It is done, or dropped: its key goes first, so that what may be left elsewhere cannot be read."""
        await self._keyring.delete(staged.workspace, [staged.key_id])
        async with transaction(self._engine) as store:
            for table in (import_pieces, import_outcomes, imports):
                await store.execute(table.delete().where(*_of(table, staged)))

    async def _make_room(self, workspace: str) -> None:
        here = imports.c.workspace == workspace
        is_old = imports.c.moved_at < func.now() - timedelta(days=KEPT_DAYS)
        async with transaction(self._engine) as store:
            found = (await store.execute(select(imports.c.import_id, is_old).where(here))).all()
        old = [import_id for import_id, old in found if old]
        for import_id in old:
            staged = await self.find(workspace, import_id)
            if staged is not None:
                await self.forget(staged)
        count = len(found) - len(old)
        if count >= MAX_STAGED_IMPORTS:
            sentence = f"{count} imports are under way here: run them, or DELETE those that are not needed."
            raise Problem(413, "too_many_items", sentence, max_items=MAX_STAGED_IMPORTS)

    async def _key(self, staged: Staged) -> bytes:
        """Problem 404 if the import was done, or dropped, meanwhile."""
        await self._keyring.load(staged.workspace, [staged.key_id])
        key = self._keyring.keys(staged.workspace).get(staged.key_id)
        if key is None:
            raise _gone()
        return key.raw


def _gone() -> Problem:
    return Problem(404, "not_found", "This import is done, or was dropped.")


def _of(table: Table, staged: Staged) -> tuple[ColumnElement[bool], ...]:
    """The import's rows."""
    return table.c.workspace == staged.workspace, table.c.import_id == staged.import_id


def _new(table: Table, staged: Staged, **values: Any) -> Insert:
    """A row of the import, unless it is there."""
    row = insert(table).values(workspace=staged.workspace, import_id=staged.import_id, **values)
    return row.on_conflict_do_nothing()


def _touched(staged: Staged) -> Update:
    return imports.update().where(*_of(imports, staged)).values(moved_at=func.now())


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
