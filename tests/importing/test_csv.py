"""Objectives, key results and check-ins as a table."""

from __future__ import annotations

import os
import time
from decimal import Decimal

import httpx2
import pytest
from command.service import Organisation, assert_problem
from goal_ledger_command.importing.csv_numbers import Style, number
from goal_ledger_edge.problems import Problem

from importing.conftest import imported, outcomes

GOALS = int(os.environ.get("IMPORT_GOALS", "60"))
"""41 rows each; 500 are 20,500 rows."""
TABLE = """row;id;title;owner;objective;key_result;measure;baseline;target;unit;steps;parent;activated_at;effective_at;value;done;note;author
objective;wachstum;Mehr Kunden gewinnen;person/ada;;;;;;;;;2025-01-01;;;;;
key_result;kunden;1000 Kunden;;wachstum;;increase;0;1000;Kunden;;;;;;;;
key_result;kosten;Kosten je Kunde auf 12,50 €;;wachstum;;decrease;20,75;12,50;€;;;;;;;;
key_result;schritte;Vertrieb steht;;wachstum;;checklist;;;;team=Team eingestellt|ziele=Ziele vereinbart;;;;;;;
check_in;c1;;;;kunden;;;;;;;;2025-01-15;250;;„Läuft“;person/ada
check_in;c2;;;;kosten;;;;;;;;2025-01-15;18,5;;;
check_in;c3;;;;schritte;;;;;;;;2025-01-20T10:00:00+01:00;;team;;
objective;team;Ein Team;person/ada;;;;;;;;objective/wachstum;2025-01-01;;;;;
"""


async def test_a_table_is_imported_and_a_second_time_nothing_is_new(org: Organisation) -> None:
    first, again = await imported(org, TABLE), await imported(org, TABLE)

    told = outcomes(first)
    assert told == {f"line {n}": "created" for n in range(2, 10)}, first
    assert sum(first["counts"].values()) == 8
    assert set(outcomes(again).values()) == {"unchanged"}


async def test_bad_lines_are_named_by_their_number(org: Organisation) -> None:
    table = (
        TABLE
        + "check_in;c4;;;;kunden;;;;;;;;gestern;1;;;\ncheck_in;c5;;;;nirgends;;;;;;;;;1;;;\nzebra;c6;;;;;;;;;;;;;;;;\n"
    )

    answer = await imported(org, table)

    refused = {one["row"]: one["code"] for one in answer["rows"] if one["outcome"] == "refused"}
    assert refused == {
        "line 10": "instant_malformed",
        "line 11": "unknown_key_result",
        "line 12": "choice_unknown",
    }


async def _sent(org: Organisation, raw: bytes, **params: str) -> httpx2.Response:
    headers = {"content-type": "text/csv", **org.bearer("ada")}
    return await org.http.post("/v1/imports", content=raw, params=params, headers=headers)


@pytest.mark.parametrize(
    ("raw", "status", "code", "words"),
    [
        (b"row,id,colour\nobjective,a,blue\n", 422, "field_unknown", ("'colour'", "title", "activated_at")),
        (b"row,id,Titel\n", 422, "field_unknown", ("Is title meant?",)),
        (b"id,title\n", 422, "field_required", ("column row", "key_result")),
        (b"row,id,id\n", 422, "field_unknown", ("column id twice",)),
        (b"PK\x03\x04...", 400, "bad_csv", (".xlsx", "CSV UTF-8")),
        ("row;id;title\n".encode("utf-16"), 400, "bad_csv", ("UTF-16",)),
        ("row;id;title\nobjective;a;Blåbær".encode("cp1252"), 400, "bad_csv", ("byte 27", "CSV UTF-8")),
        (b"numbers=1,2,3\nrow,id\n", 422, "choice_unknown", ("1.234,5",)),
    ],
)
async def test_what_is_no_such_table_is_refused_with_what_would_do(
    org: Organisation, raw: bytes, status: int, code: str, words: tuple[str, ...]
) -> None:
    problem = assert_problem(await _sent(org, raw), status, code)

    assert all(word in problem["detail"] for word in words), problem


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/octet-stream",
    ],
)
async def test_a_spreadsheets_own_file_is_told_what_would_do_whatever_it_calls_itself(
    org: Organisation, kind: str
) -> None:
    headers = {"content-type": kind, **org.bearer("ada")}
    whole = await org.http.post("/v1/imports", content=b"PK\x03\x04...", headers=headers)
    piece = await org.http.put("/v1/imports/x/pieces/1", content=b"PK\x03\x04...", headers=headers)
    other = await org.http.post("/v1/imports", content=b"row,id", headers=headers)
    nothing = await org.http.post("/v1/imports", headers=headers)

    for answer in (whole, piece):
        assert ".xlsx" in assert_problem(answer, 400, "bad_csv")["detail"]
    for answer in (other, nothing):
        assert_problem(answer, 415, "media_type_not_supported")


