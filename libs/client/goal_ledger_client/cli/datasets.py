"""``dataset``: everything as files for analysts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from goal_ledger_client import datasets
from goal_ledger_client.cli.session import (
    WRONG_USAGE,
    AsJson,
    AsOf,
    KnownAt,
    connected,
    errors,
    fail,
    out,
    query,
    tell_json,
    without_none,
)
from goal_ledger_client.cli.showing import table


def dataset(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Such as scores; left out: lists them")] = None,
    parameter: Annotated[list[str] | None, typer.Argument(help="Filters: name=value")] = None,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to; left out: <dataset>.<format> here")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="parquet, arrow, csv or jsonl")] = "parquet",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    token: Annotated[
        str | None, typer.Option("--same-as", help="The token of an export: the same bytes again")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A dataset as a file, at any moment. Needs the role analyst or auditor.

    Example: goal-ledger dataset scores --format parquet -o scores.parquet

    Example: goal-ledger dataset check-ins objective=growth --format csv --as-of 2026-10-01T00:00:00Z
    """
    if form not in datasets.FORMATS:
        fail(WRONG_USAGE, f"--format is one of {', '.join(datasets.FORMATS)}.")
    if name is None:
        return _list(context, as_json)
    pairs = [one.partition("=") for one in parameter or ()]
    asked = without_none(as_of=as_of, known_at=known_at, token=token) | {
        one: value for one, _, value in pairs
    }
    where = file or Path(f"{name}.{form}")
    told = (0, "")
    with connected(context) as ledger, _bar() as progress:
        task = progress.add_task(name, total=None)
        for told in datasets.save(ledger, ledger.dataset_request(name, form, asked), where):
            progress.update(task, completed=told[0])
    size, given = told
    if as_json:
        return tell_json({"file": str(where), "bytes": size, "token": given})
    errors.print(f"{where}: {size:,} bytes, token {given}", highlight=False, soft_wrap=True)


def _bar() -> Progress:
    """On stderr; how large it will be nobody knows."""
    columns = (TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=errors, transient=True)


def _list(context: typer.Context, as_json: bool) -> None:
    query(context, "/v1/exports", _tell_datasets, as_json)


def _tell_datasets(body: dict[str, Any]) -> None:
    rows = [(one["dataset"], one["schema"], one["description"]) for one in body["datasets"]]
    out.print(table("Dataset", "Schema", "What a row is", rows=rows))


def register(app: typer.Typer) -> None:
    app.command("dataset")(dataset)
