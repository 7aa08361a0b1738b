"""The AsyncAPI document is written from the declared topics and the types of their messages, and says what is so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from faststream.kafka import TestKafkaBroker
from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.envelope import from_bytes
from goal_ledger_messaging import asyncapi, messages, topics
from goal_ledger_messaging.reading_event import from_json, from_record
from goal_ledger_messaging.records import fact_headers

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads(asyncapi.document())
READING = {
    "specversion": "1.0",
    "type": "goal-ledger.reading.v1",
    "source": "/shop",
    "id": "r-1",
    "subject": "webshop.visitors",
    "time": "2026-05-01T12:00:00Z",
    "data": {"value": "250", "sequence": 7},
}


def test_the_committed_document_is_the_one_that_is_written() -> None:
    assert (ROOT / "docs" / "asyncapi.json").read_bytes() == asyncapi.document()


def test_every_topic_is_in_it_with_its_direction() -> None:
    named = {channel["address"] for channel in DOCUMENT["channels"].values()}
    emitter = topics.Emitter("{workspace}", "{system}")
    own = {topics.FACTS, topics.HEADS, topics.CHANGED}
    assert named == own | {emitter.readings, emitter.receipts, emitter.rejected}
    actions = {name: one["action"] for name, one in DOCUMENT["operations"].items()}
    assert actions == {
        **dict.fromkeys(("receipts", "rejected", "facts", "heads", "changed"), "send"),
        "readings": "receive",
    }


def golden() -> list[Path]:
    return sorted((ROOT / "tests" / "contracts" / "golden").rglob("*.json"))


@pytest.mark.parametrize("path", golden(), ids=lambda path: path.stem)
def test_every_fact_that_was_ever_stored_is_as_described(path: Path) -> None:
    stored = path.read_bytes().strip()
    messages.Fact.model_validate_json(stored)
    fact = from_bytes(stored)
    headers = fact_headers(
        workspace=fact.workspace,
        epoch=1,
        seq=fact.seq,
        type=fact.type,
        event_id=fact.event_id,
        stream=fact.stream,
        recorded_at=fact.recorded_at,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    described = messages.FactHeaders.model_validate({name: raw.decode() for name, raw in headers})
    assert described.ce_time == instant_text(fact.recorded_at)


def test_a_reading_as_it_is_described_is_one_that_is_read_and_the_other_way_round() -> None:
    described = messages.Reading.model_validate(READING)
    assert from_json(described.model_dump(exclude_none=True)) == from_json(READING)
    schema = DOCUMENT["components"]["schemas"]
    whole = {**schema["Reading"], "components": {"schemas": schema}} if "Reading" in schema else None
    assert whole is not None
    jsonschema.validate(READING, whole, jsonschema.Draft202012Validator)


async def test_readings_pass_through_the_declared_subscriber_in_memory() -> None:
    broker = asyncapi.declared()
    (subscriber,) = broker.subscribers
    async with TestKafkaBroker(broker) as memory:
        await memory.publish_batch(
            messages.Reading.model_validate(READING), topic="progress.readings.acme.shop"
        )
        (call,) = subscriber.calls
        call.handler.mock.assert_called_once()
        sent = call.handler.mock.call_args.args[0]
        assert from_record([], json.dumps(sent[0]).encode()) == from_json(READING)
