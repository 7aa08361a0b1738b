"""Exports: the rows that questions answer, in four forms, at any moment, byte for byte again."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goal_ledger_contracts.measures import Increase
from goal_ledger_contracts.objective import CheckInCorrected, MeasureChanged, PartValue
from goal_ledger_contracts.person import PersonAdded, UnitJoined, UnitLeft
from goal_ledger_contracts.personal import Sealed
from goal_ledger_history.goalposts import FLAGS
from goal_ledger_projection.exports import delivery, pages
from goal_ledger_projection.exports.schemas import DATASETS
from projection.query.conftest import Reading
from projection.query.story import START, TEN, Story, d
from projection.query.test_lists import furnished

GOLDEN = Path(__file__).parent / "golden_exports"
FORMATS = ("parquet", "arrow", "csv", "jsonl")
Rows = list[dict[str, Any]]


async def file(story: Story, dataset: str, format: str = "parquet", **params: Any) -> bytes:
    answer = await story.get(f"/v1/exports/{dataset}", format=format, **params)
    assert answer.status_code == 200, answer.text
    return answer.content


async def rows(story: Story, dataset: str, **params: Any) -> Rows:
    found: Rows = pq.read_table(io.BytesIO(await file(story, dataset, **params))).to_pylist()
    return found


def as_text(value: Any) -> str | None:
    """As CSV has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if hasattr(value, "tzinfo"):
        return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"
    return "" if value is None else str(value)


def same(written: str | None, value: Any) -> bool:
    """An answer's decimal and an exported one."""
    return (written is None and value is None) or Decimal(written or "NaN") == value


@pytest.mark.parametrize("dataset", DATASETS)
async def test_a_dataset_is_the_same_in_every_form_and_as_its_schema_says(story: Story, dataset: str) -> None:
    furnished(story)
    story.tell("person/bo", PersonAdded(Sealed("person/bo", "n", "c")), UnitJoined("web"))
    await story.arrive()
    table = pq.read_table(io.BytesIO(await file(story, dataset)))
    columns = (await story.ask("/v1/exports"))["datasets"][list(DATASETS).index(dataset)]["columns"]
    assert table.num_rows and table.column_names == [one["name"] for one in columns]
    streamed = pa.ipc.open_stream(await file(story, dataset, "arrow")).read_all()
    assert streamed.equals(table)
    lines = csv.DictReader(io.StringIO((await file(story, dataset, "csv")).decode(), newline=""))
    assert list(lines) == [{name: as_text(one) for name, one in row.items()} for row in table.to_pylist()]
    for line, row in zip((await file(story, dataset, "jsonl")).splitlines(), table.to_pylist(), strict=True):
        for name, one in json.loads(line).items():
            assert (
                same(one, row[name])
                if isinstance(row[name], Decimal)
                else one in (row[name], as_text(row[name]))
            )


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_published_schema_never_changes(dataset: str) -> None:
    one = DATASETS[dataset]
    golden = json.loads((GOLDEN / f"{one.schema}.json").read_text())
    assert golden == [[column.name, column.kind.value, not column.needed] for column in one.columns]
    for earlier in range(1, one.version):
        assert (GOLDEN / f"{dataset}.v{earlier}.json").exists()


async def test_scores_and_statuses_are_those_of_the_answers_at_the_same_token(story: Story) -> None:
    furnished(story)
    await story.arrive()
    for clocks in ({}, {"as_of": (START + timedelta(days=2)).isoformat()}, {"known_at": "1-30"}):
        goals = await story.ask("/v1/objectives", limit=200, **clocks)
        listed = await story.ask("/v1/key-results", token=goals["token"])
        answers = {f"objective/{one['id']}": one for one in goals["items"]}
        answers |= {f"key-result/{one['id']}": one for one in listed["items"]}
        await _the_numbers_are_those_of(story, answers, goals["token"])


async def _the_numbers_are_those_of(story: Story, answers: Mapping[str, Any], token: str) -> None:
    scores = {one["subject"]: one for one in await rows(story, "scores", token=token)}
    statuses = {one["subject"]: one for one in await rows(story, "statuses", token=token)}
    assert scores.keys() == statuses.keys() == answers.keys()
    for subject, answer in answers.items():
        for name in ("score", "score_committed", "score_difference", "expected"):
            assert same(answer[name], scores[subject][name]), (subject, name)
        assert same(answer["gap"], statuses[subject]["gap"])
        assert same(answer["confidence"], statuses[subject]["confidence"])
        for name in ("status", "status_stated", "status_computed"):
            assert statuses[subject][name] == answer[name]


