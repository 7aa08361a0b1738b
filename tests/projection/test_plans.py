"""Whatever is looked up by key walks an index by that key, also by a plan that was made when the tables were empty.

PostgreSQL keeps the plan of a prepared statement; one made before there were rows and statistics lives on while the
tables fill. So each statement is planned here over empty tables, for no particular values, as each process would.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from goal_ledger_local.postgres import Postgres
from goal_ledger_projection.database import KEY_LOOKUPS_ONLY as WORKER_SETTINGS
from goal_ledger_projection.folding import positions
from goal_ledger_projection.history import (
    changes_since,
    context,
    known_goals,
    last_check_ins,
    progress_times,
    snapshots,
    summed,
    values,
)
from goal_ledger_projection.history import definitions as definitions_in_tables
from goal_ledger_projection.history.snapshots import SETTINGS as QUERY_SETTINGS
from goal_ledger_projection.projections import migrate
from goal_ledger_projection.read_models import (
    check_ins,
    definitions,
    facts,
    reading_sums,
    readings,
    value_rows,
)

THING = "definitions_pkey", "workspace kind id"
REVISION = "definitions_pkey", "workspace kind id seq"
VALUE = "value_rows_in_force", "workspace key_result part effective_at"
READING = "readings_by_time", "workspace feed time"
SUMS = "reading_sums_pkey", "workspace feed grain since"
FACT = "facts_pkey", "workspace seq"
OF_STREAM = "facts_by_stream", "workspace stream seq"
POSITION = "positions_pkey", "projection workspace"
COUNT = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'"

QUERIES: dict[str, tuple[str, tuple[str, str]]] = {
    "who asks": (snapshots._OPENING, THING),
    "the last fact, and those since": (snapshots._OPENING, FACT),
    "bodies": (known_goals._BODIES, REVISION),
    "measured since": (definitions_in_tables._MEASURED_SINCE, REVISION),
    "measures": (values._MEASURES, REVISION),
    "versions of some": (definitions_in_tables._SOME, REVISION),
    "the objective of a key result": (
        known_goals._ADDED,
        ("definitions_key_results", "workspace key_results"),
    ),
    "definitions of some": (progress_times._DEFINITIONS, REVISION),
    "versions of one": (definitions_in_tables._OF_ONE, REVISION),
    "values at one moment": (values._FIRST_ALIKE, VALUE),
    "values": (values._FIRST, VALUE),
    "earlier values": (values._FIRST_OF_OTHERS, VALUE),
    "times of values": (progress_times._VALUES, ("value_rows_in_force", "workspace key_result")),
    "values of key results": (value_rows.OF_KEY_RESULTS, ("value_rows_in_force", "workspace key_result")),
    "last readings": (values._LAST_READING, READING),
    "what counters gained": (values._GAINED, READING),
    "sums of readings": (summed._SUMMED, READING),
    "hours of readings": (summed._SUMMED, SUMS),
    "counts of readings": (summed._COUNTED, READING),
    "hours of last readings": (values._LAST_READING, SUMS),
    "freshest readings": (values._FRESHEST, READING),
    "newest readings in a span": (values._NEWEST, READING),
    "times of readings": (progress_times._READINGS, READING),
    "first readings": (progress_times._FIRST_READING, READING),
    "last readings in steps": (progress_times._LAST_IN_STEPS, READING),
    "last reading of feeds": (readings.LAST_OF_FEEDS, READING),
    "last words": (
        last_check_ins._HOWEVER_OLD,
        ("check_ins_last_words", "workspace key_result effective_at"),
    ),
    "words": (last_check_ins._BETWEEN, ("check_ins_by_objective", "workspace objective effective_at")),
    "check-ins by time": (
        check_ins.page_of_check_ins([*check_ins.IN_FORCE, check_ins.BY_TIME], 101),
        ("check_ins_by_time", "workspace effective_at"),
    ),
    "check-ins on a key result": (
        check_ins.page_of_check_ins([*check_ins.IN_FORCE, check_ins.ON_KEY_RESULT.format("$4")], 101),
        ("check_ins_last_words", "workspace key_result effective_at"),
    ),
    "versions of streams": (facts.VERSIONS_OF_STREAMS, OF_STREAM),
    "facts of a type in streams": (facts.OF_TYPE_IN_STREAMS, OF_STREAM),
    "pasts of some objectives": (definitions.PASTS_OF_SOME, THING),
    "timeline": (facts.PAGE_OF_STREAM, OF_STREAM),
    "events": (facts.EVENT_IDS, FACT),
    "changed since": (context._CHANGED, FACT),
    "touched since": (changes_since._TOUCHED, FACT),
    "recorded by": (facts.SEQ_RECORDED_BY, ("facts_pkey", "workspace")),
    "withheld": (definitions.WITHHELD_TEXTS, THING),
    "shredded": (definitions.SHREDDED, THING),
}
WORKERS: dict[str, tuple[str, tuple[str, str]]] = {
    "latest definitions": (definitions.LATEST, THING),
    "ends of definitions": (definitions.ENDS, REVISION),
    "ends of check-ins": (check_ins.ENDS, ("check_ins_pkey", "workspace check_in")),
    "ends of values": (value_rows.ENDS, ("value_rows_pkey", "workspace check_in")),
    "ends of readings": (readings.ENDS, ("readings_pkey", "workspace feed source id")),
    "ends in quarantine": (readings.ENDS_IN_QUARANTINE, ("readings_", "workspace feed source id")),
    "hours summed up anew": (reading_sums._HOURS_ANEW, READING),
    "days summed up anew": (reading_sums._DAYS_ANEW, SUMS),
    "in quarantine": (readings.IN_QUARANTINE, ("readings_", "workspace feed source id")),
    "positions locked": (positions._LOCK, POSITION),
    "positions moved": (positions._MOVE, POSITION),
}


@pytest.fixture(scope="module")
async def empty_url(postgres: Postgres) -> str:
    url = await postgres.create("plans")
    await migrate(url)
    return url


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_planned_over_empty_tables_walks_indexes_by_its_keys(empty_url: str, name: str) -> None:
    await walks_indexes(empty_url, QUERY_SETTINGS, *QUERIES[name])


@pytest.mark.parametrize("name", WORKERS)
async def test_a_workers_statement_planned_over_empty_tables_walks_indexes_by_its_keys(
    empty_url: str, name: str
) -> None:
    await walks_indexes(empty_url, WORKER_SETTINGS, *WORKERS[name])


MANY = """
INSERT INTO check_ins (workspace, check_in, seq, objective, key_result, effective_at, recorded_at, actor, author, method,
                       after_closing, body)
