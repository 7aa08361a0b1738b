"""`retry`: parked workspaces are let go on and drained from the feed, in order, beside a running worker."""

from __future__ import annotations

from rich.console import Console

from goal_ledger_projection.database import ReadDatabase
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.positions import LOG_CONTRADICTED, FoldedTo
from goal_ledger_projection.folding.worker import opened
from goal_ledger_projection.folding.writing import INDEXED_ROWS, Connection
from goal_ledger_projection.settings import WorkerSettings


async def retry_parked(settings: WorkerSettings, workspace: str | None) -> list[str]:
    """Unpark and drain one workspace, or all that are parked; those that stand still again."""
    console, still = Console(stderr=True), []
    async with opened(settings) as worker:
        parked = await _parked(worker.database)
        for name in sorted(parked if workspace is None else parked.keys() & {workspace}):
            async with worker.database.transaction() as connection:
                await _let_go_on(connection, worker.database.projection, name, parked[name])
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


async def _let_go_on(connection: Connection, projection: str, workspace: str, standing: FoldedTo) -> None:
    """One whose rows are not the command service's log is folded anew."""
    if (standing.parked or "").startswith(LOG_CONTRADICTED):
        await positions.lock(connection, projection, {workspace: standing.folded.epoch})
        await INDEXED_ROWS.discard(connection, workspace)
        await positions.restart(connection, projection, workspace)
    await positions.unpark(connection, projection, workspace)


async def _parked(database: ReadDatabase) -> dict[str, FoldedTo]:
    async with database.connection() as connection:
        standings = await positions.all_positions(connection, database.projection)
    return {name: standing for name, standing in standings.items() if standing.parked is not None}