@pytest.mark.parametrize("kind", ["application/json", "application/jsonl"])
async def test_a_spreadsheets_own_file_is_told_so_where_json_was_said_to_come(
    org: Organisation, kind: str
) -> None:
    answer = await org.http.post(
        "/v1/imports", content=b"PK\x03\x04\xff", headers={"content-type": kind, **org.bearer("ada")}
    )

    assert ".xlsx" in assert_problem(answer, 400, "bad_csv")["detail"]


async def test_a_sheet_as_spreadsheets_write_it_is_read(org: Organisation) -> None:
    sheet = (
        "\ufeffsep=;\r\nnumbers=1.234,5\r\nRow;ID;Title;Owner;Objective;Key Result;Baseline;Target;Unit;Activated at;"
        "Effective at;Value;Confidence;;\r\n"
        "Objective;g;Wachsen;person/ada;;;;;;2025-01-06;;;;;\r\n"
        "Key result;k;Umsatz;;g;;1.000;12.500,75;€;;;;;;\r\n"
        "check-in;c;;;;k;;;;;2025-01-20;1.234,5;70 %;;\r\n;;;;;;;;;;;;;;\r\n"
    )
    answer = await _sent(org, sheet.encode(), percent="true")

    assert answer.json()["counts"]["created"] == 3, answer.text
    same = {
        "format": "goal-ledger.organisation.v1",
        "key_results": [
            {
                "id": "k",
                "objective": "g",
                "text": "Umsatz",
                "measure": {"kind": "increase", "baseline": "1000", "target": "12500.75", "unit": "€"},
            }
        ],
        "check_ins": [
            {
                "id": "c",
                "key_result": "k",
                "effective_at": "2025-01-19T23:00:00Z",
                "values": [{"value": "1234.5"}],
                "confidence": "0.7",
            }
        ],
    }
    assert set(outcomes(await imported(org, same)).values()) == {"unchanged"}


