"""The path proven end to end: what was sent is what the queries show, and store = topic = read model."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from goal_ledger_client import GoalLedger

from goal_ledger_demo import numbers, record
from goal_ledger_demo.days import days
from goal_ledger_demo.others import OWNER_OF, touched
from goal_ledger_demo.record import Unproven

PATIENCE_S = 40.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What the emitter sent: readings, of these different ones, and unreadable messages."""

    messages: int
    readings: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was proved; written to `.demo/report.json`."""

    sent: dict[str, int]
    seen: dict[str, Any]
    facts: int
    streams: int
    root_of_the_log: str
    root_of_the_checkpoint: str
    roots_agree: bool
    topic_equals_store: bool
    read_model_equals_store: bool
    scores: dict[str, str]
    not_compared: list[str]
    seconds: float


def what_is_sent(start: date) -> Sent:
    """Counted from the demo's days, as they are sent now."""
    sent = list(days(start, datetime.now(UTC)))
    messages = sum(len(day.sent) + day.poison for day in sent)
    different = {(r.source, r.id) for day in sent for r in day.sent}
    return Sent(messages, len(different), sum(day.poison for day in sent))


def prove(described: dict[str, Any], start: date, tell: Callable[[str], None]) -> Report:
    """Checks everything; raises :class:`Unproven` with the first thing that does not agree."""
    began = time.monotonic()
    tokens, command_url, workspace = described["tokens"], described["command_url"], described["workspace"]
    sent = what_is_sent(start)
    receipts = asyncio.run(_receipts(described, sent.readings))
    tell(f"every one of {sent.readings} readings has its receipt: {_counted(receipts)}")
    facts, head = _settled_log(command_url, tokens["auditor"], workspace)
    streams = record.check_chains(facts)
    root = record.merkle_root([record.leaf(fact) for fact in facts[: head.seq]]).hex()
    if root != head.root:
        raise Unproven(f"the root of the log is {root}, the signed checkpoint says {head.root}")
    tell(f"{len(facts)} facts in {streams} streams: dense, chained, canonical; Merkle root as signed")
    record.compare(
        "ledger.facts", facts, asyncio.run(record.read_topic(described["kafka"], workspace, len(facts)))
    )
    tell("the Kafka topic holds the same bytes")
    with GoalLedger(command_url, described["query_url"], tokens["analyst"]) as analyst:
        answer = analyst.query("/v1/alignment", after=f"{_epoch(described, tokens)}-{len(facts)}")
        first_month = analyst.query("/v1/key-results/first-month")["key_result"]
    record.compare(
        "the read model", facts, asyncio.run(record.read_rows(described["read_database_url"], workspace))
    )
    tell("the read model holds the same bytes")
    scores, left_out = _check_numbers(answer, first_month, facts, start)
    tell(f"{len(scores)} scores, counted anew from what was sent, are those that the queries show")
    if left_out:
        tell(f"not compared, for others have recorded facts of them since: {', '.join(sorted(left_out))}")
    return Report(
        sent=asdict(sent),
        seen={"receipts": _counts(receipts), "position": answer["position"]},
        facts=len(facts),
        streams=streams,
        root_of_the_log=root,
        root_of_the_checkpoint=head.root,
        roots_agree=True,
        topic_equals_store=True,
        read_model_equals_store=True,
        scores=scores,
        not_compared=sorted(left_out),
        seconds=round(time.monotonic() - began, 3),
    )


def write(report: Report, file: Path) -> None:
    file.write_text(json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n")


def _epoch(described: dict[str, Any], tokens: dict[str, str]) -> str:
    with GoalLedger(described["command_url"], described["query_url"], tokens["analyst"]) as analyst:
        position: str = analyst.query("/v1/cycles")["position"]
    return position.partition("-")[0]


def _settled_log(command_url: str, token: str, workspace: str) -> tuple[list[bytes], record.Head]:
    """The log and a checkpoint of all of it: the relay signs the head shortly after it has published."""
    until = time.monotonic() + PATIENCE_S
    while True:
        facts = record.read_log(command_url, token)
        head = record.read_head(command_url, token, workspace)
        if head.seq == len(facts):
            return facts, head
        if time.monotonic() > until:
            raise Unproven(f"the last signed head is at {head.seq}, the log at {len(facts)}")
        time.sleep(0.1)


async def _receipts(described: dict[str, Any], wanted: int) -> dict[tuple[str, str], str]:
    """The first receipt of each reading from the emitter's receipts topic; waits until every reading has one."""
    topic = described["emitter"]["topic"].replace("progress.readings.", "progress.receipts.")
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=described["kafka"], enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[tuple[str, str], str] = {}
    try:
        until = time.monotonic() + PATIENCE_S
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for one in records:
                    receipt = json.loads(one.value)
                    if receipt.get("id") is not None and receipt["outcome"] in ("applied", "quarantined"):
                        found[receipt["source"], receipt["id"]] = receipt["outcome"]
            if time.monotonic() > until:
                raise Unproven(f"{len(found)} of {wanted} readings have a receipt after {PATIENCE_S:.0f} s")
    finally:
        await asyncio.wait_for(consumer.stop(), 5)
    return found


def _counts(receipts: dict[tuple[str, str], str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for result in receipts.values():
        found[result] = found.get(result, 0) + 1
    return found


def _counted(receipts: dict[tuple[str, str], str]) -> str:
    return ", ".join(f"{many} {result}" for result, many in sorted(_counts(receipts).items()))


def _check_numbers(
    answer: dict[str, Any], first_month: dict[str, Any], facts: list[bytes], start: date
) -> tuple[dict[str, str], set[str]]:
    now = datetime.now(UTC)
    sent = {reading.id for day in days(start, now) for reading in day.sent}
    left_out = touched([json.loads(fact) for fact in facts], sent)
    left_out |= {name for name, objective in OWNER_OF.items() if objective in left_out}
    seen = {node["id"]: node["score"] for node in answer["nodes"]}
    seen |= {kr["id"]: kr["score"] for node in answer["nodes"] for kr in node["key_results"]}
    wanted = numbers.objective_scores(start, now) | numbers.key_result_scores(start, now)
    expected = {name: numbers.text(score) for name, score in wanted.items() if name not in left_out}
    for name, score in expected.items():
        if seen.get(name) != score:
            raise Unproven(
                f"the score of {name} is {seen.get(name)}; counted from what was sent it is {score}"
            )
    parts = {part["part"]: Decimal(part["value"]) for part in first_month["parts"]}
    if "first-month" not in left_out and parts != numbers.part_values(start, now):
        raise Unproven(f"visitors and sales are {parts}; sent were {numbers.part_values(start, now)}")
    return expected, left_out


__all__ = ["Report", "Unproven", "prove", "what_is_sent", "write"]
