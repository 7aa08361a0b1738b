"""The keys of personal texts: in a database of their own, each sealed under the installation's master key.

*A key is committed here before the first fact that needs it*, so no fact can be recorded that nobody can ever read.
*A deleted key leaves a mark, and no new key is made past it*, so a shredded person's later text cannot quietly get a
readable key. A key belongs to a subject (``person/kari``) within a workspace; the subject is its id in the facts.

Keys in use are held in memory. Another process may shred, and this database may be set back by itself: so the keys that
a batch has sealed with are looked up before it is written (:meth:`Keyring.confirm`), and one that is missing, which was
committed once, is put back. The fold of a shredding fact drops its key at once (:meth:`Keyring.forget`). Marks only grow:
fewer than there were mean that the database was set back (:meth:`Keyring.was_set_back`), and shredding is repeated.
A key under the ledger's own control (a snapshot's) is kept the same way.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.sealing import KEY_BYTES, NONCE_BYTES, TextKey, TextKeys
from goal_ledger_ledger.store import raw_connection

log = logging.getLogger(__name__)

SNAPSHOT = "snapshot/"
"""Subjects of the ledger's own keys begin so; no person or system can have such a name."""

MAX_KEYS_IN_MEMORY = 100_000

_MAKE = """
INSERT INTO text_keys (workspace, subject, wrapped, created_at)
SELECT $1, made.subject, made.wrapped, now() FROM unnest($2::text[], $3::bytea[]) AS made (subject, wrapped)
ON CONFLICT (workspace, subject) DO NOTHING
"""
_LOAD = "SELECT subject, wrapped FROM text_keys WHERE workspace = $1 AND subject = ANY($2::text[])"
_LOAD_ALL = """
SELECT subject, wrapped FROM text_keys
WHERE workspace = $1 AND subject > $2 AND NOT starts_with(subject, 'snapshot/') ORDER BY subject LIMIT $3
"""
_MARKS = "SELECT count(*) FROM text_keys WHERE wrapped IS NULL"
_DELETE = """
INSERT INTO text_keys (workspace, subject, created_at, deleted_at)
SELECT $1, subject, now(), now() FROM unnest($2::text[]) AS gone (subject)
ON CONFLICT (workspace, subject)
DO UPDATE SET wrapped = NULL, deleted_at = coalesce(text_keys.deleted_at, now())
"""


class _Held:
    """The keys of one workspace in memory, and the form in which each is stored."""

    __slots__ = ("keys", "wrapped")

    def __init__(self) -> None:
        self.keys: dict[str, TextKey | None] = {}
        self.wrapped: dict[str, bytes] = {}

    def take(self, subject: str, wrapped: bytes | None, key: TextKey | None) -> None:
        self.keys[subject] = key
        if wrapped is None:
            self.wrapped.pop(subject, None)
        else:
            self.wrapped[subject] = wrapped


