"""Given facts, then rows: what the read models make of the running example."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeAlias

import asyncpg
import pytest
from goal_ledger_contracts.facts import FACTS
from goal_ledger_contracts.feed import (
    FeedRegistered,
    ReadingCorrected,
    ReadingQuarantined,
    ReadingRecorded,
    ReadingReleased,
    ReadingRetracted,
)
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding.applying import Applier
from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.read_models.facts import SEQ_RECORDED_BY
from goal_ledger_projection.read_models.fold import FOLD, FOLDS
from projection.worker.given import START, TABLES, Log, all_rows
from projection.worker.stories import running_example

Read: TypeAlias = "asyncpg.Connection[Any]"

ROWS_OF_FOLD = (2, "c61bc887907d")
"""The fold, and a digest of the rows that it makes of the running example; the ids of events left out."""


def records(log: Log) -> list[Record]:
    return [Record(log.workspace, log.epoch, seq, stored) for seq, stored in enumerate(log.stored, 1)]


@pytest.fixture
async def shop(database: WorkersDatabase) -> Log:
    """The running example, folded in one batch."""
    log = running_example("shop")
    await Applier(database, 100).apply(records(log))
    return log


def test_every_fact_of_the_contracts_is_heard() -> None:
    assert FOLDS.keys() == FACTS.keys()


async def test_rows_of_this_release_are_those_of_its_fold(shop: Log, read: Read) -> None:
    """Other rows of the same facts are another fold: processes of it wait for `rebuild`, and the changelog says so."""
    await read.execute("SET timezone TO 'UTC'")
    names = {fact.event_id: f"fact-{fact.seq}" for fact in shop.facts}
    rows = await all_rows(read, "shop")
    del rows["facts"]  # their bytes
    told = {table: sorted(_named(row, names) for row in many) for table, many in rows.items()}
    assert (FOLD, sha256(json.dumps(told).encode()).hexdigest()[:12]) == ROWS_OF_FOLD, (
        "rows of a story as it was: raise FOLD, say in CHANGELOG.md that this release needs `rebuild`; then write both here"
    )


def _named(row: str, names: dict[str, str]) -> str:
    for id, name in names.items():
        row = row.replace(id, name)
    return row


async def test_stored_bytes_are_kept_to_the_last_one(shop: Log, read: Read) -> None:
    kept = await read.fetch("SELECT bytes, event_id, version, stream FROM facts ORDER BY seq")
    assert [row["bytes"] for row in kept] == shop.stored
    assert [(str(row["event_id"]), row["version"], row["stream"]) for row in kept] == [
        (fact.event_id, fact.version, fact.stream) for fact in shop.facts
    ]


async def test_the_size_of_batches_does_not_matter(shop: Log, database: WorkersDatabase, read: Read) -> None:
    for size, kept in ((1, 0), (7, 100)):
        applier = Applier(database, kept)
        many = records(shop.of("other"))
        for start in range(0, len(many), size):
            await applier.apply(many[start : start + size])
        whole, pieces = await all_rows(read, "shop"), await all_rows(read, "other")
        pieces.pop("facts"), whole.pop("facts")
        renamed = {
            t: sorted(r.replace("(other,", "(shop,").replace(",other,", ",shop,") for r in many)
            for t, many in pieces.items()
        }
        assert renamed == {t: sorted(many) for t, many in whole.items()}
        async with database.transaction() as connection:
            for table in (*TABLES, "positions"):
                await connection.execute(f"DELETE FROM {table} WHERE workspace = 'other'")


async def definition(read: Read, kind: str, id: str) -> dict[str, Any]:
    body = await read.fetchval(
        "SELECT body FROM definitions WHERE kind = $1 AND id = $2 AND ended_seq IS NULL", kind, id
    )
    found: dict[str, Any] = json.loads(body)
    return found


async def test_an_objective_is_told_whole(shop: Log, read: Read) -> None:
    body = await definition(read, "objective", "shop")
    assert body["title"] == "A shop: \\ “søt”"
    assert (body["stage"], body["owner"], body["cycle"], body["links"]) == ("active", "unit/sales", "q1", [])
    activated = next(fact for fact in shop.facts if fact.type == "ObjectiveActivated")
    assert body["activated_seq"] == activated.seq
    opened, first_month = body["key_results"]
    assert (opened["id"], opened["dropped"], opened["measure"]["kind"]) == ("open", True, "checklist")
    assert first_month["bindings"]["visitors"]["feed"] == "webshop.visitors"
    changed = next(fact for fact in shop.facts if fact.type == "MeasureChanged")
    assert (first_month["measure_seq"], first_month["added_seq"]) == (changed.seq, changed.seq - 24 + 17)
    (closing,) = body["closings"]
    assert (closing["outcome"], closing["grade"], closing["retrospective"]["k"]) == (
        "partial",
        "0.6",
        "person/ada",
    )
    assert closing["reopened_seq"] == closing["seq"] + 1


async def test_as_committed_is_the_row_of_the_activation(shop: Log, read: Read) -> None:
    body = await definition(read, "objective", "shop")
    committed = await read.fetchval(
        "SELECT body FROM definitions WHERE kind = 'objective' AND id = 'shop' AND seq = $1",
        body["activated_seq"],
    )
    assert [one["dropped"] for one in json.loads(committed)["key_results"]] == [False, False]
    assert len(json.loads(committed)["links"]) == 1


async def test_everything_else_that_is_defined(shop: Log, read: Read) -> None:
    assert (await definition(read, "workspace", "shop"))["time_zone"] == "Europe/Oslo"
    assert (await definition(read, "policy", "workspace"))["policy"] == {"grace_days": 2}
    assert (await definition(read, "access", "person/ada"))["roles"] == ["admin"]
    assert (await definition(read, "identity", "https://issuer.example sub\tject"))["holder"] == "person/ada"
    assert (await definition(read, "key", "k1")) == {
        "key": "k1", "holder": "system/webshop", "digest": "11" * 32, "revoked": False,
    }  # fmt: skip
    assert (await definition(read, "system", "webshop"))["retired"] is False
    ada = await definition(read, "person", "ada")
    assert (ada["units"], ada["shredded"], ada["display_name"]["c"]) == (["sales"], True, "Y2lwaGVy")
    sales = await definition(read, "unit", "sales")
    assert (sales["lead"], sales["waves"]) == ("ada", ["first"])
    assert (await definition(read, "cycle", "q1"))["end"] == "2026-04-15"
    assert (await definition(read, "moment", "launch"))["retracted"] is False
    visitors = await definition(read, "feed", "webshop.visitors")
    assert [segment["kind"] for segment in visitors["segments"]] == ["counter", "counter"]


async def test_a_definition_is_ended_by_the_next_of_the_same_thing(shop: Log, read: Read) -> None:
    wrong = await read.fetchval(
        """SELECT count(*) FROM (SELECT ended_seq, lead(seq) OVER (PARTITION BY workspace, kind, id ORDER BY seq) AS next
           FROM definitions) AS d WHERE ended_seq IS DISTINCT FROM next"""
    )
    assert wrong == 0


async def test_a_correction_ends_the_value_and_states_it_anew(shop: Log, read: Read) -> None:
    found = await read.fetch("SELECT * FROM value_rows WHERE check_in = 'c1' ORDER BY seq")
    before, after = found
    assert (before["done"], after["done"]) == (["design"], ["design", "payment"])
    assert before["ended_seq"] == after["seq"] and after["ended_seq"] is None
    assert before["effective_at"] < after["effective_at"]


async def test_a_value_keeps_the_revision_of_its_measure(shop: Log, read: Read) -> None:
    found = await read.fetch("SELECT * FROM value_rows WHERE key_result = 'first-month' ORDER BY seq")
    types = {fact.type: fact.seq for fact in shop.facts}
    assert [row["value"] for row in found] == [Decimal("4.5"), Decimal(7)]
    assert [row["unit"] for row in found] == ["sales", "sales"]
    assert found[0]["measure_seq"] < found[1]["measure_seq"] == types["MeasureChanged"]
    assert found[0]["ended_seq"] == types["CheckInRetracted"]


async def test_check_ins_keep_what_was_said_sealed(shop: Log, read: Read) -> None:
    found = await read.fetch("SELECT * FROM check_ins ORDER BY seq")
    assert [row["check_in"] for row in found] == ["c1", "c2", "c1", "c3", "c4"]
    first, _, corrected, _, last = found
    assert first["ended_seq"] == corrected["seq"]
    assert (first["confidence"], first["status"], first["author"]) == (
        Decimal("0.7"),
        "on_track",
        "person/ada",
    )
    said = json.loads(first["body"])
    assert said["note"] == {"k": "person/ada", "n": "bm9uY2U", "c": "Y2lwaGVy"}
    assert said["event_id"] == shop.facts[first["seq"] - 1].event_id
    assert json.loads(corrected["body"])["reason"] == "typo"
    assert (last["key_result"], last["author"], last["actor"]) == (None, "person/ben", "person/ada")


async def test_readings_count_from_their_release_until_they_are_ended(shop: Log, read: Read) -> None:
    types = {fact.type: fact for fact in shop.facts}
    found = {
        (row["id"], row["state"], row["value"]): (row["seq"], row["ended_seq"], row["recorded_seq"])
        for row in await read.fetch("SELECT * FROM readings")
    }
    released, rejected = types["ReadingReleased"].seq, types["ReadingRejected"].seq
    quarantined = released - 2
    assert found["odd", 1, Decimal(-5)] == (quarantined, released, quarantined)
    assert found["odd", 0, Decimal(-5)] == (released, None, quarantined)
    assert found["odd2", 1, Decimal(-5)] == (released - 1, rejected, released - 1)
    corrected, retracted = types["ReadingCorrected"].seq, types["ReadingRetracted"].seq
    assert found["r1", 0, Decimal(100)][1] == corrected
    assert found["r1", 0, Decimal(101)] == (corrected, None, corrected)
    assert found["r2", 0, Decimal(200)][1] == retracted
    assert len(found) == 7


async def test_a_reading_counts_from_its_effective_at_unless_it_was_stated_too_far_ahead(
    database: WorkersDatabase, read: Read
) -> None:
    """Up to 5 minutes ahead: when it was recorded; further, released by a person: its stated time (SPEC 3)."""
    now, near, far = START, START + timedelta(minutes=4), START + timedelta(hours=1)
    one = {"source": "shop", "value": Decimal(1), "mode": "absolute"}
    log = Log("shop")
    log.add("feed/visits", FeedRegistered("webshop", "gauge"))
    log.add("feed/visits", ReadingRecorded(id="near", time=near, **one), now, stated_at=near)
    log.add(
        "feed/visits", ReadingQuarantined(id="odd", time=near, why="wrong_unit", **one), now, stated_at=near
    )
    log.add("feed/visits", ReadingQuarantined(id="far", time=far, why="future", **one), now, stated_at=far)
    log.add("feed/visits", ReadingReleased("shop", "odd"), reason="fine")
    log.add("feed/visits", ReadingReleased("shop", "far"), reason="fine")
    log.add("feed/visits", ReadingCorrected(id="odd", time=near, **one), now, stated_at=near, reason="x")
    await Applier(database, 100).apply(records(log))
    found = await read.fetch("SELECT id, time FROM readings WHERE ended_seq IS NULL ORDER BY id")
    assert [tuple(row) for row in found] == [("far", far), ("near", now), ("odd", now)]


async def test_an_instant_is_resolved_to_the_last_fact_recorded_by_then(shop: Log, read: Read) -> None:
    for fact in shop.facts:
        assert await read.fetchval(SEQ_RECORDED_BY, "shop", fact.recorded_at) == fact.seq
    assert await read.fetchval(SEQ_RECORDED_BY, "shop", START) == 0
    assert await read.fetchval(SEQ_RECORDED_BY, "nobody", START) == 0


async def test_names_from_outside_are_kept_as_they_are(database: WorkersDatabase, read: Read) -> None:
    names = ["\\N", 'a\\"b', "tab\there", "line\nbreak", "{x,y}", "søt 🛍", "\\", "'; --"]
    log = Log("shop")
    log.add("feed/visits", FeedRegistered("webshop", "gauge", unit="°C \\"))
    for name in names:
        log.add(
            "feed/visits", ReadingRecorded(name, name, START, Decimal("-0.5"), "absolute", "°C \\"), START
        )
        log.add("feed/visits", ReadingRetracted(name, name), reason=name)
    await Applier(database, 100).apply(records(log)[:-1])
    await Applier(database, 100).apply(records(log))
    found = await read.fetch("SELECT source, id, unit, ended_seq - seq AS after FROM readings ORDER BY seq")
    assert [tuple(row) for row in found] == [(name, name, "°C \\", 1) for name in names]
    assert await read.fetchval("SELECT array_agg(bytes ORDER BY seq) FROM facts") == log.stored
