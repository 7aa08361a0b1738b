"""The keys of personal texts: in a database of their own, each sealed under the installation's master key.

*A key is committed here before the first fact that needs it*, so no fact can be recorded that nobody can ever read.
*A deleted key leaves a mark, and no new key is made past it*, so a shredded person's later text cannot quietly get a
readable key. A key belongs to a subject (``person/kari``) within a workspace; the subject is its id in the facts.

Keys in use are held in memory. Another process may shred, and this database may be set back by itself: so the keys that
a batch has sealed with are looked up before it is written (:meth:`Keyring.confirm`), and one that is missing, which was
committed once, is put back. The fold of a shredding fact drops its key at once (:meth:`Keyring.forget`).

*After the database was set back* (:meth:`Keyring.was_set_back`) every process puts back what it has in memory, and then
shredding is repeated. A process that has not a subject's key in memory makes none for :data:`PUT_BACK_WITHIN_S`: another
may be about to put back the one under which earlier texts are sealed. A process that has just started remembers no
database to compare with; it knows from the facts who must have had a key (``had_keys``), and waits as long for those.
A key under the ledger's own control (a snapshot's) is kept the same way.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Container, Iterable, Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.keys_witness import Witness
from goal_ledger_ledger.sealing import KEY_BYTES, NONCE_BYTES, TextKey, TextKeys
from goal_ledger_ledger.store import Unreachable, raw_connection

log = logging.getLogger(__name__)

SNAPSHOT = "snapshot/"
"""Subjects of the ledger's own keys begin so; no person or system can have such a name."""

MAX_KEYS_IN_MEMORY = 100_000
PUT_BACK_WITHIN_S = 5.0
"""Every process looks every two seconds."""

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
        self._witness = Witness()
        self._set_back_at = -PUT_BACK_WITHIN_S
        self._untold = False
        self._missed: dict[tuple[str, str], float] = {}
        """By workspace and subject, when a key that the facts tell of was first found missing."""

    def keys(self, workspace: str) -> TextKeys:
        """The keys in memory; None: deleted for good."""
        return self._of(workspace).keys

    async def ensure(
        self, workspace: str, subjects: Iterable[str], had_keys: Container[str] = frozenset()
    ) -> None:
        """See to it that each subject has a key, committed, in memory; a subject with a mark gets none, ever.

        ``had_keys``: subjects that the facts say had one, however new this process is.

        Raises Unreachable also where a key would be made in a database that was set back a moment ago, or for a subject that
        had one and was found without it a moment ago.
        """
        missing = [subject for subject in set(subjects) if subject not in self._of(workspace).keys]
        if missing:
            await self.load(workspace, missing)
            missing = [subject for subject in missing if subject not in self._of(workspace).keys]
        if missing:
            await self._need_whole()
            self._need_time(workspace, [subject for subject in missing if subject in had_keys])
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
            if found.get(subject) is not None and subject in held.wrapped:
                log.error(
                    "the key of %s in %s is another: texts under the one before are lost", subject, workspace
                )
            held.keys.pop(subject, None)
            if subject in found:
                self._take(workspace, subject, found[subject])
        return not others

    async def was_set_back(self) -> bool:
        """Whether the database lacks what this process has seen of it; told once, and then :meth:`put_back` is due."""
        await self._look()
        untold, self._untold = self._untold, False
        return untold

    async def put_back(self) -> None:
        """All keys in memory, where the database has neither a key nor a mark. What is shredded is to be erased again."""
        for workspace, held in list(self._held.items()):
            if held.wrapped:
                await self._put(workspace, list(held.wrapped), list(held.wrapped.values()))

    async def _look(self) -> None:
        async with raw_connection(self.engine) as raw:
            if await self._witness.is_gone(raw):
                self._set_back_at, self._untold = time.monotonic(), True

    async def _need_whole(self) -> None:
        await self._look()
        if time.monotonic() < self._set_back_at + PUT_BACK_WITHIN_S:
            raise Unreachable(
                "the keys' database was set back: no key is made before all have put theirs back"
            )

    def _need_time(self, workspace: str, gone: list[str]) -> None:
        """Others may be about to put these keys back. Raises Unreachable until they have had time to."""
        now = time.monotonic()
        first_missed = [self._missed.setdefault((workspace, subject), now) for subject in gone]
        if any(now < since + PUT_BACK_WITHIN_S for since in first_missed):
            raise Unreachable(
                f"keys of {workspace} are gone from their database: who has them puts them back"
            )
        for subject in gone:
            del self._missed[workspace, subject]
            log.error(
                "the key of %s in %s is gone: texts under it are lost, a new one is made", subject, workspace
            )

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
        await self._look()

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
