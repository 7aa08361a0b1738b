"""Whole organisations in and out: ``import`` with a report per row, ``export`` to the same document."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from goal_ledger_client import transfer
from goal_ledger_client.cli.session import (
    NOT_REACHED,
    REFUSED,
    WRONG_USAGE,
    AsJson,
    connected,
    errors,
    fail,
    out,
    tell_json,
)
from goal_ledger_client.export import organisation_of

SHOWN_ROWS = 50


def bar() -> Progress:
    """On stderr, so that stdout can be read by programs."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
    )


def import_(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="A document (.json), its rows (.jsonl) or a table (.csv); - is stdin", allow_dash=True
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, record nothing")] = False,
    form: Annotated[
        str | None, typer.Option("--format", help="json, jsonl or csv; left out: by name or content")
    ] = None,
    numbers: Annotated[
        str | None, typer.Option(help="How a table's numbers are written, such as 1.234,5")
    ] = None,
    percent: Annotated[bool, typer.Option("--percent", help="A table's numbers may be 25 %")] = False,
    create_owners: Annotated[
        bool, typer.Option("--create-owners", help="Make units and people that rows name and nobody listed")
    ] = False,
    import_id: Annotated[
        str | None, typer.Option(help="Stands in all its facts as correlation id; left out: by the content")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write every row's report here, as JSON Lines")] = None,
    as_json: AsJson = False,
) -> None:
    """Import an organisation, or rows of it. A second time only what changed is recorded.

    Exit code 1 if rows were refused; the others are recorded.

    Example: goal-ledger import okr.csv --dry-run

    Example: goal-ledger import - --format csv --numbers 1.234,5 < okr.csv

    Example: goal-ledger --role importer --stack .demo/stack.json import organisation.json --report report.jsonl
    """
    try:
        rows = transfer.rows_of_file(file, form)
    except (OSError, ValueError) as bad:
        fail(WRONG_USAGE, f"{file}: {bad}")
    kept = report.open("w", encoding="utf-8") if report is not None else None
    told_of: list[dict[str, Any]] = []
    options = transfer.ImportOptions(dry_run, numbers, percent, import_id, create_owners)
    try:
        with connected(context) as ledger:
            reports = transfer.import_rows(ledger, rows, reading=options)
            summary = _followed(reports, dry_run, lambda told: _note(told, told_of, kept, as_json))
    finally:
        if kept is not None:
            kept.close()
    _tell_import(summary, told_of, as_json)
    if summary["counts"]["not_recorded"]:
        raise typer.Exit(NOT_REACHED)
    if summary["counts"]["refused"]:
        raise typer.Exit(REFUSED)


def _followed(
    reports: Iterable[dict[str, Any]], dry_run: bool, note: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """The summary at the end of an import's reports; on the way a bar shows how far it is, and each row is noted."""
    summary: dict[str, Any] = {}
    with bar() as progress:
        task = progress.add_task("dry run" if dry_run else "importing", total=None)
        for told in reports:
            if "rows" in told:
                progress.update(task, total=told["rows"])
            elif "steps_done" in told:
                progress.update(task, completed=told["steps_done"], total=told["steps"])
            elif "summary" in told:
                summary = told["summary"]
            else:
                progress.advance(task)
                note(told)
    return summary


def _note(told: dict[str, Any], told_of: list[dict[str, Any]], kept: Any, as_json: bool) -> None:
    if told["outcome"] in ("refused", "not_recorded") or "warning" in told:
        told_of.append(told)
        del told_of[SHOWN_ROWS + 1 :]
    if kept is not None:
        kept.write(json.dumps(told, ensure_ascii=False) + "\n")
    if as_json:
        tell_json(told)


def _tell_import(summary: dict[str, Any], told_of: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        return tell_json({"summary": summary})
    for one in told_of[:SHOWN_ROWS]:
        out.print(_sentence(one), markup=False, highlight=False, soft_wrap=True)
    if len(told_of) > SHOWN_ROWS:
        out.print("… and more; --report keeps them all")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in summary["counts"].items() if count)
    if summary["warnings"]:
        counts += f", {summary['warnings']} with a warning"
    what = "Would be" if summary["dry_run"] else "Imported"
    told = f"{what}: {counts or 'nothing'} (position {summary['position']}, {summary['import_id']})"
    out.print(told, highlight=False, soft_wrap=True)


def _sentence(report: dict[str, Any]) -> str:
    why = report if "code" in report else report["warning"]
    where = f" ({why['field']})" if "field" in why else ""
    cause = f" [{report['because']}]" if "because" in report else ""
    warned = "" if why is report else f"{report['outcome']}, but "
    thing = f"{report['row']}: {report['kind']} {report['id']}"
    return f"{thing}: {warned}{why.get('code')}: {why.get('detail')}{where}{cause}"


def export(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Where to; left out: stdout")] = None,
    position: Annotated[str | None, typer.Option(help="Wait until this position is included")] = None,
    as_json: AsJson = False,
) -> None:
    """Export the organisation as the document that ``import`` takes: goals as committed and as they are, check-ins,
    moments and readings in force. The whole record travels as the log. Needs the role analyst, auditor or admin.

    Example: goal-ledger export organisation.json
    """
    with connected(context) as ledger, bar() as progress:
        task = progress.add_task("reading facts", total=None)

        def watched() -> Any:
            for fact in transfer.facts(ledger, position=position):
                progress.advance(task)
                yield fact

        document = organisation_of(watched())
    text = json.dumps(document, ensure_ascii=False, indent=1)
    if '"[sealed]"' in text:
        fail(NOT_REACHED, "Personal texts could not be opened now; nothing is written. Try again.")
    if file is None:
        sys.stdout.write(text + "\n")
        return
    file.write_text(text + "\n", encoding="utf-8")
    counts = Counter({name: len(rows) for name, rows in document.items() if isinstance(rows, list)})
    if as_json:
        return tell_json({"file": str(file), "counts": counts})
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    errors.print(f"{file}: {told}", highlight=False)


def log(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Where to; left out: stdout")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only seqs above this")] = 0,
    as_json: AsJson = False,
) -> None:
    """The whole record: every fact's bytes as they were hashed, a line (of JSON) each. Needs the role auditor.

    Example: goal-ledger log record.jsonl
    """
    with connected(context) as ledger, bar() as progress:
        task = progress.add_task("reading the log", total=None)
        kept = file.open("wb") if file is not None else sys.stdout.buffer
        lines = 0
        try:
            for line in transfer.log_lines(ledger, after=after):
                kept.write(line + b"\n")
                lines += 1
                progress.advance(task)
        finally:
            kept.flush()
            if file is not None:
                kept.close()
    if as_json and file is not None:
        tell_json({"file": str(file), "facts": lines})


def register(app: typer.Typer) -> None:
    app.command("log")(log)
    app.command("import")(import_)
    app.command("export")(export)
