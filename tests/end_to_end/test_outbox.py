"""What an emitter keeps on disk is counted once, whatever dies in between; receipts are followed on Kafka."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_client import (
    AsyncGoalLedger,
    Emitter,
    GoalLedger,
    Outbox,
    Reading,
    ReceiptStream,
    Retry,
    Unavailable,
)
from goal_ledger_client.outbox import OtherContent
from goal_ledger_demo.organisation import VISITORS
from goal_ledger_local.ports import free_ports
from goal_ledger_local.stack import Stack

SOURCE = "/outbox"
STARTS = datetime(2026, 1, 5, tzinfo=UTC)
ENDS_BETWEEN_ANSWER_AND_DISK = """
import os, sys
from goal_ledger_client import GoalLedger, Outbox
Outbox._forget = lambda *_: os._exit(9)
Outbox(sys.argv[1], batch_max_items=20).send(GoalLedger(sys.argv[2], sys.argv[2], sys.argv[3]))
"""


def readings(name: str, many: int, feed: str = VISITORS) -> list[Reading]:
    return [Reading(SOURCE, f"{name}-{n}", feed, STARTS + timedelta(minutes=n), n) for n in range(many)]


@pytest.fixture
def asked(demo: Stack) -> dict[str, Any]:
    return demo.describe()


def outcomes(receipts: list[dict[str, Any]]) -> list[str]:
    return [one["outcome"] for one in receipts]


def test_an_emitter_that_dies_between_the_answer_and_its_disk_is_counted_once(
    asked: dict[str, Any], tmp_path: Path
) -> None:
    path, token = tmp_path / "outbox.sqlite", asked["tokens"]["emitter"]
    with Outbox(path, batch_max_items=20) as outbox:
        assert outbox.add(readings("dies", 50)) == 50
    words = [sys.executable, "-c", ENDS_BETWEEN_ANSWER_AND_DISK, str(path), asked["command_url"], token]
    assert subprocess.run(words, check=False, timeout=60).returncode == 9

    with Outbox(path) as outbox, GoalLedger(asked["command_url"], asked["query_url"], token) as ledger:
        assert outbox.waiting == 50
        assert outcomes(outbox.send(ledger)) == ["duplicate"] * 20 + ["applied"] * 30
        assert (outbox.waiting, outbox.refused(), outbox.send(ledger)) == (0, [], [])


async def test_a_refused_reading_stays_with_its_reason(asked: dict[str, Any], tmp_path: Path) -> None:
    token = asked["tokens"]["emitter"]
    async with AsyncGoalLedger(asked["command_url"], asked["query_url"], token) as ledger:
        with Outbox(tmp_path / "outbox.sqlite") as outbox:
            outbox.add([*readings("known", 1), *readings("unknown", 1, "webshop.sails")])
            assert outcomes(await outbox.send_async(ledger)) == ["applied", "refused"]
            (refused,) = outbox.refused()
            assert (refused.event["id"], refused.receipt["reason"]) == ("unknown-0", "unknown_feed")
            assert (outbox.waiting, outbox.send_refused_again(), outbox.waiting) == (0, 1, 1)
            await outbox.send_async(ledger)
            assert (outbox.drop_refused(), outbox.waiting, outbox.refused()) == (1, 0, [])


async def test_what_is_emitted_over_kafka_has_receipts_to_follow(
    asked: dict[str, Any], tmp_path: Path
) -> None:
    topic = asked["emitter"]["topic"]
    with Outbox(tmp_path / "outbox.sqlite", batch_max_items=7) as outbox:
        outbox.add(readings("kafka", 20))
        async with Emitter(asked["kafka"], topic) as emitter:
            assert await outbox.emit(emitter) == 20
            assert outbox.waiting == 0
            outbox.add(readings("kafka", 3))
            assert await outbox.emit(emitter) == 3
    told: dict[str, list[str]] = {}
    async with ReceiptStream(
        asked["kafka"], topic.replace("readings", "receipts"), group="outbox"
    ) as receipts:
        async with asyncio.timeout(30):
            async for receipt in receipts:
                if receipt["source"] == SOURCE and receipt["id"].startswith("kafka"):
                    told.setdefault(receipt["id"], []).append(receipt["outcome"])
                if sum(map(len, told.values())) == 23:
                    break
    twice = {f"kafka-{n}" for n in range(3)}
    assert {id: sorted(said) for id, said in told.items()} == {
        f"kafka-{n}": ["applied", "duplicate"] if f"kafka-{n}" in twice else ["applied"] for n in range(20)
    }


def test_a_ledger_out_of_reach_loses_nothing(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_ports(1)[0]}"
    once = Retry(attempts=1)
    with (
        Outbox(tmp_path / "outbox.sqlite") as outbox,
        GoalLedger(nowhere, nowhere, "t", retry=once) as ledger,
    ):
        outbox.add(readings("away", 3))
        with pytest.raises(Unavailable):
            outbox.send(ledger)
        assert outbox.waiting == 3


def test_the_same_reading_is_kept_once_and_another_of_its_name_is_told(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        assert (outbox.add(readings("same", 3)), outbox.add(readings("same", 4))) == (3, 1)
        other = Reading(SOURCE, "same-1", VISITORS, STARTS, "7")
        with pytest.raises(OtherContent, match="same-1 of /outbox waits already"):
            outbox.add([*readings("new", 2), other])
        assert outbox.waiting == 4
