"""The write gate: nothing is written to a store that is behind what Kafka holds.

A store restored to an earlier moment would give its next facts numbers that were published long ago for others. So
before the first write of a process, everything in ``ledger.facts`` from the offsets of the partitions' marks to the end
is read. What continues a workspace's log beyond its head (``beyond_store.py`` says what is believed) means that this
workspace's store is behind: its writes are refused with ``store_behind_log`` by every process, and the relay leaves it
out, until the operator's recovery has raised the epoch. Other workspaces go on. What Kafka cannot tell, for it was put back
too, the witnesses of signed heads can: they are asked with the same look (``witnesses/gate.py``).

With Kafka out of reach the gate stays closed (``not_recorded``) until it was read once; afterwards a process goes on
without Kafka.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from goal_ledger_contracts.witness_policy import WitnessPolicy
from goal_ledger_ledger.lineage import Lineage, look
from goal_ledger_ledger.store import Database, raw_connection
from goal_ledger_ledger.submission import NotRecorded, StoreBehindLog
from goal_ledger_messaging.security import Kafka, explained
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.beyond_store import BeyondStore, Tail, still_behind
from goal_ledger_command.witnesses.gate import WitnessGate

RETRY_S = 0.5
LOOK_AGAIN_S = 10.0

log = logger("write_gate")


class StoreBehindKafkaGate:
    """What the ledger asks before it writes; answers from memory.

    Closed until Kafka was read once, then shut for those workspaces whose store is behind. It looks again every ten
    seconds, for a recovery lets a workspace write again; and at once when the database is another one, or was set back
    (``lineage.py``): until it was compared, no connection to it is given out.
    """

    def __init__(self, engine: AsyncEngine, kafka: Kafka, witnesses: WitnessGate | None = None) -> None:
        self._engine, self._kafka = engine, kafka
        self.witnesses = witnesses or WitnessGate(engine, WitnessPolicy(), None, "")
        self._lineage = Lineage()
        self._beyond = BeyondStore(engine, kafka)
        if isinstance(engine, Database):
            engine.lineage = self._lineage
        self._behind: dict[str, Tail] = {}
        self._closed_because: str | None = "Kafka has not been read yet"

    @property
    def closed_because(self) -> str | None:
        """Why nothing can be written at all; None once Kafka was read."""
        return self._closed_because

    @property
    def behind(self) -> Mapping[str, Tail]:
        """The workspaces whose writes are refused with ``store_behind_log``, and what Kafka holds of them."""
        return self._behind

    @property
    def foreign_records(self) -> int:
        """Records in Kafka beyond a head that do not continue it, seen since the process started."""
        return self._beyond.foreign_records

    async def check(self, workspace: str) -> None:
        """Raises NotRecorded while Kafka has not been read, StoreBehindLog for a workspace whose store is behind, and
        LogForked where a witness has seen another log."""
        if self._closed_because is not None:
            raise NotRecorded(
                f"Nothing is written until it is known what Kafka holds ({self._closed_because}). Send it again."
            )
        seen = self._behind.get(workspace)
        if seen is not None:
            raise StoreBehindLog(
                f"Kafka holds this workspace up to {seen.epoch}-{seen.seq}, beyond the store. It has to be recovered."
            )
        self.witnesses.check(workspace)

    async def look(self) -> None:
        """Read Kafka behind the marks, and compare. Raises what ``BeyondStore.look`` raises; then nothing changes."""
        async with raw_connection(self._engine, same=False) as raw:
            compared = await look(raw)
        found = await self._beyond.look()
        behind = await still_behind(self._engine, _highest(found, self._behind))
        for workspace, seen in behind.items():
            if workspace not in self._behind:
                log.error(
                    "store_behind_log: writes are refused",
                    workspace=workspace,
                    epoch=seen.epoch,
                    seq=seen.seq,
                )
        self._behind = behind
        await self.witnesses.look(anew=self._closed_because is not None or self._lineage.suspect.is_set())
        self._lineage.accept(compared)
        self._closed_because = None

    async def run(self) -> None:
        """Looks until cancelled; never raises. A process that has looked once goes on without Kafka."""
        while True:
            try:
                await self.look()
            except Exception as failed:
                why = await explained(self._kafka, failed)
                if self._closed_because is not None:
                    self._closed_because = why
                log.warning("Kafka not read", error=why)
            await self._pause()

    async def _pause(self) -> None:
        """Until it is time to look again; at once when the store is not the one that was compared."""
        if self._closed_because is not None or self._lineage.suspect.is_set():
            await asyncio.sleep(RETRY_S)
            return
        try:
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._lineage.suspect.wait()
        except TimeoutError:
            pass


def _highest(some: Mapping[str, Tail], others: Mapping[str, Tail]) -> dict[str, Tail]:
    both = dict(some)
    for workspace, seen in others.items():
        both[workspace] = max(seen, both.get(workspace, seen))
    return both
