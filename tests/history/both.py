"""The same lives told as facts in memory and folded into tables, and asked alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.from_facts import history_of
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding.applying import Applier
from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.history.context import Contexts
from goal_ledger_projection.history.histories import Histories
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Asker, ReadDatabase
from goal_ledger_projection.history.tree import whole_tree
from goal_ledger_projection.projections import migrate
from goal_ledger_projection.query_settings import QuerySettings
from history.agreeing import answers, explanations
from history.lives import Life

AT_A_TIME = 25
MOMENTS = 2


@dataclass
class Tables:
    """The read side without HTTP: what folds, and what is asked."""

    applier: Applier
    database: ReadDatabase
    histories: Histories

    async def fold(self, lives: list[Life]) -> None:
        await self.applier.apply(
            [
                Record(life.workspace, 1, seq, stored, vouched=True)
                for life in lives
                for seq, stored in enumerate(life.stored, 1)
            ]
        )


@asynccontextmanager
async def tables_at(url: str) -> AsyncIterator[Tables]:
    """The read side in an empty database."""
    await migrate(url)
    workers = await WorkersDatabase.open(url)
    settings = QuerySettings(
        read_database_url=url,
        token_keys_file=Path("unused"),
        token_issuer="unused",
        allow_unsafe_durability=True,
    )
    database = ReadDatabase(settings)
    await database.start()
    yield Tables(Applier(workers, 1000), database, Histories(KnownGoals(5000), Contexts(AT_A_TIME)))
    await database.close()
    await workers.close()


async def compare_lives(tables: Tables, seeds: range) -> None:
    """Fold them together, then ask of each. Raises AssertionError naming the seed and the moment."""
    lives = [Life(seed) for seed in seeds]
    await tables.fold(lives)
    for life in lives:
        await compare(tables, life)


async def compare(tables: Tables, life: Life) -> None:
    """At some moments, on both clocks."""
    told = history_of(life.facts)
    ids = [goal.id for goal in life.goals]
    async with tables.database.snapshot(Asker(life.workspace, "person", "ada", None)) as snapshot:
        folded = await tables.histories.of(snapshot)
        for at in [AsOf(life.now, len(life.facts)), *(life.asked() for _ in range(MOMENTS))]:
            assert await answers(folded, at, ids) == await answers(told, at, ids), (life.seed, at)
            tree = await whole_tree(snapshot, folded, at)
            assert {id: one.status for id, one in tree.standings.items()} == await _statuses(told, at), at
        assert await explanations(folded, at, ids) == await explanations(told, at, ids), (life.seed, at)


async def _statuses(history: ScoresAt, at: AsOf) -> dict[str, object]:
    there = [id for id, _ in await history.definitions.versions_at(at, None)]
    return {id: one.status for id, one in (await history.at(at, there)).items()}
