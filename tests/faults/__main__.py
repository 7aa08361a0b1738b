"""`make faults`: kill every part in turn and run every scenario, on a stack of its own; exit 1 if anything is wrong,
4 if something was only slow.

make faults ARGS="--rounds 3 --seconds 5"            the kills three times over
make faults ARGS="--parts command,postgres"          those parts alone
make faults ARGS="--commands 2 --scenarios none"     two command processes, kills only
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from goal_ledger_local.stack import Stack
from goal_ledger_local.tools import ToolMissing

from faults.campaign import PARTS, Campaign, Plan, header, verdict
from faults.scenarios import SCENARIOS
from faults.verdict import ENDS_A_RUN, Verdict


def main(
    rounds: Annotated[int, typer.Option(min=0, max=100, help="How often each part is killed")] = 2,
    seconds: Annotated[float, typer.Option(min=0.2, max=300, help="Work before each kill")] = 3.0,
    parts: Annotated[str, typer.Option(help="Which parts, in this order")] = ",".join(PARTS),
    commands: Annotated[int, typer.Option(min=1, max=2, help="Command processes")] = 1,
    writers: Annotated[int, typer.Option(min=1, max=64, help="Writers at a time")] = 6,
    scenarios: Annotated[str, typer.Option(help="all, none, or names")] = "all",
) -> None:
    """The fault campaign. Everything runs on 127.0.0.1, and nothing is left behind."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says many times a second that Kafka is away
    plan = Plan(_chosen(parts, PARTS), rounds, seconds, writers)
    chosen = [] if scenarios == "none" else _chosen(scenarios, tuple(SCENARIOS))
    found = Verdict()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="goal-ledger-faults-") as directory:
        Path(directory).chmod(0o755)
        try:
            with Stack(Path(directory), commands=commands, say=_quietly) as stack:
                typer.echo(f"The stack is up after {time.monotonic() - began:.1f} s.")
                asyncio.run(_run(stack, plan, chosen, found))
        except (*ENDS_A_RUN, ToolMissing) as failed:
            found.ended_by(failed)
    typer.echo(f"{time.monotonic() - began:.0f} s in all.")
    for line in found.lines():
        typer.echo(line)
    sys.exit(found.exit_code)


async def _run(stack: Stack, plan: Plan, scenarios: list[str], found: Verdict) -> None:
    if plan.rounds and plan.parts:
        typer.echo(header())
        found.add(verdict(await Campaign(stack, plan, typer.echo).run()))
    for name in scenarios:
        began = time.monotonic()
        one = await SCENARIOS[name](stack)
        typer.echo(f"{one.lines()} ({time.monotonic() - began:.0f} s)")
        found.wrong += [f"{name}: {wrong}" for wrong in one.wrong]


def _chosen(given: str, known: tuple[str, ...]) -> list[str]:
    if given == "all":
        return list(known)
    names = [name.strip() for name in given.split(",") if name.strip()]
    unknown = set(names) - set(known)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: known are {', '.join(known)}")
    return names


def _quietly(_: str) -> None:
    """The kills are in the table."""


if __name__ == "__main__":
    typer.run(main)
