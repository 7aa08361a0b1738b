"""The relay's part: every signed head is handed to every witness, and their cosignatures are kept and shown.

It looks at the signed heads that are kept and never stands before them: a witness that is slow, away or turns a log down
costs its own cosignatures and nothing else. Each witness has a task of its own; one that is away is asked again after a
growing pause (:data:`LONGEST_PAUSE_S` at most), a log that it turns down after :data:`TURNED_DOWN_S`. A log that grew
meanwhile is handed over at its newest head: heads between are covered by it.

A witness that has seen more facts than the store has committed, or another log at a size that the store has, stops writing
in that epoch: noted in ``witnessed``, read by every writer's gate, until ``operator new-epoch`` or ``store recover``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
from goal_ledger_contracts.witness_policy import LogWitness, WitnessPolicy
from goal_ledger_ledger.checkpoint import Checkpoint
from goal_ledger_ledger.kept_tiles import TilesNotKept
from goal_ledger_ledger.store import raw_connection
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.witnesses.asking import (
    Away,
    Cosigned,
    Inconsistent,
    SeenSize,
    Submitted,
    TurnedDown,
    WitnessAnswer,
    own_signature_alone,
    submit,
    witness_client,
)
from goal_ledger_command.witnesses.proving import ProvesGrowth
from goal_ledger_command.witnesses.showing import LogName, ShownHeads

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

LOOK_EVERY_S = 0.5
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
TURNED_DOWN_S = 60.0
AT_ONCE = 8
"""Submissions under way to one witness."""
HEADS_PER_LOOK = 500
BEHIND, FORKED = "store_behind_log", "log_forked"

_DUE = """
SELECT c.workspace, c.epoch, c.note, coalesce(w.seq, 0)
FROM checkpoints c
JOIN heads h ON h.workspace = c.workspace AND h.epoch = c.epoch
LEFT JOIN witnessed w ON w.workspace = c.workspace AND w.epoch = c.epoch AND w.witness = $1
    AND w.origin = split_part(c.note, chr(10), 1)
WHERE w.stopped IS NULL AND (w.line IS NULL OR w.seq < c.seq)
    AND (c.workspace, c.epoch) NOT IN (SELECT * FROM unnest($2::text[], $3::int[]))
ORDER BY w.told_at NULLS FIRST LIMIT $4
"""
_TOLD = """
INSERT INTO witnessed AS had (workspace, epoch, witness, origin, seq, line, stopped, told_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
ON CONFLICT (workspace, epoch, witness) DO UPDATE SET origin = EXCLUDED.origin, seq = EXCLUDED.seq, line = EXCLUDED.line,
    stopped = EXCLUDED.stopped, told_at = EXCLUDED.told_at
WHERE had.stopped IS NULL
"""
_COSIGNATURES = """
SELECT witness, line FROM witnessed
WHERE workspace = $1 AND epoch = $2 AND origin = $3 AND seq = $4 AND line IS NOT NULL
"""
_HEAD = "SELECT seq FROM heads WHERE workspace = $1 AND epoch = $2"
_STOPPED = """
SELECT count(DISTINCT w.workspace) FILTER (WHERE w.stopped = $1), count(DISTINCT w.workspace) FILTER (WHERE w.stopped = $2)
FROM witnessed w JOIN heads h ON h.workspace = w.workspace AND h.epoch = w.epoch
"""

log = logger("witnesses")


@dataclass(frozen=True, slots=True)
class _Due:
    """A head that a witness has not cosigned; ``seen``: the size that it is known to have seen."""

    log: LogName
    submitted: Submitted
    seen: int

    @property
    def head(self) -> Checkpoint:
        return self.submitted.head


class WitnessSubmitter:
    """Submits while the lease's term lasts."""

    def __init__(self, engine: AsyncEngine, policy: WitnessPolicy, metrics: RelayMetrics) -> None:
        self._engine, self._policy, self._metrics = engine, policy, metrics
        self._growth, self._shown = ProvesGrowth(engine), ShownHeads(engine)
        self._keeping = asyncio.Lock()
        self._names = {str(one.key): one.name for one in policy.witnesses}

    async def run(self) -> None:
        """Until an error, which it raises; without witnesses for ever."""
        if not self._policy.witnesses:
            await self._shown.newest()
            await asyncio.Event().wait()
        async with witness_client() as client:
            lines = [_Line(self, client, witness).run() for witness in self._policy.asked]
            tasks = [asyncio.create_task(one) for one in (*lines, self._show())]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self) -> None:
        while True:
            overdue = await self._shown.overdue()
            if overdue and self._policy.quorum is not None:
                self._metrics.without_quorum.inc(len(overdue))
                log.warning("heads are shown without the quorum's cosignatures", logs=len(overdue))
            async with raw_connection(self._engine) as raw:
                behind, forked = await raw.fetchrow(_STOPPED, BEHIND, FORKED)  # type: ignore[misc]
            self._metrics.witnessed_more.set(behind)
            self._metrics.forked.set(forked)
            await asyncio.sleep(LOOK_EVERY_S)

    async def due(self, witness: LogWitness, except_for: Collection[LogName]) -> list[_Due]:
        """Heads to hand to it; ``except_for``: logs that wait."""
        workspaces, epochs = [one.workspace for one in except_for], [one.epoch for one in except_for]
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_DUE, str(witness.key), workspaces, epochs, HEADS_PER_LOOK)
        return [_Due(LogName(*row[:2]), own_signature_alone(row[2]), row[3]) for row in rows]

    async def asked(self, client: httpx2.AsyncClient, witness: LogWitness, due: _Due) -> WitnessAnswer:
        """What it says to one head, kept. Raises Unreachable and asyncpg's errors."""

        async def proves(old: int) -> list[bytes]:
            return await self._growth.from_size(due.log.workspace, old, due.head)

        try:
            answer = await submit(client, witness, due.submitted, due.seen, proves)
        except TilesNotKept:
            return TurnedDown("tiles_not_kept_yet")
        self._metrics.witness_answers.labels(witness.name, _outcome(answer)).inc()
        await self._keep(witness, due, answer)
        return answer

    async def _keep(self, witness: LogWitness, due: _Due, answer: WitnessAnswer) -> None:
        async with self._keeping, raw_connection(self._engine) as raw, raw.transaction():
            match answer:
                case Cosigned(line):
                    await self._tell(raw, witness, due, due.head.size, line)
                    await self._cosign(raw, due)
                case SeenSize(size):
                    committed = await raw.fetchval(_HEAD, *due.log)
                    behind = committed is not None and committed < size
                    await self._tell(raw, witness, due, size, None, BEHIND if behind else None)
                case Inconsistent(sentence):
                    await self._tell(raw, witness, due, due.seen, None, FORKED, sentence)

    @staticmethod
    async def _tell(
        raw: Raw,
        witness: LogWitness,
        due: _Due,
        seq: int,
        line: str | None,
        stopped: str | None = None,
        sentence: str = "",
    ) -> None:
        if stopped is not None:
            log.error(
                f"{stopped}: writing stops",
                workspace=due.log.workspace,
                epoch=due.log.epoch,
                witness=witness.name,
                seen=seq,
                why=sentence or f"it has seen {seq} facts",
            )
        key, origin = str(witness.key), due.head.origin
        await raw.execute(_TOLD, *due.log, key, origin, seq, line, stopped)

    async def _cosign(self, raw: Raw, due: _Due) -> None:
        """The note with the cosignatures that there are now; shown, if they are enough."""
        head = due.head
        rows = await raw.fetch(_COSIGNATURES, *due.log, head.origin, head.size)
        lines = {self._names[key]: line for key, line in rows if key in self._names}
        note = due.submitted.note + "".join(f"{lines[name]}\n" for name in sorted(lines))
        good = self._policy.is_satisfied(lines)
        await self._shown.cosign(raw, due.log, head, due.submitted.note, note, good=good)


