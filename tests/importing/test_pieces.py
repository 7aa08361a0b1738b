"""An import in pieces: any stretch of the file at a time, by any process, going on where it was broken off."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from typing import Any

import httpx2
from command.service import Organisation, Service, assert_problem
from goal_ledger_command.importing.planning import fill, plan
from goal_ledger_command.importing.rows import of_lines
from goal_ledger_command.importing.workbook import Workbook

from importing.test_document import DOCUMENT, rows_in
from importing.test_what_a_file_means import FORMAT, check_in, facts, goal, key_result

JSONL = {"content-type": "application/jsonl"}


def lines(document: dict[str, Any]) -> bytes:
    rows = []
    for section, items in document.items():
        if section == "workspace":
            rows.append({"section": section, **items})
        elif isinstance(items, list):
            rows += [{"section": section, **one} for one in items]
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in rows).encode()


async def put(
    org: Organisation, number: int, piece: bytes, id: str = "big", **headers: str
) -> httpx2.Response:
    return await org.http.put(
        f"/v1/imports/{id}/pieces/{number}", content=piece, headers={**JSONL, **org.bearer("ada"), **headers}
    )


async def sent(org: Organisation, raw: bytes, size: int, **headers: str) -> int:
    """How many pieces it was."""
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    for number, piece in enumerate(pieces, 1):
        answer = await put(org, number, piece, **headers)
        assert answer.status_code == 200, answer.text
    return len(pieces)


async def run(org: Organisation, pieces: int, **params: Any) -> dict[str, Any]:
    answer = await org.http.post(
        "/v1/imports/big/run", params={"pieces": pieces, **params}, headers=org.bearer("ada"), timeout=120
    )
    assert answer.status_code == 200, answer.text
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert "summary" in told[-1], told[-1]
    return {
        "rows": [one for one in told if "row" in one],
        "steps": [one["steps_done"] for one in told if "steps_done" in one],
        **told[-1]["summary"],
    }


async def test_a_file_in_pieces_is_what_it_is_in_one(service: Service, org: Organisation) -> None:
    pieces = await sent(org, lines(DOCUMENT), 700)

    rehearsed = await run(org, pieces, dry_run=True)
    first = await run(org, pieces)

    assert [one["outcome"] for one in rehearsed["rows"]] == [one["outcome"] for one in first["rows"]]
    assert len(first["rows"]) == len(rows_in(DOCUMENT)) == sum(first["counts"].values())
    assert not first["counts"]["refused"] and first["counts"]["created"] > 15
    assert {one["correlation_id"] for one in await facts(service, org)} >= {"big"} == {first["import_id"]}
    assert_problem(await org.get("/v1/imports/big"), 404, "not_found")
    again = await run(org, await sent(org, lines(DOCUMENT), 300))
    assert again["counts"]["unchanged"] == len(first["rows"])


async def test_an_import_that_broke_off_goes_on_from_there(org: Organisation) -> None:
    check_ins = [check_in(f"c{n}", f"2025-02-{1 + n % 28:02}T12:00:00Z") for n in range(2_000)]
    draft = goal(drafted={"at": "2025-01-02"}, activated={"at": "2025-01-06"}, key_results=[key_result()])
    pieces = await sent(org, lines({**FORMAT, "objectives": [draft], "check_ins": check_ins}), 20_000)
    broken = asyncio.create_task(run(org, pieces))
    steps_done = 0
    while not steps_done:
        await asyncio.sleep(0.005)
        steps_done = (await org.get("/v1/imports/big")).json()["steps_done"]
    broken.cancel()
    await asyncio.wait([broken])
    assert broken.cancelled()

    whole = await run(org, pieces)

    assert whole["steps"][0] > steps_done
    assert sum(whole["counts"].values()) == whole["counts"]["created"] + whole["counts"]["unchanged"] == 2_002
    goal_steps, goal_rows = 6, 2
    done_before = steps_done - goal_steps + goal_rows
    assert whole["counts"]["created"] >= done_before, "what was done before is told of as it was"


async def test_pieces_are_held_to_what_was_sent(org: Organisation) -> None:
    first = await put(org, 1, b"{}")
    same, other = await put(org, 1, b"{}"), await put(org, 1, b"[]")
    table = await put(org, 2, b"row,id", **{"content-type": "text/csv"})
    here = await org.get("/v1/imports/big")
    missing = await org.http.post("/v1/imports/big/run", params={"pieces": 3}, headers=org.bearer("ada"))
    await put(org, 2, b"{}")
    left_out = await org.http.post("/v1/imports/big/run", params={"pieces": 1}, headers=org.bearer("ada"))

    assert first.json() == same.json() == {"number": 1, "bytes": 2}
    assert_problem(other, 409, "id_taken")
    assert_problem(table, 409, "id_taken")
    assert here.json()["pieces"] == [{"number": 1, "bytes": 2}]
    assert "2" in assert_problem(missing, 409, "pieces_missing")["detail"]
    assert "up to number 2" in assert_problem(left_out, 409, "pieces_left_out")["detail"]
    dropped = await org.http.delete("/v1/imports/big", headers=org.bearer("ada"))
    assert dropped.status_code == 204
    assert_problem(await org.get("/v1/imports/big"), 404, "not_found")


async def test_a_table_comes_in_pieces_too_and_only_from_importers(org: Organisation) -> None:
    table = (
        "sep=;\r\nnumbers=1.234,5\r\nrow;id;title;owner;objective;target;baseline\r\n"
        'objective;g;"Two\r\nlines; one – é";person/ada;;;\r\nkey_result;k;K;;g;1.000;0\r\n'
    )
    await org.given_person("bob", "admin")
    headers = {"content-type": "text/csv"}

    answer = await run(org, await sent(org, table.encode(), 7, **headers))
    refused = await org.http.put(
        "/v1/imports/x/pieces/1", content=b"row,id", headers={**headers, **org.bearer("bob")}
    )

    assert [one["outcome"] for one in answer["rows"]] == ["refused", "refused"]
    assert answer["rows"][0]["code"] == "text_has_control_characters"
    assert [one["row"] for one in answer["rows"]] == ["line 5", "line 6"]
    assert_problem(refused, 403, "not_allowed")


async def test_what_is_sent_lies_sealed_until_it_is_done(service: Service, org: Organisation) -> None:
    secret = "Nobody-may-read-this"
    await put(org, 1, json.dumps({"section": "people", "id": "p", "display_name": secret}).encode())

    async with service.ledger._engine.connect() as connection:  # type: ignore[attr-defined]
        rows = await connection.exec_driver_sql(
            "SELECT body FROM import_pieces WHERE workspace = $1", (org.workspace,)
        )
        bodies = [bytes(row[0]) for row in rows]
    assert len(bodies) == 1 and secret.encode() not in bodies[0]


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(check_ins: int) -> int:
        rows = (
            json.dumps({"section": "check_ins", **check_in(f"c{n}", "2025-02-01", note="x" * 200)}).encode()
            for n in range(check_ins)
        )
        tracemalloc.start()
        book = Workbook()
        fill(book, of_lines(rows))
        assert plan(book) == check_ins
        book.close()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(3000) - peak(300) < 500_000
