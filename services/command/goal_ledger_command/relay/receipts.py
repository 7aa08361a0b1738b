"""Receipts: of readings recorded or quarantined from the facts themselves, of all else from the table of outcomes.

Receipts of facts have a mark of their own (workspace, epoch, seq) and follow the facts publisher: a receipt says that
the reading is recorded and published. A new epoch takes the mark over up to its fork. Outcomes (duplicates, refusals,
what could not be read) lie in the table until they are published. Both marks move when every answer is acknowledged, or
noted among those that Kafka refuses (``unsent.py``): at least once, each with its key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topics import Emitter
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.relay.answers import (
    AnswerRecord,
    receipt_of_fact,
    receipt_of_outcome,
    rejected,
)
from goal_ledger_command.relay.emitters import EmitterTopics
from goal_ledger_command.relay.lease import NAME, LeaseLost
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.pauses import Pause
from goal_ledger_command.relay.sending import AnswerSender, Refused
from goal_ledger_command.relay.unsent import UnsentAnswers

WORKSPACES_PER_ROUND = 50
SEQS_PER_ROUND = 4_000
OUTCOMES_PER_ROUND = 1_000
OUTCOME_BYTES_PER_ROUND = 16 * 1024 * 1024
LOOK_AT_UNSENT_EVERY_S = 5.0

_BEHIND = """
SELECT h.workspace, h.epoch, mark.seq AS after, least(p.seq, mark.seq + $2) AS upto
FROM heads h
JOIN published p ON p.workspace = h.workspace AND p.epoch = h.epoch
LEFT JOIN receipt_marks r ON r.workspace = h.workspace AND r.epoch = h.epoch
CROSS JOIN LATERAL (
    SELECT coalesce(r.seq, (
        SELECT least(max(older.seq), max(e.fork_seq)) FROM receipt_marks older, epochs e
        WHERE older.workspace = h.workspace AND older.epoch < h.epoch
        AND e.workspace = h.workspace AND e.epoch = h.epoch
    ), 0) AS seq
) mark
WHERE mark.seq < p.seq
LIMIT $1
"""
_READINGS = f"""
WITH behind AS ({_BEHIND})
SELECT b.workspace, b.epoch, b.upto, f.seq, f.bytes
FROM behind b LEFT JOIN LATERAL (
    SELECT seq, bytes FROM facts
    WHERE workspace = b.workspace AND seq > b.after AND seq <= b.upto
    AND type IN ('ReadingRecorded', 'ReadingQuarantined') ORDER BY seq
) f ON true
"""
_ADVANCE = """
WITH held AS (SELECT 1 FROM leases WHERE name = $1 AND term = $2 FOR SHARE),
moved AS (
    INSERT INTO receipt_marks (workspace, epoch, seq)
    SELECT w, e, s FROM unnest($3::text[], $4::int[], $5::bigint[]) AS u(w, e, s), held
    ON CONFLICT (workspace, epoch) DO UPDATE SET seq = EXCLUDED.seq
)
SELECT count(*) FROM held
"""
_OUTCOMES = """
SELECT * FROM (
    SELECT page.*, sum(coalesce(octet_length(record), 0)) OVER (ORDER BY recorded_at, topic, partition, "offset") AS total
    FROM (SELECT * FROM outcomes WHERE NOT published ORDER BY recorded_at LIMIT $1) page
) sized
WHERE total - coalesce(octet_length(record), 0) <= $2
ORDER BY recorded_at, topic, partition, "offset"
"""
_OUTCOMES_PUBLISHED = """
UPDATE outcomes o SET published = true, record = NULL
FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[]) AS done(topic, generation, partition, "offset")
WHERE o.topic = done.topic AND o.generation = done.generation
AND o.partition = done.partition AND o."offset" = done."offset"
"""


class ReceiptsPublisher:
    """Publishes while the lease's term lasts; :meth:`live` is one life of it."""

    def __init__(
        self, engine: AsyncEngine, kafka: Kafka, term: int, topics: EmitterTopics, metrics: RelayMetrics
    ) -> None:
        self._engine, self._kafka, self._term = engine, kafka, term
        self._topics, self._metrics = topics, metrics
        self._unsent = UnsentAnswers(engine)
        self._sender = AnswerSender(kafka)

    async def run(self) -> None:
        """Publish until an error, which it raises."""
        self._topics.forget()
        pause = Pause(shortest_s=0.02, longest_s=0.2)
        loop = asyncio.get_running_loop()
        look_at_unsent = 0.0
        try:
            while True:
                asked_at = loop.time()
                did = await self.publish_facts() + await self.publish_outcomes()
                if asked_at >= look_at_unsent:
                    await self.publish_unsent()
                    look_at_unsent = asked_at + LOOK_AT_UNSENT_EVERY_S
                if did:
                    pause.reset()
                else:
                    await pause.idle(at_least_s=loop.time() - asked_at)
        finally:
            await self._sender.close()

    async def publish_facts(self) -> int:
        """One round of receipts from facts; how many workspaces had something behind their mark."""
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_READINGS, WORKSPACES_PER_ROUND, SEQS_PER_ROUND)
        upto = {(row[0], row[1]): row[2] for row in rows}
        made = [receipt_of_fact(row[0], row[1], row[3], row[4]) for row in rows if row[3] is not None]
        await self._publish([one for one in made if one is not None])
        if upto:
            await self._advance(upto)
        return len(upto)

    async def publish_outcomes(self) -> int:
        """One round of outcomes; how many."""
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_OUTCOMES, OUTCOMES_PER_ROUND, OUTCOME_BYTES_PER_ROUND)
        if not rows:
            return 0
        made = [record for row in rows for record in (receipt_of_outcome(row), rejected(row))]
        await self._publish([one for one in made if one is not None])
        keys = [[row[name] for row in rows] for name in ("topic", "generation", "partition", "offset")]
        async with raw_connection(self._engine) as raw:
            await raw.execute(_OUTCOMES_PUBLISHED, *keys)
        return len(rows)

    async def publish_unsent(self) -> None:
        """Try those again that Kafka refused."""
        records = await self._unsent.due()
        refused = {id(one) for one in await self._publish(records)}
        await self._unsent.sent([one for one in records if id(one) not in refused])
        self._metrics.unsent.set((await self._unsent.standing())[0])

    async def _publish(self, records: Sequence[AnswerRecord]) -> list[AnswerRecord]:
        """Returns when each is acknowledged, or noted as refused; those refused."""
        if not records:
            return []
        not_made = await self._topics.ensure({Emitter.of_topic(one.topic) for one in records})
        refused = [Refused(one, not_made[one.topic]) for one in records if one.topic in not_made]
        refused += await self._sender.send([one for one in records if one.topic not in not_made])
        await self._unsent.note(refused)
        self._metrics.receipts.inc(len(records) - len(refused))
        return [one.record for one in refused]

    async def _advance(self, upto: dict[tuple[str, int], int]) -> None:
        async with raw_connection(self._engine) as raw:
            held = await raw.fetchval(
                _ADVANCE,
                NAME,
                self._term,
                [workspace for workspace, _ in upto],
                [epoch for _, epoch in upto],
                list(upto.values()),
            )
        if not held:
            raise LeaseLost(f"term {self._term} has ended: marks are not moved")
