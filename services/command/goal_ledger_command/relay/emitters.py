"""Topics for emitters: made as soon as the fact that registers the system has passed, and again if they are gone.

The facts publisher notes each registered system in the table ``emitters``, in the statement that moves its mark, so
none is forgotten; here those without topics get them.
"""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_ledger import tables_transport as tables
from goal_ledger_ledger.store import transaction
from goal_ledger_messaging.security import Kafka, options_of
from goal_ledger_messaging.topics import Emitter, emitter_topics, try_topics
from goal_ledger_observability.logs import logger
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

LOOK_EVERY_S = 2.0
LOOK_AGAIN_EVERY_S = 60.0
"""Nobody tells when a topic is deleted: so often Kafka is asked which there are."""
TOPICS_PER_REQUEST = 100

log = logger("relay.emitters")


class EmitterTopics:
    """Which emitters have their topics, as far as this process knows."""

    def __init__(
        self,
        engine: AsyncEngine,
        kafka: Kafka,
        registered: asyncio.Event,
    ) -> None:
        self._engine, self._kafka, self._registered = engine, kafka, registered
        self._there: set[Emitter] = set()
        self._making = asyncio.Lock()

    async def run(self) -> None:
        """Looks for systems without topics until an error, which it raises."""
        loop = asyncio.get_running_loop()
        look_again_at = 0.0
        while True:
            if loop.time() >= look_again_at:
                self.forget()
                look_again_at = loop.time() + LOOK_AGAIN_EVERY_S
            self._registered.clear()
            await self.ensure(await self._registered_systems())
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._registered.wait()
            except TimeoutError:
                pass

    async def ensure(self, emitters: set[Emitter]) -> dict[str, str]:
        """The topics of these exist when it returns, but for those that Kafka refuses: the reason of each, by its name.
        Raises KafkaError."""
        refused: dict[str, str] = {}
        async with self._making:
            missing = emitters - self._there
            if not missing:
                return {}
            admin = AIOKafkaAdminClient(**options_of(self._kafka))
            await admin.start()
            try:
                existing = set(await admin.list_topics())
                wanted = [
                    spec for one in missing for spec in emitter_topics(one) if spec.name not in existing
                ]
                for start in range(0, len(wanted), TOPICS_PER_REQUEST):
                    some = wanted[start : start + TOPICS_PER_REQUEST]
                    made, not_made = await try_topics(admin, some)
                    refused |= not_made
                    log.info("topics made", topics=sorted(made))
                    for name, reason in not_made.items():
                        log.error("a topic cannot be made", topic=name, reason=reason)
            finally:
                await admin.close()
            self._there |= {one for one in missing if refused.keys().isdisjoint(_names(one))}
        return refused

    def forget(self) -> None:
        """Something says that topics are gone: look anew."""
        self._there.clear()

    async def _registered_systems(self) -> set[Emitter]:
        async with transaction(self._engine) as store:
            rows = await store.execute(select(tables.emitters.c.workspace, tables.emitters.c.system))
            return {Emitter(*row) for row in rows}


def _names(emitter: Emitter) -> set[str]:
    return {spec.name for spec in emitter_topics(emitter)}
