"""Snapshots: a workspace's folded state as it stood, so that a process need not fold a million facts to begin.

A snapshot is a convenience, never a source: it is used only if its fold version is ours and it is of the present epoch
and not beyond the head; else it is thrown away and the facts are folded.

**Its form.** The folded state holds display names in clear, and the record must not: a name may be nowhere readable
once its key is deleted. So a snapshot is sealed (AES-256-GCM) under a key of its own in the keys database, bound to
workspace, epoch, seq and fold version. Making a new snapshot deletes the key of the one before; shredding somebody
deletes the snapshot's key too. Its inside is a compressed pickle: nobody who cannot read the keys database can make
one that is opened. See ``docs/decisions/ledger-snapshots.md``.

**The race with shredding.** A process that has not seen a shredding fact yet must not keep a snapshot from before it.
The row is written while the head is locked, and only if no shredding fact lies beyond its position: either the
shredding comes after, and deletes it, or it came before, and the snapshot is dropped.
"""

from __future__ import annotations

import asyncio
import copy
import io
import os
import pickle
import zlib
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from goal_ledger_contracts.ids import uuid7
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.folded import SHREDDING, Folded
from goal_ledger_ledger.keyring import SNAPSHOT, Keyring
from goal_ledger_ledger.sealing import NONCE_BYTES
from goal_ledger_ledger.store import raw_connection

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

FORM = "1"
"""Of what is pickled; part of the fold version."""

EVERY_FACTS = 20_000

_READ = "SELECT epoch, seq, fold_version, key_id, body FROM snapshots WHERE workspace = $1"
_LOCK_HEAD = "SELECT epoch FROM heads WHERE workspace = $1 FOR UPDATE"
_KEEP = f"""
INSERT INTO snapshots (workspace, epoch, seq, fold_version, key_id, made_at, body)
SELECT $1, $2, $3, $4, $5, now(), $6
WHERE NOT EXISTS (SELECT FROM facts WHERE workspace = $1 AND type = '{SHREDDING}' AND seq > $3)
ON CONFLICT (workspace) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,
    fold_version = excluded.fold_version, key_id = excluded.key_id, made_at = excluded.made_at, body = excluded.body
    WHERE (snapshots.epoch, snapshots.seq) < (excluded.epoch, excluded.seq)
        OR snapshots.fold_version <> excluded.fold_version
RETURNING true
"""
_KEY_OF = "SELECT key_id FROM snapshots WHERE workspace = $1"
_DROP = f"""
DELETE FROM snapshots WHERE workspace = $1
    AND seq < (SELECT max(seq) FROM facts WHERE workspace = $1 AND type = '{SHREDDING}')
RETURNING key_id
"""


class Snapshots:
    """The latest snapshot of each workspace."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring, fold_version: str) -> None:
        self._engine, self._keyring = engine, keyring
        self._fold_version = f"{FORM}.{fold_version}"

    async def load(self, raw: Raw, workspace: str, epoch: int, seq: int) -> Folded | None:
        """The state at the snapshot's position; None if there is none that fits a head at (epoch, seq)."""
        row = await raw.fetchrow(_READ, workspace)
        if row is None or row[0] != epoch or row[1] > seq or row[2] != self._fold_version:
            return None
        await self._keyring.load(workspace, [row[3]])
        key = self._keyring.keys(workspace).get(row[3])
        if key is None:
            return None
        try:
            return await asyncio.to_thread(_open, key.raw, row[4], self._bound_to(workspace, epoch, row[1]))
        except (InvalidTag, zlib.error):
            return None

    async def save(self, folded: Folded) -> bool:
        """Keep the state as it stands now; whether it was kept."""
        workspace, epoch, seq = folded.workspace, folded.epoch, folded.seq
        frozen = _frozen(folded)
        key_id = f"{SNAPSHOT}{uuid7()}"
        await self._keyring.ensure(workspace, [key_id])
        key = self._keyring.keys(workspace)[key_id]
        if key is None:
            return False
        body = await asyncio.to_thread(_seal, key.raw, frozen, self._bound_to(workspace, epoch, seq))
        async with raw_connection(self._engine) as raw, raw.transaction():
            locked = await raw.fetchval(_LOCK_HEAD, workspace)
            before = await raw.fetchval(_KEY_OF, workspace)
            kept = locked == epoch and await raw.fetchval(
                _KEEP, workspace, epoch, seq, self._fold_version, key_id, body
            )
        useless = before if kept else key_id
        if useless is not None:
            await self._keyring.delete(workspace, [useless])
        return bool(kept)

    async def drop_older_than_shredding(self, workspace: str) -> None:
        """Somebody was shredded: a snapshot from before goes, and the key with which a copy of it could be read."""
        async with raw_connection(self._engine) as raw:
            keys = [row[0] for row in await raw.fetch(_DROP, workspace)]
        if keys:
            await self._keyring.delete(workspace, keys)

    def _bound_to(self, workspace: str, epoch: int, seq: int) -> bytes:
        return b"\x00".join(text.encode() for text in (workspace, str(epoch), str(seq), self._fold_version))


def _frozen(folded: Folded) -> Folded:
    """A copy that later batches do not touch: the states in it are immutable, the tables are not."""
    frozen = copy.copy(folded)
    frozen.world = folded.world.copy()
    frozen.tips = dict(folded.tips)
    frozen.shredded = set(folded.shredded)
    return frozen


class _Packer:
    """A file that compresses. Written in Python, so that pickling lets other threads run at every frame (64 KiB)."""

    def __init__(self) -> None:
        self._compress = zlib.compressobj(1)
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(self._compress.compress(data))
        return len(data)

    def packed(self) -> bytes:
        return b"".join([*self._parts, self._compress.flush()])


class _Unpacker(io.BytesIO):
    """The reverse; reading too gives way at every frame."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return super().readline(size)


def _seal(key: bytes, frozen: Folded, bound_to: bytes) -> bytes:
    packer, nonce = _Packer(), os.urandom(NONCE_BYTES)
    pickle.Pickler(packer, pickle.HIGHEST_PROTOCOL).dump(frozen)
    return nonce + AESGCM(key).encrypt(nonce, packer.packed(), bound_to)


def _open(key: bytes, body: bytes, bound_to: bytes) -> Folded:
    packed = AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], bound_to)
    folded: Folded = pickle.Unpickler(_Unpacker(zlib.decompress(packed))).load()
    return folded
