"""Every record of an inbox becomes a fact or an outcome, once, in order; none stops those behind it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from goal_ledger_command.intake import kept_refusal
from goal_ledger_command.relay.answers import unpack_record
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.feed import ReadingQuarantined
from goal_ledger_domain.authorise import authorise_reading
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide, lookups
from goal_ledger_domain.feed import RedefineFeed, RegisterFeed
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import RegisterSystem, RetireSystem
from goal_ledger_domain.world import World
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import CommandAnswer, Submission
from goal_ledger_messaging.topics import emitter_topics, ensure_topics

from .conftest import OPERATOR, Bench, Shop, event, headers_of


async def test_structured_and_binary_readings_become_facts_that_name_their_origin(bench: Bench, shop: Shop):
    await shop.send(event("r-1", "3"), event("r-2", "0.5", subject="webshop.stock"))
    await shop.send(b'{"value": 7}', headers=headers_of("r-3"))
    async with bench.intaking():
        await shop.taken(3)
    first, second, third = await shop.readings()
    assert [one.data.value for one in (first, second, third)] == [Decimal(3), Decimal("0.5"), Decimal(7)]
    assert (first.actor, first.stream, second.stream) == (
        "system/shop",
        "feed/webshop.visitors",
        "feed/webshop.stock",
    )
    assert first.origin is not None
    assert (first.origin.via, first.origin.topic, first.origin.offset) == ("kafka", shop.emitter.readings, 0)
    assert await shop.outcomes() == []


async def test_a_topic_made_while_the_intake_runs_is_found(bench: Bench):
    async with bench.intaking():
        shop = await bench.shop()
        await shop.send(event("r-1"))
        await shop.taken(1)
    assert len(await shop.readings()) == 1


async def test_a_system_retired_between_two_readings_of_one_batch_is_heard_no_more(bench: Bench, shop: Shop):
    meta = Meta(actor="system/shop", correlation_id="test", causation_id="test")
    at = datetime(2026, 5, 1, tzinfo=UTC)
    first, second = (
        TakeReading(meta, "webshop.visitors", "/shop", id, at, Decimal(1)) for id in ("r-1", "r-2")
    )
    retired = RetireSystem(replace(OPERATOR, reason="Closed down"), "shop")

    def asked(command: Any) -> Submission:
        def decided(world: World, situation: Situation) -> Decision:
            if command is not retired:
                authorise_reading(world, command, situation)
            return decide(world, command, situation)

        return Submission(shop.workspace, decided, lookups(command))

    outcomes = await bench.ledger.submit_all([asked(first), asked(retired), asked(second)])
    assert [type(one) for one in outcomes] == [CommandAnswer, CommandAnswer, Refusal]
    assert (outcomes[2].code, len(await shop.readings())) == ("not_allowed", 1)


async def test_a_counter_of_a_redefined_feed_is_compared_within_its_own_definition(bench: Bench, shop: Shop):
    before = replace(OPERATOR, importing=True, effective_at=datetime(2026, 4, 1, tzinfo=UTC))
    await shop.do(RegisterFeed(before, "webshop.meter", "shop", "counter"))
    first = [("a", 1, "100"), ("b", 2, "160")]
    then = [("c", 4, "5"), ("d", 6, "25"), ("e", 5, "4")]
    late = [("f", 2, "161"), ("g", 1, "99")]

    def sent(many: list[tuple[str, int, str]]) -> list[bytes]:
        return [
            event(id, v, subject="webshop.meter", time=f"2026-05-0{day}T12:00:00Z") for id, day, v in many
        ]

    async with bench.intaking():
        await shop.send(*sent(first))
        await shop.taken(2)
        redefined = replace(before, reason="A new meter", effective_at=datetime(2026, 5, 3, tzinfo=UTC))
        await shop.do(RedefineFeed(redefined, "webshop.meter", "counter", description="The new meter"))
        await shop.send(*sent([*then, *late]))
        await shop.taken(7)
    kept = {one.data.id: getattr(one.data, "why", None) for one in await shop.readings()}
    assert kept == dict.fromkeys("abcdf") | dict.fromkeys("eg", "counter_backwards")


async def test_repeats_are_duplicates_and_other_content_under_the_same_identity_is_refused(
    bench: Bench, shop: Shop
):
    await shop.send(event("r-1", "3"), event("r-1", "3"), event("r-1", "4"), event("r-2"))
    async with bench.intaking():
        await shop.taken(4)
    first, second = await shop.readings()
    duplicate, refused = await shop.outcomes()
    assert [first.data.id, second.data.id] == ["r-1", "r-2"]
    assert (duplicate["offset"], duplicate["outcome"]) == (1, "duplicate")
    assert (duplicate["event_id"], duplicate["position"]) == (first.event_id, f"1-{first.seq}")
    assert (refused["offset"], refused["outcome"], refused["code"]) == (2, "refused", "id_taken")


async def test_late_and_implausible_readings_are_facts_too(bench: Bench, shop: Shop):
    await shop.send(
        event("now", time="2026-05-02T00:00:00Z"),
        event("late", time="2026-04-01T00:00:00Z"),
        event("future", time="2199-01-01T00:00:00Z"),
    )
    async with bench.intaking():
        await shop.taken(3)
    now, late, future = await shop.readings()
    assert late.effective_at < now.effective_at
    assert isinstance(future.data, ReadingQuarantined)
    assert future.data.why == "future"


async def test_what_cannot_be_read_is_kept_whole_with_its_reason_and_blocks_nothing(bench: Bench, shop: Shop):
    await shop.send(b"\xff\xfe not json", b"", None, b"[1]", event("x", type="other"), event("y", data=...))
    await shop.send(b"{}", headers=[("ce_id", b"\xff"), ("x", b"\xfe\x00")])
    await shop.send(b" " * 70_000, event("good"))
    async with bench.intaking():
        await shop.taken(9)
    [good] = await shop.readings()
    kept = await shop.outcomes()
    assert good.data.id == "good"
    assert [(one["offset"], one["outcome"], one["code"]) for one in kept] == [
        (0, "unreadable", "bad_json"),
        (1, "unreadable", "bad_json"),
        (2, "unreadable", "event_malformed"),
        (3, "unreadable", "event_malformed"),
        (4, "unreadable", "event_type_unknown"),
        (5, "unreadable", "event_malformed"),
        (6, "unreadable", "event_malformed"),
        (7, "unreadable", "event_too_large"),
    ]
    assert unpack_record(kept[0]["record"]) == (b"k", b"\xff\xfe not json", [])
    assert unpack_record(kept[2]["record"])[1] is None
    assert unpack_record(kept[6]["record"])[2] == [("ce_id", b"\xff"), ("x", b"\xfe\x00")]
    assert (kept[4]["source"], kept[4]["id"]) == ("/shop", "x")
    assert len(unpack_record(kept[7]["record"])[1] or b"") == 70_000


async def test_a_binary_event_with_a_header_twice_is_rejected_with_a_reason_and_blocks_nothing(
    bench: Bench, shop: Shop
):
    headers = headers_of("one")
    await shop.send(b'{"value": 7}', headers=[*headers, ("ce_id", b"two")])
    await shop.send(b'{"value": 7}', headers=headers)
    async with bench.intaking():
        await shop.taken(2)
    [kept] = await shop.outcomes()
    assert (kept["offset"], kept["outcome"], kept["code"]) == (0, "unreadable", "event_malformed")
    assert "ce_id" in kept["reason"]
    assert unpack_record(kept["record"])[2][-1] == ("ce_id", b"two")
    assert [one.data.id for one in await shop.readings()] == ["one"]


async def test_refusals_have_the_deciders_code_and_are_kept_for_the_look_up(bench: Bench, shop: Shop):
    await shop.send(
        event("r-1", subject="nobody.knows"),
        event("r-2", data={"value": "1", "mode": "absolute"}),
        event("r-\u0000"),
        event("r-3", "1" * 30),
    )
    async with bench.intaking():
        await shop.taken(4)
    kept = await shop.outcomes()
    assert [one["outcome"] for one in kept] == ["refused"] * 4
    assert [one["code"] for one in kept] == [
        "unknown_feed",
        "mode_mismatch",
        "reading_name_malformed",
        "value_not_decimal",
    ]
    async with raw_connection(bench.engine) as raw:
        assert (await kept_refusal(raw, shop.workspace, "/shop", "r-1"))["code"] == "unknown_feed"
        assert await kept_refusal(raw, shop.workspace, "/shop", "never-sent") is None


async def test_a_feed_of_another_system_is_refused(bench: Bench, shop: Shop):
    await shop.do(RegisterSystem(OPERATOR, "till", "The till"))
    till = Shop(bench, shop.workspace, "till")
    await ensure_topics(bench.bootstrap, list(emitter_topics(till.emitter)))
    await till.send(event("r-1"))
    async with bench.intaking():
        await till.taken(1)
    assert await shop.readings() == []
    [refused] = await shop.outcomes()
    assert (refused["system"], refused["outcome"]) == ("till", "refused")
    assert refused["code"] in ("not_allowed", "feed_of_another_system")


async def test_of_an_emitters_transactions_only_those_committed_count(bench: Bench, shop: Shop):
    producer = AIOKafkaProducer(bootstrap_servers=bench.bootstrap, transactional_id=shop.workspace)
    await producer.start()
    for number, commits in enumerate([True, False, True]):
        await producer.begin_transaction()
        await producer.send_and_wait(shop.emitter.readings, event(f"r-{number}"))
        await (producer.commit_transaction() if commits else producer.abort_transaction())
    await producer.stop()
    await shop.send(event("r-3"))
    async with bench.intaking():
        await shop.taken(7)
    assert [one.data.id for one in await shop.readings()] == ["r-0", "r-2", "r-3"]


async def test_an_inbox_whose_beginning_has_run_out_is_read_from_what_is_left_and_the_loss_is_told(
    bench: Bench, shop: Shop, capsys: pytest.CaptureFixture[str]
):
    await shop.send(*(event(f"r-{n}") for n in range(5)))
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(shop.emitter.readings, 0): RecordsToDelete(before_offset=2)})
    await admin.close()
    async with bench.intaking():
        await shop.taken(5)
    assert [one.data.id for one in await shop.readings()] == ["r-2", "r-3", "r-4"]
    assert "lost records before they were taken" in capsys.readouterr().out


async def test_records_read_again_after_a_crash_are_known_as_themselves(bench: Bench, shop: Shop):
    await shop.send(event("r-1"), event("r-2"), event("r-1"), b"poison")
    async with bench.intaking():
        await shop.taken(4)
    facts, outcomes = await shop.readings(), await shop.outcomes()
    async with raw_connection(bench.engine) as raw:  # the crash came before the position was moved
        await raw.execute(
            "UPDATE inbox_positions SET next_offset = 0 WHERE topic = $1", shop.emitter.readings
        )
    async with bench.intaking():
        await shop.taken(4)
    assert await shop.readings() == facts
    assert await shop.outcomes() == outcomes


async def test_an_inbox_deleted_and_made_again_is_a_new_generation_read_from_its_start(
    bench: Bench, shop: Shop
):
    await shop.send(event("r-1"), event("r-2"), event("r-3"))
    async with bench.intaking():
        await shop.taken(3)
        admin = AIOKafkaAdminClient(bootstrap_servers=bench.bootstrap)
        await admin.start()
        await admin.delete_topics([shop.emitter.readings])
        while shop.emitter.readings in await admin.list_topics():
            pass
        await admin.close()
        await ensure_topics(bench.bootstrap, list(emitter_topics(shop.emitter)))
        await shop.send(event("r-4"), event("r-2"))
        await shop.taken(2)
    readings = await shop.readings()
    assert [one.data.id for one in readings] == ["r-1", "r-2", "r-3", "r-4"]
    assert readings[3].origin is not None
    assert readings[3].origin.offset == 0
    [duplicate] = await shop.outcomes()
    assert (duplicate["offset"], duplicate["id"]) == (1, "r-2")


async def test_two_intakes_share_the_inboxes_and_take_each_record_once(bench: Bench):
    shops = [await bench.shop() for _ in range(3)]
    for shop in shops:
        await shop.send(*(event(f"r-{n}", str(n)) for n in range(40)))
    async with bench.intaking():
        await shops[0].taken(1)
        async with bench.intaking():
            for shop in shops:
                await shop.send(*(event(f"s-{n}", str(n)) for n in range(40)))
            for shop in shops:
                await shop.taken(80)
    for shop in shops:
        assert len(await shop.readings()) == 80
        assert await shop.outcomes() == []


async def test_an_intake_cancelled_again_and_again_loses_and_doubles_nothing(bench: Bench, shop: Shop):
    sending = asyncio.create_task(shop.send(*(event(f"r-{n}", str(n)) for n in range(300))))
    for part in (20, 90, 180):
        async with bench.intaking():
            await shop.taken(part)
    await sending
    async with bench.intaking():
        await shop.taken(300)
    assert [one.data.id for one in await shop.readings()] == [f"r-{n}" for n in range(300)]
    assert await shop.outcomes() == []


async def test_a_store_that_is_away_rejects_nothing(
    bench: Bench, shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    refused_by_store = 0
    record = bench.ledger.submit_all

    async def away(submissions: list) -> list:
        nonlocal refused_by_store
        if refused_by_store < 2:
            refused_by_store += 1
            async with raw_connection(bench.engine) as raw:  # the server ends their connections
                await raw.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name IN ('ledger', 'intake') AND datname = current_database()"
                )
        return await record(submissions)

    monkeypatch.setattr(bench.ledger, "submit_all", away)
    await shop.send(event("r-1"), event("r-2"), b"poison", event("r-3"))
    async with bench.intaking():
        await shop.taken(4)
    assert refused_by_store == 2
    assert [one.data.id for one in await shop.readings()] == ["r-1", "r-2", "r-3"]
    assert [one["outcome"] for one in await shop.outcomes()] == ["unreadable"]


async def test_a_workspace_that_does_not_exist_is_refused_and_blocks_no_other(bench: Bench, shop: Shop):
    nobody = Shop(bench, f"{shop.workspace}-nobody")
    await ensure_topics(bench.bootstrap, list(emitter_topics(nobody.emitter)))
    await nobody.send(event("r-1"))
    await shop.send(event("r-1"))
    async with bench.intaking():
        await shop.taken(1)
        await nobody.taken(1)
    [refused] = await nobody.outcomes()
    assert (refused["outcome"], refused["code"]) == ("refused", "unknown_workspace")


async def test_topics_that_are_no_emitters_are_left_alone(bench: Bench, shop: Shop):
    stray = Shop(bench, f"{shop.workspace}-Stray")
    await ensure_topics(bench.bootstrap, list(emitter_topics(stray.emitter)))
    await stray.send(event("r-1"))
    await shop.send(event("r-1"))
    async with bench.intaking():
        await shop.taken(1)
        await shop.send(event("r-2"))
        await shop.taken(2)
    assert await stray.position() == 0


@pytest.mark.parametrize("compression", [0, 4])
async def test_a_header_name_that_is_no_utf_8_stops_neither_its_own_inbox_nor_another(
    bench: Bench, shop: Shop, compression: int
):
    await shop.send(event("r-1"))
    await send_with_header_name(shop, b"\xff\xfe", compression)
    await shop.send(event("r-4"))
    async with bench.intaking():
        await shop.taken(5)
    assert [one.data.id for one in await shop.readings()] == ["r-1", "r-2", "r-3", "r-4"]
    [unreadable] = await shop.outcomes()
    assert (unreadable["offset"], unreadable["outcome"]) == (3, "unreadable")
    assert unpack_record(unreadable["record"])[2] == [("\\xff\\xfe", b"v")]


async def send_with_header_name(shop: Shop, name: bytes, compression: int) -> None:
    """One batch of three records (r-2, r-3 and one between them that holds nothing), as a client in C would make it."""

    class NotText(str):
        def encode(self, *_: object) -> bytes:  # type: ignore[override]
            return name

    batch = _DefaultRecordBatchBuilderPy(2, compression, False, -1, -1, 0, 16_384)
    odd = [(NotText("x"), b"v")]
    batch.append(0, None, key=None, value=event("r-2"), headers=odd)
    batch.append(1, None, key=None, value=event("r-3"), headers=[])
    batch.append(2, None, key=None, value=b"", headers=odd)
    builder = BatchBuilder(16_384, 0)
    builder._builder, builder._relative_offset = batch, 3
    producer = AIOKafkaProducer(bootstrap_servers=shop.bench.bootstrap)
    await producer.start()
    await (await producer.send_batch(builder, shop.emitter.readings, partition=0))
    await producer.stop()
