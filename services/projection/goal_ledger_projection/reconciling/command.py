"""`reconcile`: one look at everything, told in words; with `--mend` the read side's rows are made anew where they differ."""

from __future__ import annotations

from rich.console import Console

from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.folding import positions
from goal_ledger_projection.folding.heal import fold_anew
from goal_ledger_projection.folding.worker import opened
from goal_ledger_projection.reconciling.findings import KAFKA, READ, STORE, PassReport
from goal_ledger_projection.reconciling.passing import Passes
from goal_ledger_projection.settings import WorkerSettings

INTACT, DIFFERS, UNREAD = 0, 1, 3

MENDED_BY = {
    READ: "python -m goal_ledger_projection reconcile --mend",
    KAFKA: "python -m goal_ledger_command operator publish-again --workspace {workspace}",
    STORE: "nothing mends it by itself: see docs/operations/reconciliation.md",
}


async def reconcile(settings: WorkerSettings, *, mend: bool) -> int:
    """Compare, say what differs, and mend what can be mended from here; the exit code of what is then left."""
    feed = CommandFeed(settings.command_url, settings.service_token_file, settings.command_timeout_s)
    try:
        passes = Passes(settings, feed)
        report = await passes.look()
        if mend:
            for workspace in sorted({one.workspace for one in report.found if one.copy == READ}):
                await _fold_anew(settings, workspace)
            _show(report)
            report = await passes.look()
    finally:
        await feed.close()
    _show(report)
    return DIFFERS if report.found else UNREAD if report.unread else INTACT


async def _fold_anew(settings: WorkerSettings, workspace: str) -> None:
    async with opened(settings) as worker:
        projection = worker.database.projection
        async with worker.database.transaction() as connection:
            standing = await positions.standing(connection, projection, workspace)
            if standing is not None:
                await fold_anew(connection, projection, workspace, standing)
        facts = await worker.healer.drain(workspace)
    Console(stderr=True).print(
        f"{workspace}: its rows are made anew, {facts} facts folded here", markup=False
    )


def _show(report: PassReport) -> None:
    console = Console()
    for found in report.found:
        console.print(
            f"{found.copy}: {found.table}, {found.workspace}: {found.key}: {found.what}",
            markup=False,
            soft_wrap=True,
        )
    for copy, workspace in sorted({(one.copy, one.workspace) for one in report.found}):
        words = MENDED_BY[copy].format(workspace=workspace)
        console.print(f"{copy}, {workspace}: mended by: {words}", markup=False, soft_wrap=True)
    for unread in report.unread:
        of = unread.workspace or "everything"
        console.print(f"{unread.copy}: not compared, {of}: {unread.why}", markup=False, soft_wrap=True)
    if report.is_intact:
        console.print(f"{report.facts} facts: store, Kafka and read side agree", markup=False)
