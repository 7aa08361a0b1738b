"""Fills a workspace fast: commands straight through the ledger library, as one writer more (no HTTP, no roles).

Job: ``workspace`` (it exists, with the goals and the feed of `ground.py`), ``run``, ``objectives`` (each with four key
results, aligned in a tree of ten branches, activated, a check-in on each key result), ``check_ins`` and ``readings``
(in turn). Definitions are effective 60 days ago, check-ins at times since. Result: ``facts``, ``per_second``.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import open_for_operator
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import PartValue
from goal_ledger_domain.alignment import Align
from goal_ledger_domain.check_in import RecordCheckIn
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide, exclusive, lookups, neighbours
from goal_ledger_domain.key_result import AddKeyResult
from goal_ledger_domain.lifecycle import Activate
from goal_ledger_domain.objective import DraftObjective
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.unit import CreateUnit
from goal_ledger_domain.world import World
from goal_ledger_ledger.submission import Submission

from benchmarks.programs.job import run_async

AT_ONCE = 2_000
DAYS = 60
KEY_RESULTS = 4
BRANCHES = 10
PER_UNIT = 5
FEED, SOURCE = "shop.sales", "/seed"


def meta(actor: str, at: datetime | None = None) -> Meta:
    return Meta(
        actor=actor,
        correlation_id="seed",
        causation_id="seed",
        reason="seed",
        effective_at=at,
        importing=True,
    )


def submission(workspace: str, command: Any) -> Submission:
    def decided(world: World, situation: Situation) -> Decision:
        return decide(world, command, situation)

    return Submission(
        workspace,
        decided,
        lookups=lookups(command),
        neighbours=neighbours(command),
        exclusive=exclusive(command),
    )


def goals(run: str, count: int, start: datetime) -> Iterator[Any]:
    """Wave by wave, so that each wave's commands need only the waves before."""
    then = meta("person/ada", start)
    ids = [f"{run}-o{number}" for number in range(count)]
    for unit in range((count + PER_UNIT - 1) // PER_UNIT):
        yield CreateUnit(then, f"{run}-u{unit}", f"Unit {unit}")
    for number, objective in enumerate(ids):
        owner = f"unit/{run}-u{number // PER_UNIT}"
        yield DraftObjective(then, objective, f"Reach what number {number} stands for", owner)
        for part in range(KEY_RESULTS):
            measure = Increase(Decimal(100 + part), Decimal(0))
            yield AddKeyResult(
                then, objective, f"{objective}-k{part}", "A thing that can be counted", measure
            )
    for number, objective in enumerate(ids[1:], 1):
        yield Align(then, objective, f"{objective}-up", f"objective/{ids[(number - 1) // BRANCHES]}")
    for objective in ids:
        yield Activate(then, objective)
    for number, (objective, part) in enumerate(itertools.product(ids, range(KEY_RESULTS))):
        at = start + timedelta(minutes=1 + number * 1440 * (DAYS - 2) // (count * KEY_RESULTS))
        yield check_in(f"{objective}-c{part}", f"{objective}-k{part}", number % 100, at)


def check_in(id: str, key_result: str, value: int, at: datetime) -> RecordCheckIn:
    values = (PartValue("value", Decimal(value)),)
    return RecordCheckIn(
        meta("person/ada", at), id, key_result=key_result, values=values, confidence=Decimal("0.7")
    )


def words(run: str, check_ins: int, readings: int, start: datetime) -> Iterator[Any]:
    """Check-ins on the goals of the ground, and readings, in turn."""
    shop = meta("system/shop")
    for number in range(max(check_ins, readings)):
        at = start + timedelta(seconds=number)
        if number < check_ins:
            yield check_in(f"{run}-c{number}", f"result-{number % 8}", number % 1000, datetime.now(UTC))
        if number < readings:
            yield TakeReading(shop, FEED, SOURCE, f"{run}-{number}", at, Decimal(1), "pieces")


async def work(job: dict[str, Any]) -> dict[str, Any]:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS)
    commands = itertools.chain(
        goals(job["run"], job.get("objectives", 0), start),
        words(job["run"], job.get("check_ins", 0), job.get("readings", 0), start),
    )
    facts, began = 0, time.perf_counter()
    async with open_for_operator(Settings()) as ledger:  # type: ignore[call-arg]
        while piece := list(itertools.islice(commands, AT_ONCE)):
            outcomes = await ledger.submit_all([submission(job["workspace"], one) for one in piece])
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome
                facts += len(outcome.facts)
    return {"facts": facts, "per_second": facts / (time.perf_counter() - began)}


if __name__ == "__main__":
    run_async(work)
