"""Two links that would close a loop together, at the same time through two processes: exactly one of them wins."""

from __future__ import annotations

import asyncio
from collections import Counter

from goal_ledger_local.stack import Stack
from httpx2 import AsyncClient

from faults.another_command import two_commands
from faults.finding import Finding
from faults.ground import ADMIN, Ground, break_ground
from faults.sending import Attempt, Means, attempt, http_client
from faults.whole import compare

PAIRS_AT_ONCE = 10


async def racing_links(stack: Stack, pairs: int = 500) -> Finding:
    """The loser is refused with the path of the loop that it would have closed."""
    found = Finding("of two links that close a loop exactly one wins")
    ground = await asyncio.to_thread(break_ground, stack, "racing")
    wins: Counter[str] = Counter()
    async with two_commands(stack) as urls, http_client() as http:
        for start in range(0, pairs, PAIRS_AT_ONCE):
            numbers = range(start, min(start + PAIRS_AT_ONCE, pairs))
            await asyncio.gather(*(_draft(http, urls[0], ground, n, end) for n in numbers for end in "ab"))
            races = await asyncio.gather(*(_race(http, urls, ground, number) for number in numbers))
            for number, (up, down) in zip(numbers, races, strict=True):
                wins.update(_judge(found, number, up, down))
    whole = await compare(ground)
    found.wrong += whole.wrong
    found.note(pairs=pairs, won_by_first_process=wins["first"], won_by_second=wins["second"])
    return found


async def _draft(http: AsyncClient, url: str, ground: Ground, number: int, end: str) -> None:
    body = {"id": f"{end}-{number}", "title": f"End {end} of pair {number}", "owner": f"person/{ADMIN}"}
    drafted = await attempt(http, url, ground.token, "/v1/objectives", body)
    assert drafted.means is Means.ACKNOWLEDGED, drafted


async def _race(
    http: AsyncClient, urls: tuple[str, str], ground: Ground, number: int
) -> tuple[Attempt, Attempt]:
    def link(url: str, child: str, parent: str) -> asyncio.Task[Attempt]:
        body = {"parent": f"objective/{parent}-{number}", "link": f"{child}-{parent}-{number}"}
        path = f"/v1/objectives/{child}-{number}/align"
        return asyncio.ensure_future(attempt(http, url, ground.token, path, body))

    first, second = link(urls[0], "a", "b"), link(urls[1], "b", "a")
    return await first, await second


def _judge(found: Finding, number: int, first: Attempt, second: Attempt) -> list[str]:
    """Who won; what is wrong goes to the finding."""
    won = [
        name
        for name, one in (("first", first), ("second", second))
        if one.means is Means.ACKNOWLEDGED and one.body["facts"]
    ]
    found.expect(len(won) == 1, f"pair {number}: {len(won)} links were made")
    for one in (first, second):
        if one.means is Means.ACKNOWLEDGED:
            continue
        said = (one.status, one.code)
        found.expect(said == (409, "alignment_loop"), f"pair {number}: the loser was told {said}")
        path = (one.body or {}).get("path") or []
        ends = {f"a-{number}", f"b-{number}"}
        found.expect(
            len(path) == 3 and path[0] == path[-1] and {str(p).rpartition("/")[2] for p in path} == ends,
            f"pair {number}: the path of the loop is {path}",
        )
    return won
