"""A counter that began anew, over HTTP: what waits is judged again, and the closing's score counts both segments."""

from __future__ import annotations

from typing import Any

from command.service import Organisation, assert_problem

WINDOW = {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}
RESTART = {"at": "2026-11-03T00:00:00Z", "base": "2", "reason": "The counter was replaced"}


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
