"""The running example through every real part: HTTP and Kafka in, scores out, on both clocks."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import httpx2
import pytest
from end_to_end.shop import Scores, Shop, day, emit, open_shop, scores, written
from faults.whole import compare
from goal_ledger_client import exchange
from goal_ledger_contracts.canonical import instant_text
from goal_ledger_local.stack import Stack


@pytest.fixture(scope="module")
async def shop(running_stack: Stack) -> Shop:
    return await asyncio.to_thread(open_shop, running_stack)


@pytest.fixture(scope="module")
async def told(shop: Shop) -> str:
    """Everything of the example has happened; the position that holds it."""

    def check_in() -> None:
        shop.check_in("open", "open-1", -3, ["design"])
        shop.check_in("open", "open-2", 1, ["design", "payment"])
        shop.check_in("market", "market-1", 3, ["newsletter"])

    await asyncio.to_thread(check_in)
    return await emit(shop)


async def assert_seen(shop: Shop, wanted: Scores, **clocks: str | None) -> None:
    """What the query side shows, by every way that shows it."""
    goal = (await shop.ask("/v1/objectives/web-shop", **clocks))["objective"]
    first_month = (await shop.ask("/v1/key-results/first-month", **clocks))["key_result"]
    seen = {one["id"]: one["score"] for one in goal["key_results"]}
    assert seen == {
        "open": written(wanted.opened),
        "market": written(wanted.marketed),
        "first-month": written(wanted.first_month),
    }
    assert goal["score"] == goal["score_committed"] == written(wanted.objective)
    parts = {one["part"]: one["score"] for one in first_month["parts"]}
    assert parts == {"visitors": written(wanted.visitors), "sales": written(wanted.sales)}
    assert first_month["mean"] == written(wanted.mean)


async def test_the_scores_are_those_counted_from_what_was_sent(shop: Shop, told: str) -> None:
    wanted = scores(at=10, steps_open=2, steps_marketed=1)
    assert (wanted.visitors, wanted.sales) == (Fraction(1), Fraction(4, 10))

    await assert_seen(shop, wanted, after=told)

    first_month = (await shop.ask("/v1/key-results/first-month"))["key_result"]
    assert (first_month["bottleneck"], first_month["reached"]) == ("sales", False)


@pytest.mark.parametrize("at", [1.5, 4.5, 5.5, 9.0])
async def test_as_of_shows_what_was_true_then(shop: Shop, told: str, at: float) -> None:
    if at < 3:
        goal = (await shop.ask("/v1/objectives/web-shop", after=told, as_of=instant_text(day(at))))[
            "objective"
        ]
        assert {one["id"]: one["score"] for one in goal["key_results"]}["market"] is None
        return
    await assert_seen(shop, scores(at, 2, 1), after=told, as_of=instant_text(day(at)))


async def test_known_at_shows_what_was_known_before_a_correction(shop: Shop, told: str) -> None:
    then = (await shop.ask("/v1/objectives/web-shop", after=told))["position"]
    corrected = {
        "values": [{"part": "value", "done": ["newsletter", "contacts"]}],
        "effective_at": instant_text(day(3)),
        "reason": "The contacts were forgotten",
    }

    def correct() -> str:
        with shop.as_("ola") as ola:
            return ola.command("/v1/check-ins/market-1/correct", corrected).position

    now = await asyncio.to_thread(correct)

    await assert_seen(shop, scores(10, 2, 2), after=now)
    await assert_seen(shop, scores(10, 2, 1), after=now, known_at=then)
    await assert_seen(shop, scores(4.5, 2, 2), after=now, as_of=instant_text(day(4.5)))


async def test_a_query_waits_for_the_position_of_the_command_before(shop: Shop, told: str) -> None:
    for number in range(10):
        done = ["design", "payment", "logistics"][: 1 + number % 3]
        position = await asyncio.to_thread(shop.check_in, "open", f"waited-{number}", 9.5, done)
        answer = await shop.ask("/v1/key-results/open", after=position)
        assert answer["key_result"]["parts"][0]["done"] == sorted(done)
        assert answer["position"] == position


async def test_a_position_not_reached_in_time_is_said_to_be_so(shop: Shop, told: str) -> None:
    ground = shop.ground
    ahead = f"1-{int(told.partition('-')[2]) + 1_000_000}"
    async with httpx2.AsyncClient() as http:
        answer = await http.get(
            f"{ground.query_url}/v1/objectives/web-shop",
            params={"wait_ms": 50},
            headers=exchange.headers(ground.token, after=ahead),
        )
    assert (answer.status_code, answer.json()["code"]) == (503, "not_yet")
    assert answer.headers["Retry-After"]


async def test_the_record_of_the_example_is_whole(shop: Shop, told: str) -> None:
    assert not (await compare(shop.ground)).wrong
