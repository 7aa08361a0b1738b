"""The commands of the projection service; each is a foreground process, and loads what it needs when it begins."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def migrate(
    worker_role: Annotated[
        str | None, typer.Option(help="The database role of `worker`: granted what it needs.")
    ] = None,
    query_role: Annotated[
        str | None, typer.Option(help="The database role of `query`: granted what it needs.")
    ] = None,
    changed_role: Annotated[
        str | None, typer.Option(help="The database role of `changed`: granted what it needs.")
    ] = None,
    reconciler_role: Annotated[
        str | None, typer.Option(help="The database role of `reconciler`: granted what it needs.")
    ] = None,
) -> None:
    """Bring the read database to this release's tables."""
    from goal_ledger_edge.settings import settings_of
    from goal_ledger_observability.logs import configure_logging

    from goal_ledger_projection.projections import migrate as migrate_database
    from goal_ledger_projection.settings import DatabaseSettings

    settings = settings_of(DatabaseSettings)
    configure_logging("migrate", settings.log_level)
    roles = {
        "worker": worker_role,
        "query": query_role,
        "changed": changed_role,
        "reconciler": reconciler_role,
    }
    asyncio.run(migrate_database(settings.read_database_url, roles))


@app.command()
def worker() -> None:
    """Fold facts into the live projection version."""
    from goal_ledger_edge.server import run
    from goal_ledger_edge.settings import settings_of
    from goal_ledger_observability.logs import configure_logging

    from goal_ledger_projection.database import NotMigrated
    from goal_ledger_projection.folding.worker import run_worker
    from goal_ledger_projection.settings import WorkerSettings

    settings = settings_of(WorkerSettings)
    configure_logging("worker", settings.log_level)
    try:
        run(run_worker(settings))
    except NotMigrated as empty:
        raise SystemExit(str(empty)) from None


@app.command()
def query() -> None:
    """Answer questions over HTTP."""
    from goal_ledger_projection.query import run_query

    run_query()


@app.command()
def changed() -> None:
    """Tell `goals.changed`: each goal whose answer a fact or time has changed."""
    from goal_ledger_edge.server import run
    from goal_ledger_edge.settings import settings_of
    from goal_ledger_observability.logs import configure_logging

    from goal_ledger_projection.changed.process import run_changed
    from goal_ledger_projection.changed.settings import ChangedSettings

    settings = settings_of(ChangedSettings)
    configure_logging("changed", settings.log_level)
    run(run_changed(settings))


@app.command()
def reconciler() -> None:
    """Compare store, Kafka and read models for ever; what differs is an alarm."""
    from goal_ledger_edge.server import run
    from goal_ledger_edge.settings import settings_of
    from goal_ledger_observability.logs import configure_logging

    from goal_ledger_projection.reconciling.process import run_reconciler
    from goal_ledger_projection.settings import ReconcilerSettings

    settings = settings_of(ReconcilerSettings)
    configure_logging("reconciler", settings.log_level)
    run(run_reconciler(settings))


@app.command()
def reconcile(
    mend: Annotated[
        bool, typer.Option("--mend", help="Fold anew the workspaces whose rows in the read side differ.")
    ] = False,
) -> None:
    """Compare store, Kafka and read models once, and say which rows and records differ.

    Exit codes: 0 they agree, 1 something differs, 3 nothing differs but something could not be compared.
    """
    from goal_ledger_edge.settings import settings_of
    from goal_ledger_observability.logs import configure_logging

    from goal_ledger_projection.reconciling.command import reconcile as reconcile_once
    from goal_ledger_projection.settings import WorkerSettings

    settings = settings_of(WorkerSettings)
    configure_logging("reconcile", settings.log_level)
    raise SystemExit(asyncio.run(reconcile_once(settings, mend=mend)))


@app.command()
def retry(workspace: Annotated[str | None, typer.Argument(help="Only this one.")] = None) -> None:
    """Let parked workspaces go on: drain each from the feed, in order; say which stand still again."""
    from goal_ledger_edge.settings import settings_of
    from goal_ledger_observability.logs import configure_logging

    from goal_ledger_projection.folding.retry import retry_parked
    from goal_ledger_projection.settings import WorkerSettings

    settings = settings_of(WorkerSettings)
    configure_logging("retry", settings.log_level)
    still = asyncio.run(retry_parked(settings, workspace))
    raise SystemExit(1 if still else 0)


@app.command()
def rebuild(
    only_compare: Annotated[
        bool, typer.Option("--only-compare", help="Do not switch to the new version.")
    ] = False,
    changed: Annotated[
        list[str] | None,
        typer.Option("--changed", metavar="TABLE", help="A table that is meant to differ; may be repeated."),
    ] = None,
) -> None:
    """Fold a new projection version from Kafka beside the live one, compare the two, and switch to the new one.

    The columns that both have are compared. What differs is printed, with examples, and the new version goes live only
    if nothing does, or if each table that does is named with --changed.
    """
    from goal_ledger_edge.settings import settings_of
    from goal_ledger_observability.logs import configure_logging

    from goal_ledger_projection.folding.garbage import collect_rarely
    from goal_ledger_projection.folding.rebuild import rebuild as rebuild_projection
    from goal_ledger_projection.settings import WorkerSettings

    settings = settings_of(WorkerSettings)
    configure_logging("rebuild", settings.log_level)
    collect_rarely()
    equal = asyncio.run(rebuild_projection(settings, only_compare=only_compare, changed=tuple(changed or ())))
    raise SystemExit(0 if equal else 1)


@app.command()
def switch(
    version: Annotated[str, typer.Argument(help="Such as read_v1, of this release's shape; see `versions`.")],
) -> None:
    """Make another projection version live, as it stands; its workers catch up."""
    from goal_ledger_edge.settings import settings_of

    from goal_ledger_projection.folding.switching import NoSuchVersion, OfAnotherShape
    from goal_ledger_projection.folding.switching import switch as switch_to
    from goal_ledger_projection.settings import DatabaseSettings

    settings = settings_of(DatabaseSettings)
    try:
        left = asyncio.run(switch_to(settings.read_database_url, version))
    except (NoSuchVersion, OfAnotherShape) as refused:
        raise SystemExit(str(refused)) from None
    typer.echo(f"{version} is live; it was {left}")


@app.command()
def versions() -> None:
    """List the projection versions: shape, whether live, since when, facts folded."""
    from goal_ledger_edge.settings import settings_of

    from goal_ledger_projection.folding.versions import list_versions
    from goal_ledger_projection.settings import DatabaseSettings

    settings = settings_of(DatabaseSettings)
    asyncio.run(list_versions(settings.read_database_url))


@app.command()
def drop(
    version: Annotated[str, typer.Argument(help="Such as read_v1; see `versions`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, say what would be done.")] = False,
) -> None:
    """Drop a projection version that no process serves any longer. Never the live one of this release's shape."""
    from goal_ledger_edge.settings import settings_of

    from goal_ledger_projection.folding.versions import CannotDrop, drop_version
    from goal_ledger_projection.settings import DatabaseSettings

    settings = settings_of(DatabaseSettings)
    try:
        typer.echo(asyncio.run(drop_version(settings.read_database_url, version, really=yes)))
    except CannotDrop as refused:
        raise SystemExit(str(refused)) from None


if __name__ == "__main__":
    app()
