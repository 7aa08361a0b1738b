"""The week's rhythm: what I owe and what was said; of a unit: who is silent, first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from goal_ledger_projection.pages.asking import Json
from goal_ledger_projection.pages.page import WebPage

URGENCY = ("outdated", "pending", "at_risk", "not_measured", "behind", "on_track")
"""The silent first: silence is never green."""
SILENT = ("outdated", "pending")
DAYS = 7
CHECK_INS_MAX = "20"
KUDOS_OF_GOALS_MAX = 8


async def mine(page: WebPage) -> Response:
    """`/`: for who has signed in."""
    me = page.session.holder
    units = await page.ask("/v1/units")
    led = [f"unit/{one['id']}" for one in units["items"] if f"person/{one['lead']}" == me]
    owners = [me, *led] if me.startswith("person/") else led
    goals, key_results, recent, names = await asyncio.gather(
        _of_owners(page, "/v1/objectives", owners),
        _of_owners(page, "/v1/key-results", owners),
        _recent(page),
        page.names(),
    )
    return page.show(
        "my_week.html",
        me=me,
        led=led,
        goals=by_urgency(goals),
        owed=by_urgency([one for one in key_results if one["status"] in SILENT and not one["dropped"]]),
        others=by_urgency([one for one in key_results if one["status"] not in SILENT and not one["dropped"]]),
        recent=recent["items"],
        kudos=await _kudos(page, goals),
        names=names,
    )


async def of_unit(page: WebPage) -> Response:
    """`/units/<id>`."""
    id = page.request.path_params["id"]
    unit = await page.ask(f"/v1/units/{id}")
    goals, key_results, recent, names = await asyncio.gather(
        page.ask("/v1/objectives", unit=id, state="active", limit="200"),
        page.ask("/v1/key-results", unit=id, state="active", dropped="false", limit="1000"),
        _recent(page, unit=id),
        page.names(),
    )
    spoken = [one for one in key_results["items"] if one["status"] not in SILENT]
    return page.show(
        "unit_week.html",
        unit=unit["unit"],
        goals=by_urgency(goals["items"]),
        silent=by_urgency([one for one in key_results["items"] if one["status"] in SILENT]),
        spoken=len(spoken),
        all=len(key_results["items"]),
        recent=recent["items"],
        names=names,
    )


def by_urgency(things: list[Json]) -> list[Json]:
    """By status, the silent and the endangered first."""
    order = {status: number for number, status in enumerate(URGENCY)}
    return sorted(things, key=lambda one: (order.get(one["status"], len(order)), one["id"]))


async def _of_owners(page: WebPage, path: str, owners: list[str]) -> list[Json]:
    answers = await asyncio.gather(
        *(page.ask(path, owner=owner, state="active", limit="100") for owner in owners)
    )
    found: dict[str, Any] = {one["id"]: one for answer in answers for one in answer["items"]}
    return list(found.values())


async def _recent(page: WebPage, **asked: str) -> Json:
    """What was said in the last seven days before the page's moment."""
    true_at = datetime.fromisoformat(page.true_at) if page.true_at else datetime.now(UTC)
    since = (true_at - timedelta(days=DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return await page.ask("/v1/check-ins", from_=since, limit=CHECK_INS_MAX, **asked)


async def _kudos(page: WebPage, goals: list[Json]) -> list[Json]:
    few = goals[:KUDOS_OF_GOALS_MAX]
    answers = await asyncio.gather(*(page.ask(f"/v1/objectives/{one['id']}/kudos") for one in few))
    return [
        {**kudos, "objective": goal["id"]}
        for goal, answer in zip(few, answers, strict=True)
        for kudos in answer["items"]
    ]
