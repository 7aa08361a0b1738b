"""A counter that began anew, over HTTP: what waits is judged again, and the closing's score counts both segments."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import asyncpg
import pytest
from goal_ledger_command.migrations import migrate
from goal_ledger_command.preparing import _WAITING
from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_contracts.feed import CounterRestarted, ReadingQuarantined, ReadingRecorded, ReadingReleased
from goal_ledger_contracts.objective import ObjectiveClosed
from goal_ledger_local.postgres import Postgres
from goal_ledger_scoring.aggregation import (
    FeedDefinition,
    Reading,
    combine,
    stretches,
    sum_up,
    with_restarts,
)
from goal_ledger_scoring.windows import Span

from command.service import Organisation, assert_problem

WINDOW = {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}
RESTART = {"at": "2026-11-03T00:00:00Z", "base": "2", "reason": "The counter was replaced"}

A_FEED = """
INSERT INTO facts (workspace, seq, stream, version, type, event_id, recorded_at, hash, bytes)
SELECT 'acme', n, 'feed/visitors', n, CASE WHEN n % 1000 = 0 THEN 'ReadingQuarantined' ELSE 'ReadingRecorded' END,
       gen_random_uuid(), now(), '', convert_to(json_build_object('data', json_build_object('id', n))::text, 'UTF8')
FROM generate_series(1, 20000) n;
ANALYZE facts
"""


def reading(n: int, value: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "/shop",
        "id": f"r{n}",
        "time": f"2026-11-{n:02}T00:00:00Z",
        "subject": "visitors",
        "data": {"value": value},
    }


async def counted(org: Organisation, *values: str) -> None:
    """An active goal of 156 more visitors in November, fed by a counter that is read every day."""
    await org.given_system("shop")
    measure = {"kind": "increase", "baseline": "0", "target": "156", "window": WINDOW}
    await org.given(
        ("/v1/feeds", {"name": "visitors", "system": "shop", "kind": "counter"}),
        ("/v1/objectives", {"id": "shop", "title": "Shop", "owner": "person/ada"}),
        ("/v1/objectives/shop/key-results", {"id": "visits", "text": "More", "measure": measure}),
        ("/v1/key-results/visits/bind", {"feed": "visitors", "aggregation": "increase"}),
        ("/v1/objectives/shop/activate", {}),
    )
    for n, value in enumerate(values, 1):
        answer = await org.post("/v1/readings", reading(n, value), "shop")
        assert answer.is_success, answer.text


async def facts_of(org: Organisation, path: str, body: dict[str, Any]) -> list[str]:
    answer = await org.post(path, body)
    assert answer.status_code == 200, answer.text
    return [one["type"] for one in answer.json()["facts"]]


async def test_a_restart_releases_what_waits_and_counts_in_the_score_of_the_closing(
    org: Organisation,
) -> None:
    await counted(org, "100", "150", "5", "12", "8", "30")
    types = await facts_of(org, "/v1/feeds/visitors/restart", RESTART)
    assert types == ["CounterRestarted", "ReadingReleased", "ReadingReleased", "ReadingReleased"]
    assert await facts_of(org, "/v1/feeds/visitors/restart", RESTART) == []
    other = await org.post("/v1/objectives/shop/close", {"outcome": "partial", "grade": "0.4"})
    assert_problem(other, 422, "reason_required")
    await org.given(("/v1/objectives/shop/close", {"outcome": "partial", "grade": "0.5"}))


async def test_a_restart_by_mistake_is_retracted(org: Organisation) -> None:
    await counted(org, "100")
    await org.given(("/v1/feeds/visitors/restart", RESTART))
    wrong = await org.post("/v1/feeds/visitors/restart", RESTART | {"base": "3"})
    assert_problem(wrong, 409, "id_taken", "/at")
    taken_back = {"at": RESTART["at"], "reason": "It went on"}
    assert await facts_of(org, "/v1/feeds/visitors/retract-restart", taken_back) == [
        "CounterRestartRetracted"
    ]
    assert await facts_of(org, "/v1/feeds/visitors/restart", RESTART | {"base": "3"}) == ["CounterRestarted"]


async def test_the_same_definition_again_is_refused(org: Organisation) -> None:
    await counted(org)
    answer = await org.post("/v1/feeds/visitors/redefine", {"kind": "counter", "reason": "It began anew"})
    assert "restart" in assert_problem(answer, 409, "nothing_redefined")["detail"]


async def recorded(org: Organisation) -> list[Fact]:
    await org.given(("/v1/roles/grant", {"holder": "person/ada", "role": "auditor"}))
    lines = (await org.get("/v1/log", limit=5000)).text.splitlines()
    return [from_bytes(line.encode()) for line in lines]


def added_up(facts: list[Fact]) -> Decimal | None:
    """The increase in November by the scoring library, from the facts alone."""
    waiting = {f.data.id: f.data for f in facts if isinstance(f.data, ReadingQuarantined)}
    accepted = []
    for fact in facts:
        match fact.data:
            case ReadingRecorded():
                accepted.append(Reading(fact.data.time, fact.seq, fact.data.value))
            case ReadingReleased():
                data = waiting[fact.data.id]
                accepted.append(Reading(data.time, fact.seq, data.value))
    restarts = [(f.data.at, f.data.base) for f in facts if isinstance(f.data, CounterRestarted)]
    month = Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    cut = stretches(with_restarts([FeedDefinition("counter", None)], restarts), month, "increase")
    now = datetime.now(UTC)
    return combine("increase", [sum_up(accepted, one, None, now) for one in cut]).value


@pytest.mark.parametrize("seed", range(3))
async def test_the_closing_adds_up_as_the_scoring_library_does_whatever_was_restarted(
    org: Organisation, seed: int
) -> None:
    drawn = random.Random(seed)
    await counted(org)
    for n in drawn.sample(range(1, 28), 18):
        await org.post("/v1/readings", reading(n, str(drawn.randint(0, 60))), "shop")
    for n in drawn.sample(range(2, 28), 3):
        at = datetime(2026, 11, n, tzinfo=UTC) - timedelta(hours=drawn.randint(0, 1))
        body = RESTART | {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "base": str(drawn.randint(0, 5))}
        answer = await org.post("/v1/feeds/visitors/restart", body)
        assert answer.status_code in (200, 409), answer.text
    wanted = added_up(await recorded(org))
    await org.given(("/v1/objectives/shop/close", {"outcome": "partial"}))
    closing = next(f.data for f in await recorded(org) if isinstance(f.data, ObjectiveClosed))
    assert wanted is not None
    score = min(max(wanted / 156, Decimal(0)), Decimal(1))
    assert closing.suggested == score.quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


async def test_what_waits_is_found_among_the_readings_of_a_feed_without_reading_them(
    postgres: Postgres,
) -> None:
    ledger_url = await postgres.create("ledger")
    await migrate(ledger_url, await postgres.create("keys"))
    connection = await asyncpg.connect(ledger_url)
    await connection.execute(A_FEED)
    plan = await connection.fetch(
        f"EXPLAIN (ANALYZE) {_WAITING}", "acme", "feed/visitors", datetime(2026, 1, 1, tzinfo=UTC), 100
    )
    await connection.close()

    lines = [row[0] for row in plan]
    scans = [line for line in lines if " on facts " in line]
    assert len(scans) == 2 and all("facts_judging" in line for line in scans), "\n".join(lines)
