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
DAYS = 7
WEEKS_SHOWN = 6
CHECK_INS_MAX = "20"
KUDOS_OF_GOALS_MAX = 8


async def mine(page: WebPage) -> Response:
    """`/`: for who has signed in."""
    me = page.session.holder
    duties = await _duties(page)
    led = sorted({one["owner"] for one in duties if one["because"] == "lead"})
    owners = [me, *led] if me.startswith("person/") else led
    goals, recent, names = await asyncio.gather(_of_owners(page, owners), _recent(page), page.names())
    return page.show(
        "my_week.html",
        led=led,
        goals=by_urgency(goals),
        duties=[one for one in duties if one["owed"] or one["overdue"]],
        recent=recent["items"],
        kudos=await _kudos(page, goals),
        names=names,
    )


async def _duties(page: WebPage) -> list[Json]:
    """The goals of who has signed in, with their due dates; a system has none."""
    if not page.session.holder.startswith("person/"):
        return []
    return list((await page.ask("/v1/owed"))["items"])


async def of_unit(page: WebPage) -> Response:
    """`/units/<id>`."""
    id = page.request.path_params["id"]
    unit = await page.ask(f"/v1/units/{id}")
    goals, silent, taking_part, recent, names = await asyncio.gather(
        page.ask("/v1/objectives", unit=id, state="active", limit="200"),
        page.ask("/v1/silent", unit=id),
        page.ask("/v1/participation"),
        _recent(page, unit=id),
        page.names(),
    )
    return page.show(
        "unit_week.html",
        unit=unit["unit"],
        goals=by_urgency(goals["items"]),
        silent=silent,
        silent_ones=[one for one in silent["items"] if one["silent"]],
        weeks=weeks_of(taking_part, id)[:WEEKS_SHOWN],
        recent=recent["items"],
        names=names,
    )


def weeks_of(taking_part: Json, unit: str) -> list[Json]:
    """The weeks of a participation answer, the newest first: the unit's tally beside the pilots' and the rest's."""
    own: list[Json] = next((one["periods"] for one in taking_part["units"] if one["unit"] == unit), [])
    found = [
        {**period, "own": mine, "pilots": pilots, "rest": rest}
        for period, mine, pilots, rest in zip(
            taking_part["periods"], own, taking_part["pilots"], taking_part["rest"], strict=False
        )
    ]
    return found[::-1]


def by_urgency(things: list[Json]) -> list[Json]:
    """By status, the silent and the endangered first."""
    order = {status: number for number, status in enumerate(URGENCY)}
    return sorted(things, key=lambda one: (order.get(one["status"], len(order)), one["id"]))


async def _of_owners(page: WebPage, owners: list[str]) -> list[Json]:
    """Their active goals."""
    answers = await asyncio.gather(
        *(page.ask("/v1/objectives", owner=owner, state="active", limit="100") for owner in owners)
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
