"""The way back: the demo organisation, with a goal amended and closed, leaves by `export` and comes in by `import`.

In an empty workspace it has the same scores as committed and as amended, the same grades, the same alignment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_client import GoalLedger
from goal_ledger_demo import organisation as org
from goal_ledger_demo.days import days
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

TARGET = "way-back"
PROGRAM = Path(sys.executable).with_name("goal-ledger")
START = datetime.now(UTC).date() - timedelta(days=20)


@dataclass
class Place:
    """A workspace of the stack, spoken to as one of its people."""

    stack: Stack
    workspace: str

    def as_(self, person: str) -> GoalLedger:
        at = self.stack.describe()
        token = self.stack.mint_token(person, self.workspace)
        return GoalLedger(at["command_url"], at["query_url"], token)

    def run(self, *words: str, person: str = "kari", code: int = 0) -> subprocess.CompletedProcess[str]:
        """The command line, with everything from the environment."""
        at = self.stack.describe()
        environment = {
            **os.environ,
            "GOAL_LEDGER_COMMAND_URL": at["command_url"],
            "GOAL_LEDGER_QUERY_URL": at["query_url"],
            "GOAL_LEDGER_TOKEN": self.stack.mint_token(person, self.workspace),
            "COLUMNS": "200",
        }
        ran = subprocess.run(
            [str(PROGRAM), *words], env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert ran.returncode == code, (ran.returncode, ran.stdout[-3000:], ran.stderr[-3000:])
        return ran


def _create(stack: Stack, workspace: str, time_zone: str) -> Place:
    stack.operator(
        "create-workspace",
        *("--id", workspace, "--name", "Nordlys", "--time-zone", time_zone, "--admin-person", "kari"),
        *("--admin-name", "Kari Nordmann", "--issuer", ISSUER, "--subject", "kari"),
    )
    place = Place(stack, workspace)
    with place.as_("kari") as admin:
        admin.command("/v1/roles/grant", {"holder": "person/kari", "role": "importer"})
    return place


@pytest.fixture(scope="module")
def source(running_stack: Stack) -> Iterator[Place]:
    place = _create(running_stack, "way-out", org.TIME_ZONE)
    clients = {person: place.as_(person) for person in org.PEOPLE}
    for step in org.steps(START):
        body = step.body | ({"issuer": ISSUER} if step.path == "/v1/identities" else {})
        clients[step.who].command(step.path, body, key=step.key)
    events = [one.cloud_event() for day in days(START, datetime.now(UTC)) for one in day.sent]
    receipts = clients["kari"].readings(events)
    assert {one["outcome"] for one in receipts} <= {"applied", "duplicate"}, receipts
    _amend_and_close(clients)
    _live_on(clients)
    yield place
    for client in clients.values():
        client.close()


def _at(day: int, hour: int = 9) -> str:
    return org.instant(START, day, hour)


def _amend_and_close(clients: dict[str, GoalLedger]) -> None:
    """*delivery* is amended: another target, weight and key result; *packing* is closed, then a value of it corrected."""
    importer, kari = clients["importer"], clients["kari"]
    eased = {"kind": "decrease", "baseline": "72", "target": "36", "unit": "hours"}
    why = {"reason": "The carrier is late"}
    for path, body in (
        ("/v1/key-results/hours/change-measure", {"measure": eased, **why, "effective_at": _at(8)}),
        ("/v1/key-results/hours/change-weight", {"weight": "3", **why, "effective_at": _at(8)}),
        (
            "/v1/objectives/delivery/key-results",
            {
                "id": "complaints",
                "text": "At most 3 complaints",
                "measure": {"kind": "stay_below", "limit": "3"},
                **why,
                "effective_at": _at(9),
            },
        ),
        ("/v1/objectives/delivery/reword", {"title": "Deliver in time", **why, "effective_at": _at(10)}),
        (
            "/v1/objectives/packing/close",
            {
                "outcome": "partial",
                "grade": "0.5",
                **why,
                "retrospective": "Vi pakket bedre 📦",
                "effective_at": _at(12),
            },
        ),
    ):
        importer.command(path, body)
    late = {"values": [{"part": "value", "value": "27"}], "effective_at": _at(11), **why}
    importer.command("/v1/check-ins/parcels-10/correct", late)
    kari.command(
        "/v1/key-results/complaints/check-ins",
        {"id": "complaints-1", "values": [{"part": "value", "value": "2"}], "effective_at": _at(11)},
    )
    # aligned when its parent was committed already: no part of that commitment
    importer.command(
        "/v1/objectives", {"id": "late", "title": "Help out", "owner": "person/jonas", "effective_at": _at(3)}
    )
    boxes = {"kind": "increase", "baseline": "0", "target": "10"}
    importer.command(
        "/v1/objectives/late/key-results",
        {"id": "boxes", "text": "10 boxes", "measure": boxes, "effective_at": _at(3)},
    )
    importer.command(
        "/v1/objectives/late/align",
        {"link": "late-up", "parent": "objective/delivery", "weight": "2", "effective_at": _at(3)},
    )
    importer.command("/v1/objectives/late/activate", {"effective_at": _at(4)})
    importer.command(
        "/v1/key-results/boxes/check-ins",
        {"id": "boxes-1", "values": [{"part": "value", "value": "4"}], "effective_at": _at(6)},
    )


def _live_on(clients: dict[str, GoalLedger]) -> None:
    """Links reweighted, a key result dropped, a goal reopened, a reading released, a cycle moved, a seat left."""
    importer = clients["importer"]
    why = {"reason": "So it went"}
    first, last = START - timedelta(days=7), START + timedelta(days=90)
    increase = {"kind": "increase", "baseline": "0", "target": "10"}
    steps: list[tuple[str, dict[str, Any]]] = [
        (
            "/v1/objectives/delivery/align",
            {"parent": "objective/recommended", "weight": "3", **why, "effective_at": _at(11)},
        ),
        (
            "/v1/cycles/launch/move-dates",
            {"start": f"{first}", "end": f"{last}", **why, "effective_at": _at(13)},
        ),
        ("/v1/key-results/market/drop", {**why, "effective_at": _at(14)}),
        ("/v1/key-results/subscribers/change-weight", {"weight": "0.5", **why, "effective_at": _at(8)}),
        (
            "/v1/objectives",
            {"id": "again", "title": "Again", "owner": "unit/marketing", "effective_at": _at(1)},
        ),
        (
            "/v1/objectives/again/key-results",
            {"id": "again-kr", "text": "Ten", "measure": increase, "effective_at": _at(1)},
        ),
        ("/v1/objectives/again/activate", {"effective_at": _at(2)}),
        (
            "/v1/key-results/again-kr/check-ins",
            {"id": "again-1", "values": [{"value": "3"}], "effective_at": _at(3)},
        ),
        ("/v1/objectives/again/close", {"outcome": "missed", "grade": "0.3", "effective_at": _at(4)}),
        ("/v1/objectives/again/reopen", {**why, "effective_at": _at(5)}),
        (
            "/v1/key-results/again-kr/change-measure",
            {"measure": {**increase, "target": "5", "unit": "boxes"}, **why, "effective_at": _at(6)},
        ),
        (
            "/v1/key-results/again-kr/check-ins",
            {"id": "again-2", "values": [{"value": "4"}], "effective_at": _at(7)},
        ),
        (
            "/v1/key-results/again-kr/check-ins",
            {"id": "again-3", "values": [{"value": "5"}], "effective_at": _at(8)},
        ),
        ("/v1/check-ins/again-3/retract", why),
        (
            "/v1/feeds",
            {"name": "hall", "system": org.SYSTEM, "kind": "gauge", "high": "30", "effective_at": _at(0)},
        ),
        (
            "/v1/objectives/again/key-results",
            {"id": "warm", "text": "Warm", "measure": {"kind": "stay_above", "limit": "18"}, **why},
        ),
        ("/v1/key-results/warm/bind", {"feed": "hall", "aggregation": "max", **why}),
        ("/v1/objectives/again/put-in-cycle", {"cycle": "launch", **why}),
        ("/v1/units/logistics/rename", {"name": "Logistikk"}),
        ("/v1/people/jonas/leave-unit", {"unit": "logistics"}),
    ]
    order = [*steps[:-5], steps[-3], *steps[-5:-3], *steps[-2:]]
    for path, body in order:
        importer.command(path, body)
    _read_the_hall(clients["kari"], why)


def _read_the_hall(kari: GoalLedger, why: dict[str, str]) -> None:
    """Two readings, of which the second is beyond the feed's limit, and released."""
    readings = [("a", 3, "17"), ("b", 4, "41")]
    kari.readings(
        [
            {
                "specversion": "1.0",
                "type": "goal-ledger.reading.v1",
                "source": "/hall",
                "id": id,
                "time": _at(day),
                "subject": "hall",
                "data": {"value": value},
            }
            for id, day, value in readings
        ]
    )
    kari.command("/v1/readings/release", {"feed": "hall", "source": "/hall", "id": "b", **why})


