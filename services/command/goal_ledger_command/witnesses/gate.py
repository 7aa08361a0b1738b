"""What a writer asks the witnesses before its first write, and what it knows of them afterwards.

A store that was restored together with Kafka has nothing in it that tells. A witness does: it has seen how large the log was.
So each process that writes asks, for every workspace, each witness with an address: at its start, and whenever the database
is another one than before. It is asked with a head over no facts (its answer is the size that it has seen), for this epoch and
for the next, which a store from before a recovery does not know; and where it has seen something, with the newest signed
head: is that the same log still?

More than the store holds, or an epoch that it does not have: ``store_behind_log``. Another log: ``log_forked``. Both until the
epoch is raised. A witness that is away holds nothing up for longer than :data:`START_TIMEOUT_S`; those are asked again with
every look. What the relay learns while it submits (``witnessed``) is looked at likewise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from goal_ledger_contracts.witness_policy import LogWitness, WitnessPolicy
from goal_ledger_ledger.checkpoint import Checkpoint, origin_of, parse, sign
from goal_ledger_ledger.kept_tiles import TilesNotKept
from goal_ledger_ledger.merkle import EMPTY_ROOT
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import CuredByNewEpoch, LogForked, WitnessedMore
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.witnesses.asking import (
    Away,
    Inconsistent,
    SeenSize,
    Submitted,
    add_checkpoint,
    own_signature_alone,
    submit,
    witness_client,
)
from goal_ledger_command.witnesses.proving import ProvesGrowth
from goal_ledger_command.witnesses.submitting import BEHIND, FORKED

START_TIMEOUT_S = 5.0
AT_ONCE = 16
ASKS_PER_LOOK = 200
"""After the start: of witnesses that were away then, so many workspaces in one look."""

_HEADS = """
SELECT h.workspace, h.epoch, h.seq, c.note FROM heads h
LEFT JOIN checkpoints c ON c.workspace = h.workspace AND c.epoch = h.epoch
WHERE h.seq > 0
"""
_STOPPED = """
SELECT w.workspace, w.epoch, w.seq, w.stopped FROM witnessed w
JOIN heads h ON h.workspace = w.workspace AND h.epoch = w.epoch WHERE w.stopped IS NOT NULL
"""

log = logger("witnesses")


@dataclass(frozen=True, slots=True)
class _Log:
    """A workspace as the store has it; ``note``: its newest signed head."""

    workspace: str
    epoch: int
    seq: int
    note: str | None


@dataclass(frozen=True, slots=True)
class _Stop:
    """Found of one epoch."""

    epoch: int
    code: str
    sentence: str

    def error(self) -> CuredByNewEpoch:
        return (LogForked if self.code == FORKED else WitnessedMore)(self.sentence)


class WitnessGate:
    """Answers from memory; :meth:`look` fills it."""

    def __init__(
        self, engine: AsyncEngine, policy: WitnessPolicy, key: Ed25519PrivateKey | None, origin: str
    ) -> None:
        self._engine, self._witnesses, self._key, self._origin = engine, policy.asked, key, origin
        self._growth = ProvesGrowth(engine)
        self._stops: dict[str, _Stop] = {}
        self._told: dict[str, _Stop] = {}
        """What the relay learnt."""
        self._open: set[tuple[str, str]] = set()
        """Workspaces and names of witnesses that have not answered yet."""

    def check(self, workspace: str) -> None:
        """Raises WitnessedMore, LogForked."""
        stop = self._stops.get(workspace) or self._told.get(workspace)
        if stop is not None:
            raise stop.error()

    @property
    def stopped(self) -> Mapping[str, str]:
        """By workspace: ``store_behind_log`` or ``log_forked``."""
        return {name: one.code for name, one in (self._told | self._stops).items()}

    @property
    def not_asked(self) -> int:
        """How many questions to witnesses have no answer yet."""
        return len(self._open)

    async def look(self, *, anew: bool) -> None:
        """``anew``: the store may be another one. Without witnesses nothing is read. Raises Unreachable and asyncpg's
        errors."""
        if not self._witnesses:
            return
        async with raw_connection(self._engine, same=False) as raw:
            logs = {row[0]: _Log(*row) for row in await raw.fetch(_HEADS)}
            self._told = {row[0]: _told(*row[1:]) for row in await raw.fetch(_STOPPED)}
        if anew:
            self._stops, self._open = {}, {(name, one.name) for name in logs for one in self._witnesses}
        self._stops = {n: one for n, one in self._stops.items() if n in logs and logs[n].epoch <= one.epoch}
        self._open = {one for one in self._open if one[0] in logs}
        if self._open and self._key is not None:
            await self._ask(self._key, logs, len(self._open) if anew else ASKS_PER_LOOK)

    async def _ask(self, key: Ed25519PrivateKey, logs: Mapping[str, _Log], most: int) -> None:
        """Those that have not answered, for some seconds."""
        async with witness_client() as client:
            asking = [
                self._of_one(
                    client,
                    key,
                    witness,
                    [logs[name] for name, of in sorted(self._open) if of == witness.name][:most],
                )
                for witness in self._witnesses
            ]
            try:
                async with asyncio.timeout(START_TIMEOUT_S):
                    await asyncio.gather(*asking)
            except TimeoutError:
                log.warning("witnesses have not answered; writing goes on", questions=len(self._open))

    async def _of_one(
        self, client: httpx2.AsyncClient, key: Ed25519PrivateKey, witness: LogWitness, logs: list[_Log]
    ) -> None:
        for at in range(0, len(logs), AT_ONCE):
            asked = [self._question(client, key, witness, one) for one in logs[at : at + AT_ONCE]]
            if not all(await asyncio.gather(*asked)):
                log.warning("a witness does not answer; writing goes on", witness=witness.name)
                return

    async def _question(
        self, client: httpx2.AsyncClient, key: Ed25519PrivateKey, witness: LogWitness, of: _Log
    ) -> bool:
        """Whether it answered."""
        for epoch in (of.epoch + 1, of.epoch):
            answer = await add_checkpoint(client, witness, self._over_nothing(key, of, epoch), 0, ())
            if isinstance(answer, Away):
                return False
            size = answer.size if isinstance(answer, SeenSize) else 0
            if size and not await self._is_in_store(of.workspace, epoch, size):
                seen = f"has seen {epoch}-{size}; the store ends with {of.epoch}-{of.seq}"
                self._stop(of, BEHIND, f"The witness {witness.name} {seen}.")
                break
            if size and epoch == of.epoch and await self._is_another(client, witness, of, size):
                seen = f"has seen another log than this one, of {size} facts"
                self._stop(of, FORKED, f"The witness {witness.name} {seen}.")
        self._open.discard((of.workspace, witness.name))
        return True

    async def _is_in_store(self, workspace: str, epoch: int, size: int) -> bool:
        """As the head stands now: others may have written since the look began."""
        async with raw_connection(self._engine, same=False) as raw:
            head = await raw.fetchrow("SELECT epoch, seq FROM heads WHERE workspace = $1", workspace)
        return head is not None and (head[0] > epoch or (head[0] == epoch and head[1] >= size))

    def _over_nothing(self, key: Ed25519PrivateKey, of: _Log, epoch: int) -> Submitted:
        head = Checkpoint(origin_of(self._origin, of.workspace, epoch), 0, EMPTY_ROOT)
        return Submitted(head, sign(head, key))

    async def _is_another(self, client: httpx2.AsyncClient, witness: LogWitness, of: _Log, seen: int) -> bool:
        """Whether the newest signed head does not continue what it has seen; what lies past that head the relay submits."""
        if of.note is None or not of.note.startswith(origin_of(self._origin, of.workspace, of.epoch) + "\n"):
            return False
        head = parse(of.note)
        if head.size < seen:
            return False

        async def proves(old: int) -> list[bytes]:
            return await self._growth.from_size(of.workspace, old, head)

        try:
            answer = await submit(client, witness, own_signature_alone(of.note), seen, proves)
        except TilesNotKept:
            return False
        return isinstance(answer, Inconsistent)

    def _stop(self, of: _Log, code: str, sentence: str) -> None:
        log.error(f"{code}: writes are refused", workspace=of.workspace, epoch=of.epoch, why=sentence)
        self._stops[of.workspace] = _Stop(of.epoch, code, f"{sentence} It has to be recovered.")


def _told(epoch: int, seq: int, code: str) -> _Stop:
    seen = (
        "another log than this one"
        if code == FORKED
        else f"this workspace up to {epoch}-{seq}, beyond the store"
    )
    return _Stop(epoch, code, f"A witness has seen {seen}. It has to be recovered.")
