"""Topics are made once, with the settings they need, and told from others of the same name."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from goal_ledger_local.kafka import Kafka
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import (
    Emitter,
    PartitionsChanged,
    TopicNotMade,
    TopicSpec,
    emitter_topics,
    ensure_topics,
    facts_topic,
)


def test_an_emitters_topic_gives_workspace_and_system() -> None:
    emitter = Emitter("acme", "web-shop")
    assert emitter.readings == "progress.readings.acme.web-shop"
    assert Emitter.of_topic(emitter.rejected) == emitter
    for name in (
        "progress.readings.acme",
        "progress.readings.Acme.shop",
        "progress.other.a.b",
        "x.progress.readings.a.b",
    ):
        with pytest.raises(ValueError, match="not an emitter's topic"):
            Emitter.of_topic(name)


async def test_topics_are_made_once_and_another_count_is_refused(kafka: Kafka) -> None:
    specs = [TopicSpec("topics-a", 3), TopicSpec("topics-b", 1)]
    assert await ensure_topics(kafka.bootstrap, specs) == {"topics-a": 3, "topics-b": 1}
    assert await ensure_topics(kafka.bootstrap, specs) == {"topics-a": 3, "topics-b": 1}
    with pytest.raises(PartitionsChanged, match="topics-a has 3 partitions, recorded are 4"):
        await ensure_topics(kafka.bootstrap, [TopicSpec("topics-a", 4)])


async def test_what_kafka_refuses_is_raised_with_its_reason(kafka: Kafka) -> None:
    with pytest.raises(TopicNotMade, match="InvalidConfiguration"):
        await ensure_topics(kafka.bootstrap, [TopicSpec("topics-bad", 1, {"retention.ms": "soon"})])


async def test_kafka_takes_every_setting_that_we_name(kafka: Kafka) -> None:
    facts = facts_topic()
    specs = [
        TopicSpec("topics-facts", facts.partitions, facts.configs),
        *emitter_topics(Emitter("topics", "one")),
    ]
    counts = await ensure_topics(kafka.bootstrap, specs)
    assert counts["topics-facts"] == 24


async def test_a_topic_made_again_has_another_id(kafka: Kafka) -> None:
    ids = TopicIds(kafka.bootstrap)
    await ids.start()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await ensure_topics(kafka.bootstrap, [TopicSpec("topics-again", 1)])
        first = await ids.of(["topics-again", "topics-absent"])
        assert list(first) == ["topics-again"]
        await admin.delete_topics(["topics-again"])
        while await ids.of(["topics-again"]):
            pass
        await ensure_topics(kafka.bootstrap, [TopicSpec("topics-again", 1)])
        assert (await ids.of(["topics-again"]))["topics-again"] != first["topics-again"]
    finally:
        await admin.close()
        await ids.close()
