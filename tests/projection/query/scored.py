"""What tests of scores say and ask: instants of one month, readings, and how a goal stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from goal_ledger_contracts.feed import ReadingRecorded
from projection.query.story import Story, d


def at(day: int, hour: int = 12, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def reading(id: str, time: datetime, value: str, mode: str = "absolute", **more: Any) -> ReadingRecorded:
    return ReadingRecorded("shop", id, time, d(value), mode, **more)


async def objective(story: Story, id: str, **clocks: Any) -> dict[str, Any]:
    await story.arrive()
    found: dict[str, Any] = (await story.ask(f"/v1/objectives/{id}", **clocks))["objective"]
    return found


async def key_result(story: Story, id: str, **clocks: Any) -> dict[str, Any]:
    await story.arrive()
    found: dict[str, Any] = (await story.ask(f"/v1/key-results/{id}", **clocks))["key_result"]
    return found
