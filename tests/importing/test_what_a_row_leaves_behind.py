"""What is told of a row that comes too late, and the reason that its facts are recorded with."""

from __future__ import annotations

import pytest
from command.service import Organisation, Service

from importing.conftest import imported
from importing.test_what_a_file_means import FORMAT, facts, goal, key_result, once_and_twice


async def test_readings_and_moments_that_a_closing_would_have_counted_are_warned_of(
    org: Organisation,
) -> None:
    window = {"moment": "launch", "duration": "P1M"}
    measure = {"kind": "increase", "baseline": "0", "target": "10"}
    fed = {**key_result("fed"), "measure": measure, "bindings": [{"feed": "crm.n", "aggregation": "last"}]}
    closed = goal(
        activated={"at": "2025-01-06"},
        key_results=[fed, {**key_result("opens"), "measure": {**measure, "window": window}}],
        closings=[{"outcome": "partial", "at": "2025-04-01T00:00:00Z"}],
    )
    feeds = [
        {"name": name, "system": "crm", "kind": "gauge", "since": "2025-01-01"} for name in ("crm.n", "crm.m")
    ]
    systems = [{"id": "crm", "name": "CRM"}]
    await imported(org, {**FORMAT, "systems": systems, "feeds": feeds, "objectives": [closed]})

    def reading(id: str, time: str, feed: str = "crm.n") -> dict[str, str]:
        return {"feed": feed, "source": "/crm", "id": id, "time": time, "value": "1"}

    late = [{"name": "launch", "at": "2025-02-01T00:00:00Z"}, {"name": "fair", "at": "2025-02-01T00:00:00Z"}]
    readings = [
        reading("counted", "2025-02-01T00:00:00Z"),
        reading("after", "2025-04-02T00:00:00Z"),
        reading("of another", "2025-02-01T00:00:00Z", "crm.m"),
    ]
    body = {**FORMAT, "moments": late, "readings": readings}
    for dry_run in (True, False):
        answer = await imported(org, body, dry_run=dry_run)

        warned = {one["row"]: one["warning"]["code"] for one in answer["rows"] if "warning" in one}
        assert warned == {"/moments/0": "after_closing", "/readings/0": "after_closing"}
    assert "warning" not in str((await imported(org, body))["rows"])


async def test_each_fact_of_a_row_has_the_rows_reason(service: Service, org: Organisation) -> None:
    table = (
        "row,id,name,title,owner,objective,parent,measure,activated_at,reason\n"
        "unit,sold,Sales,,,,,,,From the old sheet: unit\nperson,per,Per,,,,,,,From the old sheet: person\n"
        "objective,up,,Up,unit/sold,,,,2025-01-06,From the old sheet: up\n"
        "objective,down,,Down,unit/sold,,objective/up,,2025-01-06,From the old sheet: down\n"
        "key_result,k,,Result,,down,,done_or_not,,From the old sheet: k\n"
    )

    await imported(org, table)

    told = [one for one in await facts(service, org) if "sheet" in (one.get("reason") or "")]
    assert [(one["type"], one["reason"].split(": ")[1]) for one in told] == [
        ("UnitCreated", "unit"),
        ("PersonAdded", "person"),
        ("ObjectiveDrafted", "up"),
        ("ObjectiveDrafted", "down"),
        ("KeyResultAdded", "k"),
        ("ObjectiveAligned", "down"),
        ("ObjectiveActivated", "down"),
        ("ObjectiveActivated", "up"),
    ]


@pytest.mark.parametrize("when", ["order", "at"])
async def test_a_cycle_that_was_moved_before_it_was_opened_comes_back(
    service: Service, org: Organisation, when: str
) -> None:
    days = {
        "planned": "2025-01-01T00:00:00Z",
        "moved": "2025-01-02T00:00:00Z",
        "opened": "2025-01-03T00:00:00Z",
    }
    happened = {
        name: {"at": at, **({"order": n} if when == "order" else {})}
        for n, (name, at) in enumerate(days.items())
    }
    first = {"start": "2025-01-06", "end": "2025-03-28"}
    cycle = {
        "id": "q1",
        "name": "Q1",
        "start": "2025-01-13",
        "end": "2025-04-04",
        "first_dates": first,
        **happened,
    }
    goals = [
        goal(
            cycle="q1",
            drafted={"at": "2025-01-04"},
            activated={"at": "2025-01-05"},
            key_results=[key_result()],
        )
    ]

    answer = await once_and_twice(org, {**FORMAT, "cycles": [cycle], "objectives": goals})

    assert answer["counts"]["created"] == len(answer["rows"]), answer["rows"]
    told = [one for one in await facts(service, org) if one["stream"] == "cycle/q1"]
    assert [(one["type"], one["effective_at"][:10]) for one in told] == [
        ("CyclePlanned", "2025-01-01"),
        ("CycleDatesMoved", "2025-01-02"),
        ("CycleOpened", "2025-01-03"),
    ]