class Keyring:
    """Text keys by workspace and subject. One per process; safe for concurrent tasks.

    Every method that reads or writes the database raises :class:`goal_ledger_ledger.store.Unreachable` or asyncpg's
    errors.
    """

    def __init__(self, engine: AsyncEngine, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            raise ValueError(f"the master key has {KEY_BYTES} bytes")
        self.engine = engine
        self._master = AESGCM(master_key)
        self._held: dict[str, _Held] = {}
        self._marks = 0
        """The most marks of deletion seen."""

    def keys(self, workspace: str) -> TextKeys:
        """The keys in memory; None: deleted for good."""
        return self._of(workspace).keys

    async def ensure(self, workspace: str, subjects: Iterable[str]) -> None:
        """See to it that each subject has a key, committed, in memory; a subject with a mark gets none, ever."""
        missing = [subject for subject in set(subjects) if subject not in self._of(workspace).keys]
        if missing:
            await self.load(workspace, missing)
            missing = [subject for subject in missing if subject not in self._of(workspace).keys]
        if missing:
            made = [self._wrap(workspace, subject, os.urandom(KEY_BYTES)) for subject in missing]
            await self._put(workspace, missing, made)
            await self.load(workspace, missing)

    async def load(self, workspace: str, subjects: Iterable[str]) -> None:
        """Bring the keys that exist, and the marks, into memory. None is made."""
        held = self._of(workspace)
        wanted = [subject for subject in set(subjects) if subject not in held.keys]
        if not wanted:
            return
        for subject, wrapped in await self._rows(workspace, wanted):
            self._take(workspace, subject, wrapped)

    async def confirm(self, workspace: str, subjects: Iterable[str]) -> bool:
        """Whether these keys are in the database as they are in memory; those that are not there are put back.

        False: others are there by now, or marks; memory has them, and what was sealed is to be sealed again.
        """
        held, wanted = self._of(workspace), sorted(subjects)
        found = dict(await self._rows(workspace, wanted))
        lost = [subject for subject in wanted if subject not in found and subject in held.wrapped]
        if lost:
            log.error("keys of %s are gone from their database, and are put back: %s", workspace, lost)
            await self._put(workspace, lost, [held.wrapped[subject] for subject in lost])
            found |= dict(await self._rows(workspace, lost))
        others = [
            subject
            for subject in wanted
            if subject not in found or found[subject] != held.wrapped.get(subject)
        ]
        for subject in others:
            held.keys.pop(subject, None)
            if subject in found:
                self._take(workspace, subject, found[subject])
        return not others

    async def was_set_back(self) -> bool:
        """Whether marks of deletion are gone since this process last looked or deleted."""
        async with raw_connection(self.engine) as raw:
            marks: int = await raw.fetchval(_MARKS)
        before, self._marks = self._marks, marks
        return marks < before

    async def _put(self, workspace: str, subjects: list[str], wrapped: list[bytes]) -> None:
        async with raw_connection(self.engine) as raw:
            await raw.execute(_MAKE, workspace, subjects, wrapped)

    async def _rows(self, workspace: str, subjects: list[str]) -> list[tuple[str, bytes | None]]:
        async with raw_connection(self.engine) as raw:
            return [(row[0], row[1]) for row in await raw.fetch(_LOAD, workspace, subjects)]

    def _take(self, workspace: str, subject: str, wrapped: bytes | None) -> None:
        key = None if wrapped is None else TextKey(self._unwrap(workspace, subject, wrapped))
        self._of(workspace).take(subject, wrapped, key)

    def forget(self, workspace: str, subject: str) -> None:
        """The subject is shredded: its key is used no more, whether or not it was deleted yet."""
        self._of(workspace).take(subject, None, None)

    async def delete(self, workspace: str, subjects: Iterable[str]) -> None:
        """Delete keys for good, leaving marks. Deleting again changes nothing."""
        gone = sorted(set(subjects))
        for subject in gone:
            self.forget(workspace, subject)
        async with raw_connection(self.engine) as raw:
            await raw.execute(_DELETE, workspace, gone)
            self._marks = max(self._marks, await raw.fetchval(_MARKS))

    async def listing(self, workspace: str, after: str = "", limit: int = 1000) -> dict[str, bytes | None]:
        """Keys of a workspace as stored now, by subject after ``after``, for those who open texts; None: deleted.

        A page with fewer than ``limit`` is the last. The ledger's own keys, of snapshots, are never given out.
        """
        async with raw_connection(self.engine) as raw:
            rows = await raw.fetch(_LOAD_ALL, workspace, after, limit)
        return {
            subject: None if wrapped is None else self._unwrap(workspace, subject, wrapped)
            for subject, wrapped in rows
        }

    async def look_up(self, workspace: str, subjects: Iterable[str]) -> Mapping[str, bytes | None]:
        """These subjects' keys as stored now; those that never had one are left out."""
        async with raw_connection(self.engine) as raw:
            wanted = sorted({one for one in subjects if not one.startswith(SNAPSHOT)})
            rows = await raw.fetch(_LOAD, workspace, wanted)
        return {
            subject: None if wrapped is None else self._unwrap(workspace, subject, wrapped)
            for subject, wrapped in rows
        }

    def _of(self, workspace: str) -> _Held:
        held = self._held.get(workspace)
        if held is None:
            if sum(len(one.keys) for one in self._held.values()) > MAX_KEYS_IN_MEMORY:
                self._held.clear()
            held = self._held[workspace] = _Held()
        return held

    def _wrap(self, workspace: str, subject: str, raw: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, raw, _bound_to(workspace, subject))

    def _unwrap(self, workspace: str, subject: str, wrapped: bytes) -> bytes:
        return self._master.decrypt(
            wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound_to(workspace, subject)
        )


def _bound_to(workspace: str, subject: str) -> bytes:
    return b"\x00".join((b"text key", workspace.encode(), subject.encode()))