class _Line:
    """What waits for one witness."""

    def __init__(self, submitter: WitnessSubmitter, client: httpx2.AsyncClient, witness: LogWitness) -> None:
        self._submitter, self._client, self._witness = submitter, client, witness
        self._pause_s = 0.0
        self._again_at: dict[LogName, float] = {}
        """By log, when one that was turned down is handed over again."""
        self._said: set[str | LogName] = set()

    async def run(self) -> None:
        while True:
            now = asyncio.get_running_loop().time()
            self._again_at = {name: at for name, at in self._again_at.items() if at > now}
            due = await self._submitter.due(self._witness, self._again_at)
            await self._all(due)
            await asyncio.sleep(max(LOOK_EVERY_S, self._pause_s))

    async def _all(self, due: list[_Due]) -> None:
        """Some at a time; none any more once it is away."""
        for at in range(0, len(due), AT_ONCE):
            asked = [self._one(one) for one in due[at : at + AT_ONCE]]
            if any([isinstance(answer, Away) for answer in await asyncio.gather(*asked)]):
                self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2 or FIRST_PAUSE_S)
                return
            self._pause_s = 0.0

    async def _one(self, due: _Due) -> WitnessAnswer:
        answer = await self._submitter.asked(self._client, self._witness, due)
        if isinstance(answer, TurnedDown):
            self._again_at[due.log] = asyncio.get_running_loop().time() + TURNED_DOWN_S
        self._say(due, answer)
        return answer

    def _say(self, due: _Due, answer: WitnessAnswer) -> None:
        """Once for each log, or for the witness, until it cosigns again."""
        name = self._witness.name
        if isinstance(answer, Cosigned):
            self._said -= {name, due.log}
            return
        said = name if isinstance(answer, Away) else due.log
        if isinstance(answer, Away | TurnedDown) and said not in self._said:
            self._said.add(said)
            log.warning("not cosigned", witness=name, log=due.head.origin, why=_why(answer))


def _why(answer: WitnessAnswer) -> str:
    return answer.sentence if isinstance(answer, Away) else _outcome(answer)


def _outcome(answer: WitnessAnswer) -> str:
    match answer:
        case Cosigned():
            return "cosigned"
        case SeenSize():
            return "seen_more"
        case Inconsistent():
            return "inconsistent"
        case TurnedDown(code):
            return code
        case Away():
            return "away"
