"""Whoever writes into ``ledger.facts`` what continues nobody's log stops nobody's writing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.process import Relay
from goal_ledger_command.write_gate import StoreBehindKafkaGate
from goal_ledger_contracts.canonical import canonical
from goal_ledger_ledger.submission import StoreBehindLog
from goal_ledger_messaging import producer as producers
from goal_ledger_messaging.partition import partition_of
from goal_ledger_messaging.records import fact_headers
from goal_ledger_messaging.security import Kafka
from goal_ledger_messaging.topics import FACTS
from goal_ledger_observability.metrics import new_registry
from structlog.testing import capture_logs

from .conftest import AT, ORIGIN, Bench, Written
from .test_write_gate import restore_to

PARTITIONS = 24


async def send(bootstrap: Kafka | str, workspace: str, *records: tuple[int, int, bytes, str]) -> None:
    """Records of (epoch, seq, bytes, type) with the key and headers of the workspace's facts."""
    producer = producers.reliable(bootstrap)
    await producer.start()
    try:
        for epoch, seq, stored, kind in records:
            headers = fact_headers(
                workspace=workspace,
                epoch=epoch,
                seq=seq,
                type=kind,
                event_id="4c7d0000-0000-7000-8000-000000000000",
                stream="objective/forged",
                recorded_at=AT,
                traceparent=None,
            )
            partition = partition_of(workspace, PARTITIONS)
            await producer.send_and_wait(
                FACTS, key=workspace.encode(), value=stored, headers=headers, partition=partition
            )
    finally:
        await producers.discard(producer)


async def published(bench: Bench, facts: int) -> Written:
    one = bench.store.workspace()
    await bench.store.many(one, facts)
    async with bench.relaying():
        await bench.all_published(one)
    return one


def restored(one: Written, epoch: int) -> dict[str, Any]:
    data = {"epoch": epoch, "fork_seq": len(one.facts), "lost_heads": []}
    return {"type": "StoreRestored", "stream": f"workspace/{one.workspace}", "data": data}


def forged(one: Written, how: str) -> tuple[int, int, bytes, str]:
    """(epoch, seq, bytes, type) of a record that is not the relay's."""
    next = len(one.facts) + 1
    if how == "far beyond the head":
        return 1, 10**12, canonical(one.next(seq=10**12)), "ObjectiveDrafted"
    if how == "of another epoch, with true bytes":
        return 99, next - 1, one.facts[-1], "ObjectiveDrafted"
    if how == "of another epoch, begun by nothing":
        return 99, 1, b"{}", "StoreRestored"
    return 1, next, NEXT[how](one), "ObjectiveDrafted"


NEXT: dict[str, Callable[[Written], bytes]] = {
    "the next, on a broken chain": lambda one: canonical(one.next(previous="0" * 64)),
    "the next, on no chain": lambda one: canonical(one.next(previous=None)),
    "the next, its version left out": lambda one: canonical(one.next(version=99)),
    "the next, in place of a fact": lambda one: canonical(one.next(version=1, previous=None)),
    "the next, another workspace's": lambda one: canonical(one.next(workspace="another")),
    "the next, in bytes that are not canonical": lambda one: canonical(one.next()) + b" ",
    "the next, of no bytes": lambda one: b"",
    "the next, of JSON that is no fact": lambda one: b"[[1.5]]",
}
OTHERS = [
    "far beyond the head",
    "of another epoch, with true bytes",
    "of another epoch, begun by nothing",
]
FORGED = [*OTHERS, *NEXT]


async def test_records_that_continue_nothing_close_no_gate_and_are_counted_and_named_once(bench: Bench):
    one = await published(bench, 5)
    await send(bench.bootstrap, one.workspace, *(forged(one, how) for how in FORGED))
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    with capture_logs() as logs:
        await gate.look()
        await gate.look()
    await gate.check(one.workspace)
    assert gate.foreign_records == len(FORGED)
    named = [line for line in logs if line["event"].startswith("foreign_record")]
    assert [(line["workspace"], line["records"], line["head"]) for line in named] == [
        (one.workspace, len(FORGED), "1-5")
    ]


async def test_each_of_them_alone_closes_no_gate(bench: Bench):
    """One by one, each in a workspace of its own."""
    several = {how: bench.store.workspace() for how in FORGED}
    for one in several.values():
        await bench.store.many(one, 5)
    async with bench.relaying():
        await bench.all_published(*several.values())
    for how, one in several.items():
        await send(bench.bootstrap, one.workspace, forged(one, how))
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    await gate.look()
    for one in several.values():
        await gate.check(one.workspace)
    assert gate.foreign_records == len(FORGED)


async def test_the_relay_goes_on_past_them_and_counts_them(bench: Bench):
    one = await published(bench, 5)
    await send(bench.bootstrap, one.workspace, *(forged(one, how) for how in FORGED))
    await bench.store.many(one, 3)
    registry = new_registry("test")
    relaying = asyncio.create_task(
        Relay(bench.engine, bench.bootstrap, RelayMetrics(registry), bench.key, ORIGIN).run()
    )
    try:
        await bench.all_published(one)
    finally:
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
    assert registry.get_sample_value("goal_ledger_relay_foreign_records_total") > 0
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    await gate.look()
    await gate.check(one.workspace)


async def test_they_do_not_hide_that_the_store_was_set_back(bench: Bench):
    one = await published(bench, 20)
    await send(bench.bootstrap, one.workspace, forged(one, "far beyond the head"))
    await restore_to(bench, one, 12)
    await send(bench.bootstrap, one.workspace, forged(one, "the next, on a broken chain"))
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    await gate.look()
    with pytest.raises(StoreBehindLog, match="Kafka holds this workspace up to 1-20"):
        await gate.check(one.workspace)
    assert gate.foreign_records == 0


async def test_a_store_put_back_to_before_an_epoch_that_began_below_its_head_is_refused(bench: Bench):
    """Restored to 6, an epoch begun there; then restored again, to a later moment of the epoch before."""
    one = bench.store.workspace()
    begun = {"type": "WorkspaceCreated", "stream": f"workspace/{one.workspace}"}
    await bench.store.append(one, begun)
    await bench.store.many(one, 9)
    other = Written(one.workspace, 2, one.facts[:6])
    other.facts.append(canonical(other.next(**restored(other, 2))))
    async with bench.relaying():
        await bench.all_published(one)
    await send(
        bench.bootstrap,
        one.workspace,
        *((2, seq, stored, "ObjectiveDrafted") for seq, stored in enumerate(other.facts[:6], 1)),
        (2, 7, other.facts[6], "StoreRestored"),
    )
    gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap)
    await gate.look()
    with pytest.raises(StoreBehindLog, match="up to 2-7"):
        await gate.check(one.workspace)