async def test_check_ins_and_facts_are_those_of_the_answers(story: Story) -> None:
    furnished(story)
    await story.arrive()
    for params in (
        {},
        {"objective": "shop"},
        {"author": "person/ada"},
        {"unit": "all"},
        {"status": "at_risk"},
    ):
        answered = (await story.ask("/v1/check-ins", **params))["items"]
        exported = await rows(story, "check-ins", **params)
        assert [one["check_in"] for one in exported] == [one["id"] for one in reversed(answered)]
        for row, answer in zip(exported, reversed(answered), strict=True):
            assert json.loads(row["values"]) == answer["values"] and row["note"] == answer["note"]
            assert [json.loads(row[name]) for name in ("blockers", "evidence")] == [
                answer[name] for name in ("blockers", "evidence")
            ]
            assert row["event_id"] == answer["event_id"] and row["reason"] == answer["reason"]
    facts = (await story.ask("/v1/facts", limit=1000))["items"]
    exported = await rows(story, "facts")
    assert [json.loads(row["data"]) for row in exported] == [one["data"] for one in facts]
    assert all(hashlib.sha256(b"\0" + row["fact"].encode()).hexdigest() == row["hash"] for row in exported)


async def test_the_same_token_gives_the_same_bytes_whatever_came_later_and_however_it_is_read(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished(story)
    await story.arrive()
    token = (await story.ask("/v1/exports"))["token"]
    asked = [(dataset, form) for dataset in DATASETS for form in FORMATS]
    before = [await file(story, *one, token=token) for one in asked]
    story.check_in("shop", "visits", "3", at=START + timedelta(days=1))
    story.tell(
        "objective/shop", CheckInCorrected("c2", "visits", (PartValue("value", d("7")),)), reason="Again"
    )
    await story.arrive()
    for name, small in (("FIRST_ROWS", 3), ("ROWS_MAX", 2), ("PAGE_BYTES_MAX", 1500)):
        monkeypatch.setattr(pages, name, small)
    assert [await file(story, *one, token=token) for one in asked] == before


async def test_a_file_says_what_it_is_and_its_digests_hold(story: Story) -> None:
    furnished(story)
    await story.arrive()
    answer = await story.get("/v1/exports/scores", as_of="2026-02-01T00:00:00Z")
    said = pq.read_metadata(io.BytesIO(answer.content)).metadata
    assert said[b"goal-ledger.token"].decode() == answer.headers["Goal-Ledger-Token"]
    assert said[b"goal-ledger.schema"].decode() == answer.headers["Goal-Ledger-Schema"] == "scores.v1"
    assert said[b"goal-ledger.calculation"].decode() == answer.headers["Goal-Ledger-Calculation"]
    assert said[b"goal-ledger.as_of"] == b"2026-02-01T00:00:00.000000Z"
    whole = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{whole}:"
    footer = int.from_bytes(answer.content[-8:-4], "little") + 8
    rows_only = hashlib.sha256(answer.content[:-footer]).hexdigest()
    assert said[b"goal-ledger.digest"].decode() == f"sha-256:{rows_only}"


async def test_a_long_one_is_streamed_with_its_digest_if_that_is_wanted(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished(story)
    await story.arrive()
    token = (await story.ask("/v1/exports"))["token"]
    whole = await file(story, "facts", "csv", token=token)
    monkeypatch.setattr(delivery, "BEGUN_BYTES", 1000)
    monkeypatch.setattr(delivery, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(pages, "FIRST_ROWS", 5)
    plain = await story.get("/v1/exports/facts", format="csv", token=token)
    wanted = {"Want-Repr-Digest": "sha-256=10"}
    digested = await story.get("/v1/exports/facts", headers=wanted, format="csv", token=token)
    assert plain.content == digested.content == whole
    assert "Content-Length" not in plain.headers and "Repr-Digest" not in plain.headers
    digest = base64.b64encode(hashlib.sha256(whole).digest()).decode()
    assert digested.headers["Repr-Digest"] == f"sha-256=:{digest}:"


async def test_exports_are_for_analysts_and_auditors(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    for name, *roles in (("eve", "auditor"), ("ann", "admin"), ("con", "contributor"), ("nob",)):
        story.person(name, *roles)
    await story.arrive()
    given = {
        name: (await story.get("/v1/exports/units", name)).status_code
        for name in ("ada", "eve", "ann", "con", "nob")
    }
    assert given == {"ada": 200, "eve": 200, "ann": 403, "con": 403, "nob": 403}
    assert (await story.get("/v1/exports/units", None)).status_code == 401


@pytest.mark.parametrize(
    "path, params, code, allowed",
    [
        ("goals", {}, "not_found", "key-results"),
        ("scores", {"format": "xlsx"}, "choice_unknown", "parquet"),
        ("scores", {"as_of": "yesterday"}, "bad_instant", None),
        ("scores", {"status": "green"}, "choice_unknown", "on_track"),
        ("readings", {"feed": "none"}, "choice_unknown", None),
        ("check-ins", {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "dates_reversed", None),
        ("links", {"unit": "web"}, "unknown_parameter", None),
    ],
)
async def test_what_cannot_be_had_is_refused_with_the_choices(
    story: Story, path: str, params: dict[str, str], code: str, allowed: str | None
) -> None:
    await story.arrive()
    answer = await story.get(f"/v1/exports/{path}", **params)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (404 if code == "not_found" else 422, code)
    assert allowed is None or allowed in problem["allowed"]


async def test_accept_names_a_form_and_format_goes_before_it(story: Story) -> None:
    await story.arrive()
    for accept, params, kind in (
        ("text/csv", {}, "text/csv; charset=utf-8; header=present"),
        ("application/json, */*", {}, "application/vnd.apache.parquet"),
        ("text/csv", {"format": "jsonl"}, "application/jsonl"),
    ):
        answer = await story.get("/v1/exports/units", headers={"Accept": accept}, **params)
        assert answer.headers["Content-Type"] == kind


async def test_a_client_that_hangs_up_leaves_nothing_running(
    story: Story, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        story.goal(f"o{number}", (f"k{number}", TEN))
    await story.arrive()
    for name, small in (("BEGUN_BYTES", 1), ("CHUNK_BYTES", 1)):
        monkeypatch.setattr(delivery, name, small)
    monkeypatch.setattr(pages, "FIRST_ROWS", 1)
    monkeypatch.setattr(pages, "ROWS_MAX", 1)
    read, scope = [], _scope(story, "/v1/exports/facts")

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        read.append(message)

    await reading.client._transport.app(scope, receive, send)  # type: ignore[attr-defined]
    assert not any(one.get("more_body") is False for one in read)
    assert not reading.views.database._in_use


def _scope(story: Story, path: str) -> dict[str, Any]:
    token = story.issuer.token(story.workspace, "sub-ada")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("query", 80),
    }


async def test_memberships_tell_who_sat_where_from_when_to_when(story: Story) -> None:
    story.tell("person/bo", PersonAdded(Sealed("person/bo", "n", "c")), UnitJoined("web"))
    left = story.tell("person/bo", UnitLeft("web"))
    again = story.tell("person/bo", UnitJoined("web"))
    await story.arrive()
    found = await rows(story, "memberships")
    assert [(one["unit"], one["to_time"]) for one in found] == [("web", left.effective_at), ("web", None)]
    assert found[1]["from_time"] == again.effective_at


async def test_goalpost_moves_are_those_of_the_question_at_the_same_token(story: Story) -> None:
    furnished(story)
    lower = Increase(target=d("5"), baseline=d("0"))
    story.tell("objective/shop", MeasureChanged("visits", lower), reason="Too far")
    await story.arrive()
    answer = await story.ask("/v1/goalpost-moves", limit=100)
    found = await rows(story, "goalpost-moves", token=answer["token"])
    assert len(found) == answer["total"] > 1
    for one, row in zip(answer["items"], found, strict=True):
        for name in ("event_id", "seq", "objective", "key_result", "type", "actor", "reason", "direction"):
            assert row[name] == one[name], name
        assert same(one["effect"], row["effect"]) and same(one["effect_committed"], row["effect_committed"])
        assert [name for name in FLAGS if row[name]] == one["flags"]
        assert json.loads(row["changes"]) == one["changes"]
    assert {one["objective"] for one in await rows(story, "goalpost-moves", objective="shop")} == {"shop"}


async def test_participation_is_that_of_the_question_a_row_for_each_group_and_period(story: Story) -> None:
    furnished(story)
    await story.arrive()
    asked = {"from": "2026-01-05", "to": "2026-02-01", "every": "P2W", "as_of": "2026-02-04T12:00:00Z"}
    answer = await story.ask("/v1/participation", **asked)
    found = await rows(story, "participation", **asked)
    groups = {name: answer[name] for name in ("all", "pilots", "rest")}
    groups |= {f"unit/{one['unit']}": one["periods"] for one in answer["units"]}
    assert [one["group"] for one in found] == [name for name in groups for _ in answer["periods"]]
    told = [tally for tallies in groups.values() for tally in tallies]
    for tally, row in zip(told, found, strict=True):
        assert {name: row[name] for name in tally.keys() - {"rate"}}.items() <= tally.items()
        assert same(tally["rate"], row["rate"])
