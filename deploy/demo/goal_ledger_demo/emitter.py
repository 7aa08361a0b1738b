"""The web shop: a process of its own that knows nothing but Kafka and the CloudEvents it sends.

python -m goal_ledger_demo.emitter --bootstrap … --topic … --start 2026-11-03 --day-seconds 1.5
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from goal_ledger_client import Emitter

from goal_ledger_demo.days import POISON, days


async def emit(bootstrap: str, topic: str, start: date, day_seconds: float) -> int:
    """Sends day after day; returns how many messages were sent, the unreadable one included."""
    sent = 0
    async with Emitter(bootstrap, topic) as emitter:
        for day in days(start, datetime.now(UTC)):
            sent += await emitter.emit(day.sent)
            if day.poison:
                await emitter.emit_raw(POISON)
                sent += 1
            print(f"day {day.number}: {len(day.sent)} readings", flush=True)
            await asyncio.sleep(day_seconds)
    return sent


def main(
    bootstrap: Annotated[str, typer.Option(help="host:port of Kafka")],
    topic: Annotated[str, typer.Option(help="progress.readings.<workspace>.<system>")],
    start: Annotated[str, typer.Option(help="the first day, YYYY-MM-DD")],
    day_seconds: Annotated[float, typer.Option(help="how long a day takes")] = 0.0,
) -> None:
    """Emit the demo's readings over plain Kafka, some twice, some late, one of them unreadable."""
    print(f"sent {asyncio.run(emit(bootstrap, topic, date.fromisoformat(start), day_seconds))}", flush=True)


if __name__ == "__main__":
    typer.run(main)
