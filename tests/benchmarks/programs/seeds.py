"""Fills a workspace fast: commands straight through the ledger library, as one writer more (no HTTP, no roles).

Job: ``workspace`` (it exists, with the goals and the feed of `ground.py`), ``run``, what `Goals` says (``objectives`` and
what each of them has), ``check_ins`` and ``readings`` (in turn). Definitions are effective ``days`` ago, check-ins at times
since. Result: ``facts``, ``per_second``.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import open_for_operator
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.measures import Aligned, Increase
from goal_ledger_contracts.objective import PartValue
from goal_ledger_domain.alignment import Align
from goal_ledger_domain.check_in import RecordCheckIn
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide, exclusive, lookups, neighbours
from goal_ledger_domain.key_result import AddKeyResult
from goal_ledger_domain.lifecycle import Activate
from goal_ledger_domain.objective import DraftObjective
from goal_ledger_domain.person import AddPerson, JoinUnit
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.unit import CreateUnit
from goal_ledger_domain.world import World
from goal_ledger_ledger.submission import Submission

from benchmarks.programs.job import run_async

AT_ONCE = 2_000
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


@dataclass(frozen=True, slots=True)
class Goals:
    """Objectives in a tree of ten branches, all active, and on each key result some check-ins, spread over the time
    since. They are of units, five to a unit; ``people``: each is of a person of its own, who is in that unit.
    ``counted``: the goals beneath count in a key result of the one above, so that the topmost score rests on all."""

    run: str
    objectives: int = 0
    key_results: int = 4
    check_ins_each: int = 1
    days: int = 60
    people: bool = False
    counted: bool = False

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Goals:
        return cls(**{one.name: job[one.name] for one in fields(cls) if one.name in job})

    @property
    def start(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) - timedelta(days=self.days)

    def id(self, number: int) -> str:
        return f"{self.run}-o{number}"

    def commands(self, start: datetime) -> Iterator[Any]:
        """Wave by wave, so that each wave's commands need only the waves before."""
        then = meta("person/ada", start)
        yield from self._owners(then)
        for number in range(self.objectives):
            yield from self._draft(then, number)
        for number in range(1, self.objectives):
            objective, parent = self.id(number), self.id((number - 1) // BRANCHES)
            above = f"key-result/{parent}-below" if self.counted else f"objective/{parent}"
            yield Align(then, objective, f"{objective}-up", above)
        for number in range(self.objectives):
            yield Activate(then, self.id(number))
        yield from self._check_ins(start)

    def _owners(self, then: Meta) -> Iterator[Any]:
        for unit in range((self.objectives + PER_UNIT - 1) // PER_UNIT):
            yield CreateUnit(then, f"{self.run}-u{unit}", f"Unit {unit}")
        for number in range(self.objectives if self.people else 0):
            yield AddPerson(then, f"{self.run}-p{number}", f"Person {number}")
        for number in range(self.objectives if self.people else 0):
            yield JoinUnit(then, f"{self.run}-p{number}", f"{self.run}-u{number // PER_UNIT}")

    def _draft(self, then: Meta, number: int) -> Iterator[Any]:
        unit, person = f"unit/{self.run}-u{number // PER_UNIT}", f"person/{self.run}-p{number}"
        objective, title = self.id(number), f"Reach what number {number} stands for"
        yield DraftObjective(then, objective, title, person if self.people else unit)
        for part in range(self.key_results):
            measure = Increase(Decimal(100 + part), Decimal(0))
            yield AddKeyResult(
                then, objective, f"{objective}-k{part}", "A thing that can be counted", measure
            )
        if self.counted and number * BRANCHES + 1 < self.objectives:
            yield AddKeyResult(then, objective, f"{objective}-below", "The goals beneath", Aligned())

    def _check_ins(self, start: datetime) -> Iterator[Any]:
        each = self.objectives * self.key_results
        for number in range(each * self.check_ins_each):
            at = start + timedelta(
                minutes=1 + number * 1440 * (self.days - 2) // (each * self.check_ins_each)
            )
            turn, place = divmod(number, each)
            objective, part = divmod(place, self.key_results)
            yield check_in(
                f"{self.id(objective)}-c{part}-{turn}",
                f"{self.id(objective)}-k{part}",
                (place + turn) % 100,
                at,
            )


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
    goals = Goals.of(job)
    start = goals.start
    commands = itertools.chain(
        goals.commands(start),
        words(goals.run, job.get("check_ins", 0), job.get("readings", 0), start),
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