async def test_numbers_and_dates_that_could_be_meant_otherwise_are_told_how_to_write(
    org: Organisation,
) -> None:
    table = (
        "row;id;key_result;effective_at;value\n"
        "check_in;a;k;2025-01-20;1.234,5\ncheck_in;b;k;2025-01-20;25 %\ncheck_in;c;k;20.01.2025;5\n"
        "check_in;d;k;2025-01-20 10:30;5\ncheck_in;e;k;2025-01-20;5;6\nchekin;f;k;2025-01-20;5\n"
    )
    rows = {one["row"]: one for one in (await imported(org, table))["rows"]}

    assert "numbers=1.234,5" in rows["line 2"]["detail"] and rows["line 2"]["field"] == "value"
    assert "percent=yes" in rows["line 3"]["detail"]
    assert "write 2025-01-20" in rows["line 4"]["detail"]
    assert "no offset" in rows["line 5"]["detail"]
    assert "more cells than the header" in rows["line 6"]["detail"]
    assert "Is check_in meant?" in rows["line 7"]["detail"]


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [
        (
            "1.234,5",
            ("1.234,5", "1234,5", "1.234.567,25", "-1.234"),
            ("1.23", "0.5", "12.34,5", "1,234.5", "1.2345"),
        ),
        ("1,234.5", ("1,234.5", "1234.5", "1,234,567.25"), ("1,23", "12,34.5", "1.234,5", "1 234.5")),
        ("1 234,5", ("1 234,5", "1\u00a0234,5", "1\u202f234 567", "1234,5"), ("12 34,5", "1.5", "1 23")),
        ("1234,5", ("1234,5", "12"), ("1.5", "1.234,5", "1 234,5")),
        ("1234.5", ("1234.5", "12"), ("1,5", "1,234.5")),
    ],
)
def test_a_number_of_another_form_than_stated_is_refused_and_not_read_as_one(
    form: str, right: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    style = Style(form)
    read = [Decimal(number(cell, "value", style)) for cell in right]

    assert read[0] == Decimal("1234.5")
    for cell in wrong:
        with pytest.raises(Problem) as refused:
            number(cell, "value", style)
        assert refused.value.code == "value_not_decimal" and form in refused.value.sentence
    assert number("green", "value", style) == "green"


async def test_units_and_people_come_from_the_sheet(org: Organisation) -> None:
    table = (
        "row,id,name,lead,units,title,owner\n"
        "objective,g,,,,Grow,unit/sales\nunit,sales,Sales,kari,,,\nperson,kari,Kari Ås,,sales,,\n"
    )

    assert set(outcomes(await imported(org, table)).values()) == {"created"}
    assert set(outcomes(await imported(org, table)).values()) == {"unchanged"}


async def test_owners_that_nobody_listed_are_made_on_request(org: Organisation) -> None:
    table = (
        "row,id,title,owner,contributors,activated_at\n"
        "objective,g,Grow,unit/Salg & Økonomi,person/Kari Ås|person/ada,2025-01-06\n"
        "objective,h,More,unit/Salg & Økonomi,,2025-01-02\n"
    )

    refused = await _sent(org, table.encode())
    assert [one["code"] for one in refused.json()["rows"]] == ["reference_malformed"] * 2, refused.text
    made = (await _sent(org, table.encode(), create_owners="true")).json()
    again = (await _sent(org, table.encode(), create_owners="true")).json()

    told = {(one["kind"], one["id"]): one["outcome"] for one in made["rows"]}
    assert told == {
        ("objective", "g"): "created",
        ("objective", "h"): "created",
        ("owner", "salg-okonomi"): "created",
        ("owner", "kari-as"): "created",
        ("owner", "ada"): "unchanged",
    }
    assert {one["outcome"] for one in again["rows"]} == {"unchanged"}


async def test_thousands_of_rows(org: Organisation) -> None:
    lines = [
        "row,id,title,owner,objective,key_result,measure,baseline,target,activated_at,effective_at,value"
    ]
    for goal in range(GOALS):
        lines.append(f"objective,o{goal},Goal {goal},person/ada,,,,,,2025-01-01,,")
        lines += [f"key_result,o{goal}-{kr},Result {kr},,o{goal},,increase,0,100,,," for kr in range(4)]
        lines += [
            f"check_in,o{goal}-{kr}-{week},,,,o{goal}-{kr},,,,,2025-0{1 + week // 4}-1{week}T12:00:00Z,{week}"
            for kr in range(4)
            for week in range(9)
        ]
    table = "\n".join(lines)
    began = time.monotonic()

    answer = await imported(org, table, accept="application/jsonl")

    print(f"{answer['expected']} rows in {time.monotonic() - began:.1f} s")
    assert answer["expected"] == GOALS * (1 + 4 + 36) == len(answer["rows"])
    assert answer["counts"] == {
        "created": GOALS * 41,
        "changed": 0,
        "unchanged": 0,
        "refused": 0,
        "not_recorded": 0,
    }
