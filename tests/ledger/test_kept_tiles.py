"""Full tiles are kept beside the facts, and every proof follows from them; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from goal_ledger_command.migrations import migrate
from goal_ledger_ledger import kept_tiles as module
from goal_ledger_ledger.kept_tiles import FactsMissing, KeptTiles, TilesNotKept
from goal_ledger_ledger.merkle import Frontier, root_of, verify_consistency, verify_inclusion
from goal_ledger_ledger.store import create_engine, raw_connection
from goal_ledger_ledger.tiles import Tile
from goal_ledger_local.postgres import Postgres
from sqlalchemy.ext.asyncio import AsyncEngine
from support.by_hand import past_the_trigger

AT = datetime(2026, 5, 1, tzinfo=UTC)
SIZE = 256 * 256 + 256 * 3 + 40
LEAVES = [sha256(b"%d" % number).digest() for number in range(SIZE)]


@pytest_asyncio.fixture
async def engine(postgres: Postgres):
    """A ledger database of its own: a round looks at every workspace."""
    url = await postgres.create("tiles")
    await migrate(url, await postgres.create("tiles-keys"))
    engine = create_engine(url, application="tests")
    yield engine
    await engine.dispose()


async def grow(engine: AsyncEngine, workspace: str, size: int, start: int = 0) -> None:
    """Facts ``start`` + 1 to ``size`` and the head; only what a tile is made from is true of them."""
    rows = [
        (workspace, seq, f"unit/{seq}", 1, "UnitCreated", uuid.uuid4(), AT, LEAVES[seq - 1], b"", None)
        for seq in range(start + 1, size + 1)
    ]
    frontier = Frontier().append(LEAVES[:size])
    async with raw_connection(engine) as raw, raw.transaction():
        await raw.copy_records_to_table("facts", records=rows)
        await raw.execute(
            "INSERT INTO heads VALUES ($1, 1, $2, $3, $4, $5, now()) ON CONFLICT (workspace) DO UPDATE "
            "SET seq = $2, frontier = $4, root = $5, moved_at = now()",
            workspace,
            size,
            AT,
            frontier.to_bytes(),
            frontier.root,
        )


async def kept(engine: AsyncEngine, workspace: str) -> list[tuple[int, int]]:
    async with raw_connection(engine) as raw:
        rows = await raw.fetch(
            "SELECT level, number FROM tiles WHERE workspace = $1 ORDER BY 1, 2", workspace
        )
    return [(level, number) for level, number in rows]


async def all_kept(tiles: KeptTiles) -> int:
    """Round after round until nothing is left; how many tiles of level 0."""
    total = 0
    while done := await tiles.keep():
        total += done
    return total


async def test_a_log_that_was_there_before_the_table_is_caught_up_level_by_level(engine: AsyncEngine):
    await grow(engine, "old", SIZE)
    tiles = KeptTiles(engine)
    assert await all_kept(tiles) == 259
    assert await kept(engine, "old") == [(0, number) for number in range(259)] + [(1, 0)]
    assert await tiles.keep() == 0
    read = await tiles.read("old", [Tile(0, 7), Tile(0, 259, 40), Tile(1, 0), Tile(1, 1, 3), Tile(2, 0, 1)])
    assert read[Tile(0, 7)] == b"".join(LEAVES[7 * 256 : 8 * 256])
    assert read[Tile(0, 259, 40)] == b"".join(LEAVES[259 * 256 :])
    roots = [root_of(LEAVES[at * 256 : (at + 1) * 256]) for at in range(259)]
    assert read[Tile(1, 0)] == b"".join(roots[:256])
    assert read[Tile(1, 1, 3)] == b"".join(roots[256:])
    assert read[Tile(2, 0, 1)] == root_of(roots[:256])
    root = root_of(LEAVES)
    for seq in (1, 256, 257, 65_536, 65_537, SIZE - 40, SIZE - 39, SIZE):
        proof = await tiles.inclusion("old", seq, SIZE)
        assert verify_inclusion(LEAVES[seq - 1], seq - 1, SIZE, proof, root)
    for old in (1, 255, 256, 65_535, 65_536, 65_537, SIZE - 1, SIZE):
        proof = await tiles.consistency("old", old, SIZE)
        assert verify_consistency(old, root_of(LEAVES[:old]), SIZE, root, proof)


async def test_a_growing_log_keeps_each_tile_once_it_is_full(engine: AsyncEngine):
    tiles, size = KeptTiles(engine), 0
    for grown, full in ((255, 0), (256, 1), (700, 2), (768, 3)):
        await grow(engine, "grows", grown, size)
        size = grown
        await tiles.keep()
        assert await kept(engine, "grows") == [(0, number) for number in range(full)]


async def test_a_narrower_tile_of_an_earlier_size_is_the_beginning_of_the_full_one(engine: AsyncEngine):
    await grow(engine, "earlier", 300)
    tiles = KeptTiles(engine)
    await tiles.keep()
    for width in (1, 17, 255):
        assert (await tiles.read("earlier", [Tile(0, 0, width)]))[Tile(0, 0, width)] == b"".join(
            LEAVES[:width]
        )


async def test_rounds_of_two_relays_at_once_write_the_same(engine: AsyncEngine):
    await grow(engine, "twice", 256 * 200)
    await asyncio.gather(*(all_kept(KeptTiles(engine)) for _ in range(3)))
    assert await kept(engine, "twice") == [(0, number) for number in range(200)]


async def test_a_round_ends_in_time_and_those_that_lack_least_come_first(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
):
    await grow(engine, "a-large", 256 * 70)
    await grow(engine, "b-small", 256)
    monkeypatch.setattr(module, "ROUND_S", 0.0)
    assert await KeptTiles(engine).keep() == 0
    monkeypatch.setattr(module, "ROUND_S", 60.0)
    monkeypatch.setattr(module, "TILES_PER_STEP", 4)
    steps: list[str] = []
    step = module._keep_step

    async def noted(raw, behind) -> int:
        steps.append(behind.workspace)
        return await step(raw, behind)

    monkeypatch.setattr(module, "_keep_step", noted)
    assert await KeptTiles(engine).keep() == 71
    assert steps == ["b-small"] + ["a-large"] * 18


async def test_until_the_table_has_caught_up_level_0_comes_from_facts_and_the_rest_waits(engine: AsyncEngine):
    await grow(engine, "behind", 600)
    tiles = KeptTiles(engine)
    assert (await tiles.read("behind", [Tile(0, 1)]))[Tile(0, 1)] == b"".join(LEAVES[256:512])
    with pytest.raises(TilesNotKept):
        await tiles.inclusion("behind", 600, 600)
    await tiles.keep()
    assert verify_inclusion(
        LEAVES[599], 599, 600, await tiles.inclusion("behind", 600, 600), root_of(LEAVES[:600])
    )


async def test_a_log_with_a_hole_is_named_and_costs_no_other(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
):
    for workspace in ("holed", "whole"):
        await grow(engine, workspace, 512)
    async with raw_connection(engine) as raw:
        await past_the_trigger(raw)
        await raw.execute("DELETE FROM facts WHERE workspace = 'holed' AND seq = 300")
    tiles = KeptTiles(engine)
    for _ in range(3):
        await tiles.keep()
    assert (await kept(engine, "holed"), await kept(engine, "whole")) == ([], [(0, 0), (0, 1)])
    assert [record.message.partition(":")[0] for record in caplog.records if "tiles" in record.message] == [
        "the tiles of holed cannot be kept"
    ]
    with pytest.raises(FactsMissing):
        await tiles.read("holed", [Tile(0, 1)])


async def test_a_proof_in_a_long_log_reads_few_rows(engine: AsyncEngine, count_rows: Callable[[], int]):
    await grow(engine, "long", SIZE)
    tiles = KeptTiles(engine)
    await all_kept(tiles)
    seen: list[int] = []
    for seq in (1, 30_000, SIZE):
        before = count_rows()
        await tiles.inclusion("long", seq, SIZE)
        seen.append(count_rows() - before)
    assert 0 < max(seen) <= 255 + 3 + 4


@pytest.fixture
def count_rows(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many rows were fetched so far."""
    fetched = 0
    fetch = asyncpg.Connection.fetch

    async def counting(*asked: Any) -> Any:
        nonlocal fetched
        rows = await fetch(*asked)
        fetched += len(rows)
        return rows

    monkeypatch.setattr(asyncpg.Connection, "fetch", counting)
    return lambda: fetched
