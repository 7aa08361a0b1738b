"""Answers that Kafka refused: kept with the reason, tried again now and then, and told of until they are sent.

An answer is noted here before any mark moves past it, so none is lost; it may come late, behind younger ones of its
topic. Its key is the same as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from goal_ledger_ledger.store import raw_connection
from goal_ledger_observability.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.relay.answers import AnswerRecord, pack_record, unpack_record
from goal_ledger_command.relay.sending import Refused

TRIED_AT_ONCE = 200
TRY_AGAIN_AFTER_S = 60.0

_NOTE = """
INSERT INTO unsent_answers (topic, key, record, reason, tried_at)
SELECT t, k, r, w, $5 FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) AS u(t, k, r, w)
ON CONFLICT (topic, key) DO UPDATE SET reason = EXCLUDED.reason, tried_at = EXCLUDED.tried_at
"""
_DUE = """
SELECT topic, record FROM unsent_answers WHERE tried_at < clock_timestamp() - make_interval(secs => $1)
ORDER BY tried_at LIMIT $2
"""
_SENT = """
DELETE FROM unsent_answers u USING unnest($1::text[], $2::text[]) AS s(t, k) WHERE u.topic = s.t AND u.key = s.k
"""
_WORST = """
SELECT count(*) OVER () AS answers, topic, reason FROM unsent_answers ORDER BY tried_at DESC LIMIT 1
"""

log = logger("relay.unsent")


class UnsentAnswers:
    """The table ``unsent_answers``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def note(self, refused: Sequence[Refused]) -> None:
        """Keep them. Loudly: somebody has to set the topic right, or to know why an emitter hears nothing."""
        if not refused:
            return
        for topic in sorted({one.record.topic for one in refused}):
            reasons = [one.reason for one in refused if one.record.topic == topic]
            log.error("answers cannot be sent: kept", topic=topic, answers=len(reasons), reason=reasons[0])
        async with raw_connection(self._engine) as raw:
            await raw.execute(
                _NOTE,
                [one.record.topic for one in refused],
                [_key(one.record) for one in refused],
                [pack_record(one.record.key, one.record.value, one.record.headers) for one in refused],
                [one.reason.replace("\x00", "") for one in refused],
                datetime.now(UTC),
            )

    async def due(self) -> list[AnswerRecord]:
        """Those to be tried again now."""
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(_DUE, TRY_AGAIN_AFTER_S, TRIED_AT_ONCE)
        return [AnswerRecord(row[0], *unpack_record(row[1])) for row in rows]

    async def sent(self, records: Sequence[AnswerRecord]) -> None:
        """They are sent after all."""
        if records:
            async with raw_connection(self._engine) as raw:
                await raw.execute(_SENT, [one.topic for one in records], [_key(one) for one in records])

    async def standing(self) -> tuple[int, str]:
        """How many there are, and of the latest its topic and reason in a few words."""
        async with raw_connection(self._engine) as raw:
            row = await raw.fetchrow(_WORST)
        return (0, "") if row is None else (row["answers"], f"{row['topic']}: {row['reason']}"[:200])


def _key(record: AnswerRecord) -> str:
    return dict(record.headers)["key"].decode()
