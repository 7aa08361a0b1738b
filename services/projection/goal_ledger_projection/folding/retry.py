"""`retry`: parked workspaces are let go on and drained from the feed, in order, beside a running worker."""

from __future__ import annotations

from rich.console import Console

from goal_ledger_projection.database import WorkersDatabase
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.heal import let_go_on
from goal_ledger_projection.folding.positions import FoldedTo
from goal_ledger_projection.folding.worker import opened
from goal_ledger_projection.settings import WorkerSettings


async def retry_parked(settings: WorkerSettings, workspace: str | None) -> list[str]:
    """Unpark and drain one workspace, or all that are parked; those that stand still again."""
    console, still = Console(stderr=True), []
    async with opened(settings) as worker:
        parked = await _parked(worker.database)
        for name in sorted(parked if workspace is None else parked.keys() & {workspace}):
            async with worker.database.transaction() as connection:
                await let_go_on(connection, worker.database.projection, name, parked[name])
            facts = await worker.healer.drain(name)
            again = (await _parked(worker.database)).get(name)
            if again is not None:
                still.append(name)
                console.print(
                    f"{name}: stands still at fact {again.folded.next_seq}: {again.parked}", markup=False
                )
            else:
                console.print(f"{name}: goes on, {facts} facts applied", markup=False)
    return still


async def _parked(database: WorkersDatabase) -> dict[str, FoldedTo]:
    async with database.connection() as connection:
        standings = await positions.all_positions(connection, database.projection)
    return {name: standing for name, standing in standings.items() if standing.parked is not None}
