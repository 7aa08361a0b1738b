"""Objectives, key results and check-ins as a table."""

from __future__ import annotations

import os
import time

from command.service import Organisation, assert_problem

from importing.conftest import imported, outcomes

GOALS = int(os.environ.get("IMPORT_GOALS", "60"))
"""42 rows each; 500 are 21,000 rows."""
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
    assert set(told.values()) == {"created", "changed"}, first
    assert [told[f"line {n}"] for n in range(2, 10)] == ["created"] * 8
    assert told["line 2/activated"] == "changed"
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


async def test_a_column_that_nobody_knows_is_refused(org: Organisation) -> None:
    answer = await org.http.post(
        "/v1/imports",
        content=b"row,id,colour\nobjective,a,blue\n",
        headers={"content-type": "text/csv", **org.bearer("ada")},
    )

    assert_problem(answer, 422, "field_unknown", "colour")


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
    assert answer["expected"] == GOALS * (1 + 1 + 4 + 36) == len(answer["rows"])
    assert answer["counts"] == {
        "created": GOALS * 41,
        "changed": GOALS,
        "unchanged": 0,
        "refused": 0,
        "not_recorded": 0,
    }
