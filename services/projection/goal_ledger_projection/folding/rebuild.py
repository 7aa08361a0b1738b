"""`rebuild`: make a new projection version from Kafka, show how far it is, compare it, switch to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from goal_ledger_database.sessions import LONG_WORK
from goal_ledger_observability.metrics import new_registry
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.database import WorkersDatabase, live_projection, one_connection
from goal_ledger_projection.folding.compare import Comparison, compare
from goal_ledger_projection.folding.meters import Meters
from goal_ledger_projection.folding.rebuilding import Rebuild, TellProgress, new_version
from goal_ledger_projection.folding.switching import switch
from goal_ledger_projection.projections import LIVE_OF_ANY_SHAPE
from goal_ledger_projection.settings import WorkerSettings

console = Console(stderr=True)

LINE_CHARACTERS = 300
"""Shown of a row that differs."""


class _Rate(ProgressColumn):
    """Facts a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


async def rebuild(
    settings: WorkerSettings, *, only_compare: bool = False, changed: tuple[str, ...] = ()
) -> bool:
    """Rebuild; whether the new version is as it should be (and, unless `only_compare`, is live now).

    It should equal the version that went live last, of whatever shape, but for the tables that are `changed`.
    """
    live = await live_projection(settings.read_database_url, LIVE_OF_ANY_SHAPE)
    new = await new_version(settings.read_database_url)
    console.print(f"{new} is folded from {settings.facts_topic} beside {live}", markup=False, soft_wrap=True)
    database = await WorkersDatabase.open_new(settings.read_database_url, new)
    feed = CommandFeed(settings.command_url, settings.service_token_file, settings.command_timeout_s)
    try:
        with _progress() as told:
            work = Rebuild(settings, database, feed, Meters(new_registry("rebuild")), told)
            try:
                await work.fill()
                comparison = await compare_versions(settings.read_database_url, live, new)
                goes_live = comparison.is_equal_but_for(changed) and not only_compare
                if goes_live:
                    await switch(settings.read_database_url, new, work.come_level)
            finally:
                await work.close()
    finally:
        await feed.close()
        await database.close()
    show(comparison, live, new)
    if goes_live:
        console.print(f"{new} is live; before it, {live} was", markup=False, soft_wrap=True)
    elif not comparison.is_equal_but_for(changed):
        flags = " ".join(f"--changed {name}" for name in comparison.differences)
        console.print(
            f"{new} is not live. If these differences are meant: rebuild {flags}",
            markup=False,
            soft_wrap=True,
        )
    return comparison.is_equal_but_for(changed)


async def compare_versions(url: str, one: str, other: str) -> Comparison:
    """Compare two versions on a connection of its own, with the planner's full freedom."""
    connection = await one_connection(url, LONG_WORK)
    try:
        return await compare(connection, one, other)
    finally:
        await connection.close()


def show(comparison: Comparison, live: str, new: str) -> None:
    """Print counts and checksums per table."""
    table = Table("table", live, new, "checksum", "")
    for name, (one, other) in comparison.sums.items():
        verdict = "equal" if one == other else "DIFFERENT"
        table.add_row(name, f"{one.rows:,}", f"{other.rows:,}", f"{other.checksum % 2**64:016x}", verdict)
    console.print(table)
    for name, difference in comparison.differences.items():
        for version, lines in ((live, difference.one), (new, difference.other)):
            for line in lines:
                console.print(
                    f"only in {version}.{name}: {line[:LINE_CHARACTERS]}", markup=False, soft_wrap=True
                )
    if comparison.not_compared:
        console.print(
            f"not compared, in one version only: {', '.join(comparison.not_compared)}", markup=False
        )
    if comparison.left_out:
        console.print(
            f"workspaces in one version only: {', '.join(comparison.left_out)}", markup=False, soft_wrap=True
        )


@contextmanager
def _progress() -> Iterator[TellProgress]:
    columns = (TextColumn("folding"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("folding", total=None)
        done = 0

        def told(records: int, total: int) -> None:
            nonlocal done
            done += records
            progress.update(task, total=max(total, done), completed=done)

        yield told