SELECT 'shop', 'c' || n, n, 'o' || n % 500, 'k' || n % 2000, t, t, 'person/ada', 'person/p' || n % 100, 'manual', false, '{}'
FROM (SELECT n, timestamptz '2020-01-01' + n * 7919 % 20000 * interval '20 minutes' AS t
      FROM generate_series(1, 20000) n) s
"""


async def test_a_page_of_all_check_ins_reads_a_page_of_rows(postgres: Postgres) -> None:
    url = await postgres.create("plans")
    await migrate(url)
    connection = await asyncpg.connect(url, server_settings={"search_path": "read_v1", **QUERY_SETTINGS})
    try:
        await connection.execute(MANY)
        await connection.execute("VACUUM ANALYZE check_ins")
        until = datetime(2030, 1, 1, tzinfo=UTC)
        by_time = [*check_ins.IN_FORCE, check_ins.BY_TIME]
        page = check_ins.page_of_check_ins(by_time, 101)
        plan = await connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {page}", "shop", 20_000, until
        )
        top = json.loads(plan)[0]["Plan"]
        (scan,) = _scans(top)
        assert (scan["Index Name"], scan["Actual Rows"]) == ("check_ins_by_time", 101)
        assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 300
        count = check_ins.count_of_check_ins(by_time)
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {count}", "shop", 20_000, until)
        (scan,) = _scans(json.loads(plan)[0]["Plan"])
        assert (scan["Node Type"], scan["Index Name"]) == ("Index Only Scan", "check_ins_by_time")
    finally:
        await connection.close()


async def walks_indexes(
    url: str, settings: Mapping[str, str], statement: str, index: tuple[str, str]
) -> None:
    name, columns = index
    table = name.partition("_pkey")[0].partition("_by_")[0].partition("_in_")[0].partition("_last_")[0]
    for scan in await scans_of(url, settings, statement):
        if scan["Relation Name"].startswith(table.partition("_key_results")[0].rstrip("_")):
            by = scan.get("Index Name", "")
            missing = [one for one in columns.split() if one not in scan.get("Index Cond", "")]
            assert by.startswith(name) and not missing, json.dumps(scan, indent=1)


async def scans_of(url: str, settings: Mapping[str, str], statement: str) -> list[dict[str, Any]]:
    """The scans of tables in the plan, but for rows taken by the place where they were just found."""
    connection = await asyncpg.connect(
        url, server_settings={"search_path": "read_v1", "plan_cache_mode": "force_generic_plan", **settings}
    )
    try:
        await connection.execute(f"PREPARE asked AS {statement}")
        nothing = ", ".join(["NULL"] * await connection.fetchval(COUNT))
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({nothing})")
    finally:
        await connection.close()
    return list(_scans(json.loads(plan)[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    below = node.get("Plans", [])
    if node["Node Type"] == "Bitmap Heap Scan":
        yield {**below[0], "Relation Name": node["Relation Name"]}
    elif node["Node Type"].endswith("Scan") and "Relation Name" in node:
        if node["Node Type"] != "Tid Scan":
            yield node
    else:
        for one in below:
            yield from _scans(one)
