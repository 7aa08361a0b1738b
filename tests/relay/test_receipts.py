"""Emitters learn what became of each reading, at least once and each with its key; their topics are there in time."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from goal_ledger_command.relay import emitters, receipts, sending, unsent
from goal_ledger_command.relay.answers import ROOM_FOR_OURS_BYTES, pack_record, record_bytes, unpack_record
from goal_ledger_command.relay.emitters import EmitterTopics
from goal_ledger_command.relay.unsent import UnsentAnswers
from goal_ledger_contracts.decision import Identity
from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging.topic_ids import TopicIds
from goal_ledger_messaging.topics import MAX_REJECTED_BYTES, Emitter, TopicSpec, make_topics

from .conftest import AT, Bench, Written, until


def registered(system: str) -> dict[str, Any]:
    return {"type": "SystemRegistered", "data": {"system": system, "name": "Shop"}}


def reading(system: str, id: str, offset: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "ReadingRecorded",
        "actor": f"system/{system}",
        "data": {
            "source": "/shop",
            "id": id,
            "time": "2026-05-01T00:00:00.000000Z",
            "value": "1",
            "mode": "absolute",
        },
        "origin": {"via": "kafka", "topic": "inbox", "generation": "g", "partition": 0, "offset": offset},
        **more,
    }


async def received(bench: Bench, topic: str, count: int) -> list[dict[str, Any]]:
    """The first ``count`` or more receipts."""
    found: list[Any] = []

    async def are_there() -> bool:
        found[:] = await bench.records(topic)
        return len(found) >= count

    await until(are_there)
    return [{**json.loads(one.value), "key": dict(one.headers)["key"].decode()} for one in found]


async def outcome(bench: Bench, one: Written, system: str, offset: int, **values: Any) -> None:
    row = {
        "topic": Emitter(one.workspace, system).readings,
        "generation": "g",
        "partition": 0,
        "offset": offset,
        "workspace": one.workspace,
        "system": system,
        "recorded_at": AT,
        **values,
    }
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(f"${n + 1}" for n in range(len(row)))
    async with raw_connection(bench.engine) as raw:
        await raw.execute(f"INSERT INTO outcomes ({names}) VALUES ({places})", *row.values())


async def test_topics_are_made_when_a_system_is_registered(bench: Bench, a_system: str):
    one = bench.store.workspace()
    emitter = Emitter(one.workspace, a_system)
    ids = TopicIds(bench.bootstrap)
    await ids.start()
    names = [emitter.readings, emitter.receipts, emitter.rejected]

    async def are_made() -> bool:
        return len(await ids.of(names)) == 3

    try:
        async with bench.relaying():
            await bench.store.append(one, registered(a_system))
            await until(are_made)
    finally:
        await ids.close()


async def test_an_emitters_topic_that_was_deleted_is_made_again(
    bench: Bench, a_system: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(emitters, "LOOK_EVERY_S", 0.1)
    monkeypatch.setattr(emitters, "LOOK_AGAIN_EVERY_S", 0.2)
    one = bench.store.workspace()
    inbox = Emitter(one.workspace, a_system).readings
    ids = TopicIds(bench.bootstrap)
    await ids.start()
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()

    async def present() -> str | None:
        return (await ids.of([inbox])).get(inbox)

    async def is_there() -> bool:
        return await present() is not None

    try:
        async with bench.relaying():
            await bench.store.append(one, registered(a_system))
            await until(is_there)
            first = await present()
            await admin.delete_topics([inbox])

            async def is_another() -> bool:
                return await present() not in (None, first)

            await until(is_another)
    finally:
        await admin.close()
        await ids.close()


async def test_recorded_and_quarantined_readings_have_receipts_made_from_their_facts(
    bench: Bench, a_system: str
):
    one = bench.store.workspace()
    held = reading(a_system, "r-2", 8, type="ReadingQuarantined")
    held["data"] = {**held["data"], "why": "future"}
    over_http = reading(a_system, "r-3", 0, origin={"via": "http"})
    await bench.store.append(one, registered(a_system), reading(a_system, "r-1", 7), held, {}, over_http)
    async with bench.relaying():
        receipts = await received(bench, Emitter(one.workspace, a_system).receipts, 3)
    assert [(each["id"], each["outcome"], each["position"]) for each in receipts] == [
        ("r-1", "applied", "1-2"),
        ("r-2", "quarantined", "1-3"),
        ("r-3", "applied", "1-5"),
    ]
    assert [each["key"] for each in receipts[:2]] == ["inbox/g/0/7", "inbox/g/0/8"]
    assert receipts[2]["key"] == receipts[2]["event_id"]
    assert receipts[1]["reason"] == "future"


async def test_receipts_are_not_sent_again_by_the_next_relay(bench: Bench, a_system: str):
    one = bench.store.workspace()
    topic = Emitter(one.workspace, a_system).receipts
    await bench.store.append(one, registered(a_system), *(reading(a_system, f"r-{n}", n) for n in range(20)))
    async with bench.relaying():
        await received(bench, topic, 20)

        async def is_marked() -> bool:
            async with raw_connection(bench.engine) as raw:
                mark: int | None = await raw.fetchval(
                    "SELECT seq FROM receipt_marks WHERE workspace = $1", one.workspace
                )
            return mark == 21

        await until(is_marked)
    await bench.store.append(one, reading(a_system, "r-20", 20))
    async with bench.relaying():
        receipts = await received(bench, topic, 21)
    assert [each["id"] for each in receipts] == [f"r-{n}" for n in range(21)]


async def test_a_new_epoch_sends_receipts_of_what_came_after_the_fork_alone(bench: Bench, a_system: str):
    one = bench.store.workspace()
    topic = Emitter(one.workspace, a_system).receipts
    await bench.store.append(one, registered(a_system), *(reading(a_system, f"r-{n}", n) for n in range(5)))
    async with bench.relaying():
        await received(bench, topic, 5)
    one.epoch = 2
    async with raw_connection(bench.engine) as raw:
        await raw.execute("INSERT INTO epochs VALUES ($1, 2, 5, now())", one.workspace)
    await bench.store.append(one, reading(a_system, "r-5", 5))
    async with bench.relaying():
        receipts = await received(bench, topic, 7)
    assert [(each["id"], each["position"]) for each in receipts[5:]] == [("r-4", "2-6"), ("r-5", "2-7")]


async def test_outcomes_are_published_with_their_key_and_reason(bench: Bench, a_system: str):
    one = bench.store.workspace()
    await bench.store.append(one, registered(a_system))
    named = {"source": "/shop", "id": "r-1", "identity": Identity("reading", ("/shop", "r-1")).digest}
    await outcome(bench, one, a_system, 3, outcome="duplicate", event_id="e-1", position="1-9", **named)
    await outcome(
        bench, one, a_system, 4, outcome="refused", code="unknown_feed", reason="No such feed.", **named
    )
    async with bench.relaying():
        receipts = await received(bench, Emitter(one.workspace, a_system).receipts, 2)
    inbox = Emitter(one.workspace, a_system).readings
    assert [(each["outcome"], each["key"]) for each in receipts] == [
        ("duplicate", f"{inbox}/g/0/3"),
        ("refused", f"{inbox}/g/0/4"),
    ]
    assert receipts[0]["event_id"] == "e-1"
    assert (receipts[1]["reason"], receipts[1]["detail"]) == ("unknown_feed", "No such feed.")


@pytest.mark.parametrize("value", [b"\xff not json", None, b"x" * 2_000_000])
async def test_an_unreadable_message_goes_whole_to_the_rejected_topic(
    bench: Bench, a_system: str, value: bytes | None
):
    one = bench.store.workspace()
    await bench.store.append(one, registered(a_system))
    packed = pack_record(b"k", value, [("h", b"\xfe"), ("nil", None)])
    await outcome(
        bench, one, a_system, 5, outcome="unreadable", code="bad_json", reason="Not JSON.", record=packed
    )
    emitter = Emitter(one.workspace, a_system)
    found: list[Any] = []

    async def is_there() -> bool:
        found[:] = await bench.records(emitter.rejected)
        return bool(found)

    async with bench.relaying():
        await until(is_there)
    [record] = found
    headers = dict(record.headers)
    assert record.key == b"k"
    assert record.value == (value or b"")
    assert headers["h"] == b"\xfe"
    assert headers["key"] == f"{emitter.readings}/g/0/5".encode()
    assert (headers["origin_topic"], headers["origin_offset"]) == (emitter.readings.encode(), b"5")
    assert headers["detail"] == b"Not JSON."
    assert await bench.records(emitter.receipts) == []


async def limit_topic(bench: Bench, topic: str, max_bytes: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()
    limit = {"max.message.bytes": str(max_bytes)}
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, limit)])
    finally:
        await admin.close()


async def test_an_answer_that_kafka_refuses_stops_only_itself_is_told_of_and_sent_when_it_can_be(
    bench: Bench, a_system: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(unsent, "TRY_AGAIN_AFTER", timedelta(seconds=0.2))
    monkeypatch.setattr(receipts, "LOOK_AT_UNSENT_EVERY_S", 0.1)
    monkeypatch.setattr(sending, "HELD_S", 0.3)
    one = bench.store.workspace()
    here, there = Emitter(one.workspace, a_system), Emitter(one.workspace, f"{a_system}-till")
    await bench.store.append(one, registered(here.system), registered(there.system))
    await EmitterTopics(bench.engine, bench.bootstrap, asyncio.Event()).ensure({here, there})
    await limit_topic(bench, here.receipts, 900)
    long_ids = {n: "".join(sha256(f"{n}-{k}".encode()).hexdigest() for k in range(30)) for n in (2, 4)}
    await bench.store.append(
        one,
        *(reading(here.system, long_ids.get(n, f"r-{n}"), n) for n in range(6)),
        *(reading(there.system, f"r-{n}", n) for n in range(6)),
    )
    kept = UnsentAnswers(bench.engine)
    async with bench.relaying():
        assert len(await received(bench, there.receipts, 6)) == 6
        small = await received(bench, here.receipts, 4)
        assert {each["id"] for each in small} == {"r-0", "r-1", "r-3", "r-5"}

        async def two_are_kept() -> bool:
            return (await kept.standing())[0] == 2

        await until(two_are_kept)
        assert "MessageSizeTooLargeError" in (await kept.standing())[1]
        await limit_topic(bench, here.receipts, 1_000_000)

        async def none_is_kept() -> bool:
            return (await kept.standing())[0] == 0

        await until(none_is_kept)
        everything = {each["id"] for each in await received(bench, here.receipts, 6)}
    assert everything == {"r-0", "r-1", "r-3", "r-5", *long_ids.values()}


async def test_an_emitter_whose_topic_cannot_be_made_stops_nobody_else(
    bench: Bench, a_system: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(emitters, "LOOK_EVERY_S", 0.1)
    one = bench.store.workspace()
    here, there = Emitter(one.workspace, a_system), Emitter(one.workspace, f"{a_system}-till")
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()
    await make_topics(admin, [TopicSpec(here.receipts.replace(".", "_"), 1)])  # Kafka takes the two for one
    await admin.close()
    kept = UnsentAnswers(bench.engine)
    await bench.store.append(one, registered(here.system), registered(there.system))
    await bench.store.append(one, reading(here.system, "r-1", 1), reading(there.system, "r-2", 2))
    async with bench.relaying():
        assert len(await received(bench, there.receipts, 1)) == 1

        async def one_is_kept() -> bool:
            return (await kept.standing())[0] == 1

        await until(one_is_kept)
    assert "InvalidTopicError" in (await kept.standing())[1]


def test_every_part_of_a_rejected_message_is_bounded_and_says_what_was_cut():
    headers = [(f"h{n}", b"v" * 50_000) for n in range(8)] + [("n" * 500_000, b""), ("last", b"v")]
    key, value, kept = unpack_record(pack_record(b"k" * 9_000_000, b"v" * 7_000_000, headers))
    named = dict(kept)
    assert (len(key or b""), len(value or b"")) == (64 * 1024, 6 * 1024 * 1024)
    assert named["cut_key"] == f"9000000 bytes, sha256 {sha256(b'k' * 9_000_000).hexdigest()}".encode()
    assert named["cut_value"].startswith(b"7000000 bytes, sha256 ")
    assert (named["cut_headers"], named["last"]) == (b"4", b"v")
    assert record_bytes(key, value, kept) < MAX_REJECTED_BYTES - ROOM_FOR_OURS_BYTES
    whole = (b"k", b"v", [("h", b"\xff")])
    assert unpack_record(pack_record(*whole)) == whole
