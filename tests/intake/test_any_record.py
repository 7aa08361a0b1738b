"""Whatever an emitter writes, its inbox goes on: each record has a fact or an outcome, and the emitter hears of each."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from goal_ledger_command.intake import taking
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.process import Relay
from goal_ledger_domain.decide import decide as decide_reading
from goal_ledger_ledger.store import raw_connection
from goal_ledger_messaging import consumer as consumers
from goal_ledger_messaging import producer as producers
from goal_ledger_observability.metrics import new_registry
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .conftest import Bench, Shop, event, headers_of, until

TEXT = st.sampled_from(
    [
        "",
        "a\x00b",
        "\ud800",
        "\ud83d\udcff",
        "\u202e",
        "\uffff",
        "x" * 3_000,
        "é" * 400,
        "webshop.visitors/../x",
    ]
) | st.text(max_size=8)
NUMBER = st.sampled_from(
    ["NaN", "1e400", "-1e-400", "1e999999999", "9" * 60, "0" * 60, "0.0000001", 10**60, -0.0, 1e308]
)
TIME = st.sampled_from(
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999999-23:59",
        "9999-12-31T23:59:59.999999Z",
        "0000-01-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "2026-05-01T12:00:00.123456789Z",
    ]
)
ANY = (
    st.none() | TEXT | NUMBER | TIME | st.lists(TEXT, max_size=2) | st.dictionaries(TEXT, NUMBER, max_size=2)
)
DATA = st.dictionaries(st.sampled_from(["value", "unit", "mode", "sequence", "backfill"]), ANY, max_size=3)
ATTRIBUTES = [
    "source",
    "id",
    "subject",
    "time",
    "type",
    "data",
    "traceparent",
    "backfill",
    "sequence",
    "extra",
]
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_source", "ce_subject", "ce_time", "content-type", "x", "key", "é" * 9]),
        st.binary(max_size=12) | st.sampled_from([b"a\x00b", b"\xed\xa0\x80", b"x" * 70_000]),
    ),
    max_size=3,
)
Sent = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


@st.composite
def structured(draw: st.DrawFn) -> dict[str, Any]:
    """A reading of which a few members are anything at all."""
    whole = json.loads(event(draw(st.text(alphabet="abc", min_size=1, max_size=6))))
    for name in draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=2)):
        whole[name] = draw(TIME if name == "time" else DATA if name == "data" else ANY)
    return whole


@st.composite
def records(draw: st.DrawFn) -> Sent:
    """Key, value and headers of a record: structured, binary, or neither."""
    key = draw(st.none() | st.binary(max_size=8))
    form = draw(st.sampled_from(["structured", "structured", "binary", "bytes"]))
    if form == "structured":
        return key, json.dumps(draw(structured())).encode(), draw(HEADERS)
    if form == "binary":
        named = [*headers_of("b"), *draw(HEADERS)]
        return key, json.dumps({"value": draw(ANY)}).encode(), named
    value = draw(st.none() | st.binary(max_size=40))
    return b"k" if value is None else key, value, draw(HEADERS)


async def send_all(shop: Shop, sent: list[Sent]) -> None:
    producer = producers.reliable(shop.bench.bootstrap)
    await producer.start()
    try:
        for key, value, headers in sent:
            await producer.send(shop.emitter.readings, value, key=key, headers=headers, partition=0)
        await producer.flush()
    finally:
        await producers.discard(producer)


async def heard_of(bench: Bench, topic: str) -> set[int]:
    """The inbox offsets that a topic of answers speaks of."""
    reader = consumers.reader(bench.bootstrap)
    await reader.start()
    found: set[int] = set()
    try:
        place = TopicPartition(topic, 0)
        end = (await reader.end_offsets([place]))[place]
        reader.assign([place])
        while end and await reader.position(place) < end:
            for many in (await reader.getmany(timeout_ms=200)).values():
                found |= {int(dict(one.headers)["key"].rsplit(b"/", 1)[1]) for one in many}
    finally:
        await consumers.discard(reader)
    return found


@contextlib.asynccontextmanager
async def relaying(bench: Bench) -> AsyncIterator[None]:
    relay = Relay(bench.engine, bench.bootstrap, RelayMetrics(new_registry("test")), None, "tests")
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ),  # each try is a whole stack: nothing is made smaller
)
@given(sent=st.lists(records(), min_size=30, max_size=80))
async def test_an_inbox_goes_on_whatever_is_in_it_and_the_emitter_hears_of_every_record(
    bench: Bench, sent: list[Sent]
) -> None:
    shop = await bench.shop()
    async with relaying(bench):
        async with bench.intaking():
            await send_all(shop, [*sent, (None, event("the-last"), [])])
            await shop.taken(len(sent) + 1)
        offsets = set(range(len(sent) + 1))
        facts = {one.origin.offset for one in await shop.readings() if one.origin is not None}
        outcomes = {one["offset"]: one["code"] for one in await shop.outcomes()}
        assert facts | outcomes.keys() == offsets
        assert not facts & outcomes.keys()
        assert "reading_undecidable" not in outcomes.values()
        assert len(sent) in facts

        async def all_heard() -> bool:
            receipts = await heard_of(bench, shop.emitter.receipts)
            return receipts | await heard_of(bench, shop.emitter.rejected) == offsets

        await until(all_heard)


async def test_a_record_far_larger_than_any_topic_takes_stops_nobodys_answers(bench: Bench) -> None:
    """Compressed it passes into the inbox: a key of 9 MB, as much in the headers, a value that is not even decompressed."""
    loud, other = await bench.shop(), await bench.shop()
    producer = AIOKafkaProducer(
        bootstrap_servers=bench.bootstrap, compression_type="gzip", max_request_size=60_000_000
    )
    await producer.start()
    try:
        await producer.send_and_wait(loud.emitter.readings, b"poison", key=b"k" * 9_000_000)
        await producer.send_and_wait(loud.emitter.readings, b"poison", headers=[("h", b"v" * 9_000_000)])
        await producer.send_and_wait(loud.emitter.readings, b"v" * 9_000_000)
        await producer.send_and_wait(loud.emitter.readings, b"v" * 40_000_000)
    finally:
        await producer.stop()
    await loud.send(event("after"))
    await other.send(event("r-1"))

    async def all_heard() -> bool:
        rejected = await heard_of(bench, loud.emitter.rejected)
        receipts = await heard_of(bench, loud.emitter.receipts)
        return (rejected, receipts) == ({0, 1, 2, 3}, {4}) and await heard_of(
            bench, other.emitter.receipts
        ) == {0}

    async with bench.intaking(), relaying(bench):
        await until(all_heard)


async def test_a_feed_name_that_no_store_takes_is_an_unknown_feed(bench: Bench, shop: Shop) -> None:
    await shop.send(event("r-1"), event("r-2", subject="a\u0000b"), event("r-3"))
    async with bench.intaking():
        await shop.taken(3)
    [refused] = await shop.outcomes()
    assert (refused["offset"], refused["outcome"], refused["code"]) == (1, "refused", "unknown_feed")
    assert [one.data.id for one in await shop.readings()] == ["r-1", "r-3"]


async def test_a_record_that_fails_in_its_own_way_is_tried_and_given_up_and_those_behind_it_go_on(
    bench: Bench, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    def breaks(world: Any, command: Any, situation: Any) -> Any:
        nonlocal tried
        if command.id == "r-7":
            tried += 1
            raise ZeroDivisionError("nobody thought of this")
        return decide_reading(world, command, situation)

    monkeypatch.setattr(taking, "decide", breaks)
    await shop.send(*(event(f"r-{n}", str(n)) for n in range(20)))
    async with bench.intaking():
        await shop.taken(20)
    assert 3 <= tried < 12
    assert len(await shop.readings()) == 19
    [kept] = await shop.outcomes()
    assert (kept["offset"], kept["outcome"], kept["code"]) == (7, "unreadable", "reading_undecidable")
    assert (kept["source"], kept["id"]) == ("/shop", "r-7")


async def test_only_what_the_store_says_of_the_data_is_a_records_own_failure(bench: Bench) -> None:
    async with raw_connection(bench.engine) as raw:
        with pytest.raises(asyncpg.PostgresError) as of_the_data:
            await raw.fetchval("SELECT $1::text", "a\x00b")
        with pytest.raises(asyncpg.PostgresError) as of_the_server:
            await raw.fetchval("SELECT 1 FROM no_such_table")
    assert not taking.is_passing(of_the_data.value)
    assert taking.is_passing(of_the_server.value)
    passing = (asyncpg.DeadlockDetectedError(), asyncpg.SerializationError(), TimeoutError(), OSError())
    assert all(map(taking.is_passing, passing))
    assert not any(map(taking.is_passing, (ValueError(), KeyError("x"), RecursionError())))