@pytest.fixture(scope="module")
def exported(source: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("way-back") / "organisation.json"
    with source.as_("kari") as admin:
        position = admin.command("/v1/moments", {"name": "exported", "at": _at(19)}).position
    source.run("export", str(file), "--position", position)
    return file


@pytest.fixture(scope="module")
def target(running_stack: Stack, exported: Path) -> Place:
    place = _create(running_stack, TARGET, "Asia/Tokyo")
    place.run("import", str(exported))
    return place


def _goals(place: Place, **clocks: str) -> dict[str, Any]:
    with place.as_("kari") as reader:
        position = reader.command("/v1/people/kari/rename", {"display_name": "Kari Nordmann"}).position
        listed = reader.query("/v1/objectives", after=position, limit=200, **clocks)["items"]
        return {
            one["id"]: reader.query(f"/v1/objectives/{one['id']}", **clocks)["objective"] for one in listed
        }


SAME = (
    *(
        "title",
        "owner",
        "contributors",
        "kind",
        "cycle",
        "state",
        "outcome",
        "grade",
        "score",
        "score_committed",
    ),
    *(
        "score_difference",
        "activated_at",
        "restated",
        "counted",
        "left_out",
        "counted_committed",
        "left_out_committed",
    ),
)
SAME_OF_KEY_RESULT = (
    *("id", "text", "weight", "dropped", "measure", "bindings", "state", "raw", "score", "score_committed"),
    *("beyond", "mean", "bottleneck", "confidence", "last_check_in_at"),
)


def test_scores_grades_and_alignment_are_the_same_in_an_empty_workspace(source: Place, target: Place) -> None:
    before, after = _goals(source), _goals(target)

    assert set(after) == set(before) >= {"delivery", "packing", "late", "web-shop"}
    for id, goal in before.items():
        assert {name: after[id][name] for name in SAME} == {name: goal[name] for name in SAME}, id
        for was, now in zip(goal["key_results"], after[id]["key_results"], strict=True):
            assert {n: now[n] for n in SAME_OF_KEY_RESULT} == {n: was[n] for n in SAME_OF_KEY_RESULT}, was[
                "id"
            ]
            assert _committed(now) == _committed(was)
        for name in ("parents", "children"):
            assert _links(after[id][name]) == _links(goal[name])
    assert before["delivery"]["score_committed"] != before["delivery"]["score"]
    assert after["packing"]["closings"][0]["retrospective"] == "Vi pakket bedre 📦"
    assert after["packing"]["restated"]["score"] != after["packing"]["score"]


def test_scores_of_the_past_are_the_same(source: Place, target: Place) -> None:
    for day in (3, 7, 9, 12):
        before, after = _goals(source, as_of=_at(day)), _goals(target, as_of=_at(day))
        for id in ("packing", "web-shop", "newsletter", "recommended"):
            assert {n: after[id][n] for n in ("score", "score_committed", "state")} == {
                n: before[id][n] for n in ("score", "score_committed", "state")
            }, (day, id)


def test_a_second_import_records_nothing(target: Place, exported: Path) -> None:
    ran = target.run("import", str(exported), "--json")

    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [one for one in lines[:-1] if one["outcome"] != "unchanged"] == []


def test_what_comes_in_goes_out_again(target: Place, exported: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json"
    target.run("export", str(again))

    first, second = json.loads(exported.read_text()), json.loads(again.read_text())
    assert _bare(second["objectives"]) == _bare(first["objectives"])
    assert _bare(second["check_ins"]) == _bare(first["check_ins"])
    assert _bare(second["readings"]) == _bare(first["readings"])


def _committed(key_result: dict[str, Any]) -> Any:
    kept = key_result["committed"]
    return None if kept is None else {name: kept[name] for name in ("measure", "weight", "raw", "score")}


def _links(links: list[dict[str, Any]]) -> list[Any]:
    return sorted((one["child"], one["parent"], one["mode"], one["weight"]) for one in links)


def _bare(thing: Any) -> Any:
    """Without what every record has of its own: orders and reasons; rows in order of their ids."""
    if isinstance(thing, dict):
        return {name: _bare(one) for name, one in thing.items() if name not in ("order", "reason")}
    if isinstance(thing, list):
        bare = [_bare(one) for one in thing]
        return sorted(bare, key=lambda one: json.dumps(one, sort_keys=True))
    return thing


def test_a_workspace_begun_in_the_past_keeps_past_policies_and_closings_by_them(
    running_stack: Stack, source: Place, tmp_path: Path
) -> None:
    """A parent closed in the past, by a policy of that past."""
    running_stack.operator(
        "create-workspace",
        *("--id", "way-past", "--name", "Past", "--time-zone", "Europe/Oslo", "--admin-person", "kari"),
        *("--admin-name", "Kari", "--issuer", ISSUER, "--subject", "kari"),
        *("--since", "2024-01-01T00:00:00Z", "--admin-imports"),
    )
    place = Place(running_stack, "way-past")
    measure = {"kind": "increase", "baseline": "0", "target": "10"}

    def goal(id: str, **more: Any) -> dict[str, Any]:
        key_results = [{"id": f"{id}-kr", "text": "Ten", "measure": measure}]
        when = {"drafted": {"at": "2024-02-01T00:00:00Z"}, "activated": {"at": "2024-02-02T00:00:00Z"}}
        return {"id": id, "title": id, "owner": "person/kari", "key_results": key_results, **when, **more}

    document = {
        "format": "goal-ledger.organisation.v1",
        "policies": [
            {"scope": "objective/top", "policy": {"roll_up": "both"}, "effective_at": "2024-02-01T12:00:00Z"}
        ],
        "objectives": [
            goal("top", closings=[{"outcome": "partial", "at": "2024-04-01T00:00:00Z", "grade": "0.3"}]),
            goal("under", links=[{"parent": "objective/top"}]),
        ],
        "check_ins": [
            {
                "id": "c1",
                "key_result": "top-kr",
                "effective_at": "2024-03-01T00:00:00Z",
                "values": [{"value": "2"}],
            },
            {
                "id": "c2",
                "key_result": "under-kr",
                "effective_at": "2024-03-01T00:00:00Z",
                "values": [{"value": "6"}],
            },
        ],
    }
    file = tmp_path / "past.json"
    file.write_text(json.dumps(document))
    place.run("import", str(file))

    assert _goals(place)["top"]["score"] == "0.4"


def test_the_grade_that_a_closing_suggests_is_the_score_that_the_goal_keeps(target: Place) -> None:
    """Fed by counters and counts in a window, amended, with a closed child, rolled up from both."""
    with target.as_("kari") as kari:
        for id in ("web-shop", "delivery", "recommended", "newsletter"):
            kari.command(f"/v1/objectives/{id}/close", {"outcome": "partial"})
    after = _goals(target)

    for id in ("web-shop", "delivery", "recommended", "newsletter"):
        closing, score = after[id]["closings"][-1], after[id]["score"]
        assert closing["grade"] == closing["suggested"], id
        assert abs(float(closing["suggested"]) - float(score)) <= 0.000001, (id, closing, score)


def test_a_file_larger_than_a_piece_is_sent_in_pieces_and_found_by_its_import_id(
    running_stack: Stack, tmp_path: Path
) -> None:
    place = _create(running_stack, "in-pieces", "Europe/Oslo")
    measure = {"kind": "increase", "baseline": "0", "target": "10"}
    goal = {"id": "g", "title": "Grow", "owner": "person/kari", "drafted": {"at": "2025-01-02"}}
    goal |= {
        "activated": {"at": "2025-01-06"},
        "key_results": [{"id": "k", "text": "Ten", "measure": measure}],
    }
    check_ins = [
        {
            "id": f"c{n}",
            "key_result": "k",
            "effective_at": "2025-02-01",
            "values": [{"value": "5"}],
            "note": "x" * 3000,
        }
        for n in range(400)
    ]
    file = tmp_path / "large.json"
    file.write_text(
        json.dumps({"format": "goal-ledger.organisation.v1", "check_ins": check_ins, "objectives": [goal]})
    )

    first = place.run("import", str(file), "--import-id", "large-1", "--json").stdout.splitlines()
    again = place.run("import", str(file), "--json").stdout.splitlines()

    assert json.loads(first[-1])["summary"]["counts"]["created"] == 402 == len(first) - 1
    assert json.loads(again[-1])["summary"]["counts"]["unchanged"] == 402
    with place.as_("kari") as reader:
        position = json.loads(first[-1])["summary"]["position"]
        asked = {"q": "large-1", "type": "CheckInRecorded", "limit": 1000}
        assert len(reader.query("/v1/facts", after=position, asked_of=asked)["items"]) == 400
