"""Answers that Kafka refused: kept with the reason, tried again now and then, and told of until they are sent.

An answer is noted here before any mark moves past it, so none is lost; it may come late, behind younger ones of its
topic. Its key is the same as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from goal_ledger_ledger.store import transaction
from goal_ledger_ledger.tables_transport import unsent_answers
from goal_ledger_observability.logs import logger
from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.relay.answers import AnswerRecord, pack_record, unpack_record
from goal_ledger_command.relay.sending import Refused

TRIED_AT_ONCE = 200
TRY_AGAIN_AFTER = timedelta(seconds=60)

_ROW = unsent_answers.c

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
        rows = [
            {
                "topic": one.record.topic,
                "key": _key(one.record),
                "record": pack_record(one.record.key, one.record.value, one.record.headers),
                "reason": one.reason.replace("\x00", ""),
            }
            for one in refused
        ]
        noted = insert(unsent_answers).values(tried_at=func.clock_timestamp())
        again = {"reason": noted.excluded.reason, "tried_at": noted.excluded.tried_at}
        kept = noted.on_conflict_do_update(index_elements=[_ROW.topic, _ROW.key], set_=again)
        async with transaction(self._engine) as store:
            await store.execute(kept, rows)

    async def due(self) -> list[AnswerRecord]:
        """Those to be tried again now."""
        long_ago = _ROW.tried_at < func.clock_timestamp() - TRY_AGAIN_AFTER
        due = select(_ROW.topic, _ROW.record).where(long_ago).order_by(_ROW.tried_at).limit(TRIED_AT_ONCE)
        async with transaction(self._engine) as store:
            return [AnswerRecord(topic, *unpack_record(record)) for topic, record in await store.execute(due)]

    async def sent(self, records: Sequence[AnswerRecord]) -> None:
        """They are sent after all."""
        if not records:
            return
        these = tuple_(_ROW.topic, _ROW.key).in_([(one.topic, _key(one)) for one in records])
        async with transaction(self._engine) as store:
            await store.execute(delete(unsent_answers).where(these))

    async def standing(self) -> tuple[int, str]:
        """How many there are, and of the latest its topic and reason in a few words."""
        latest = select(func.count().over(), _ROW.topic, _ROW.reason).order_by(_ROW.tried_at.desc()).limit(1)
        async with transaction(self._engine) as store:
            row = (await store.execute(latest)).first()
        return (0, "") if row is None else (row[0], f"{row[1]}: {row[2]}"[:200])


def _key(record: AnswerRecord) -> str:
    return dict(record.headers)["key"].decode()
