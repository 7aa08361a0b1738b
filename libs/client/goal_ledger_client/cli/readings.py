"""Readings: sent, judged, and what became of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from goal_ledger_client.cli.session import (
    REFUSED,
    AsJson,
    connected,
    line,
    out,
    query,
    send,
    tell_json,
    without_none,
)
from goal_ledger_client.cli.showing import table

reading = typer.Typer(help="Readings of feeds: send, release, reject, retract.", no_args_is_help=True)

Feed = Annotated[str, typer.Argument(help="Name of the feed")]
Source = Annotated[str, typer.Argument(help="Of the reading's identity (source, id)")]
Id = Annotated[str, typer.Argument(help="Of the reading's identity (source, id)")]
Why = Annotated[str, typer.Option("--reason", help="Why")]


@reading.command("send")
def send_reading(
    context: typer.Context,
    feed: Feed,
    value: Annotated[str, typer.Argument(help="A decimal")],
    source: Annotated[str, typer.Option(help="Who read it; with the id the reading's identity")],
    id: Annotated[str, typer.Option(help="Any number of repeats is one reading")],
    time: Annotated[str | None, typer.Option(help="RFC 3339; left out: now")] = None,
    unit: Annotated[str | None, typer.Option(help="Left out: the feed's")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen")] = False,
    as_json: AsJson = False,
) -> None:
    """Send one reading and tell its receipt.

    Example: goal-ledger reading send till.sales 12 --source /till/1 --id 2027-01-04
    """
    event = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": source,
        "id": id,
        "time": time or datetime.now(UTC).isoformat(),
        "subject": feed,
        "datacontenttype": "application/json",
        "data": without_none(value=value, unit=unit),
    }
    with connected(context) as ledger:
        receipt = ledger.readings([event], dry_run=dry_run)[0]
    _tell_receipt(receipt, as_json)
    if receipt["outcome"] == "refused":
        raise typer.Exit(REFUSED)


def receipt(context: typer.Context, source: Source, id: Id, as_json: AsJson = False) -> None:
    """What became of a reading.

    Example: goal-ledger receipt /till/1 2027-01-04
    """
    with connected(context) as ledger:
        found = ledger.query("/v1/receipts", source=source, id=id)
    _tell_receipt(found, as_json)


def _tell_receipt(receipt: dict[str, Any], as_json: bool) -> None:
    if as_json:
        return tell_json(receipt)
    line(f"{receipt['source']} {receipt['id']}: {receipt.get('state') or receipt['outcome']}")
    for name in ("feed", "reason", "detail", "position", "event_id"):
        if receipt.get(name):
            line(f"{name}: {receipt[name]}")


@reading.command("quarantine")
def quarantine(
    context: typer.Context,
    feed: Annotated[str | None, typer.Option(help="Only of this feed")] = None,
    as_json: AsJson = False,
) -> None:
    """The readings that wait for a person.

    Example: goal-ledger reading quarantine --feed till.sales
    """
    query(context, "/v1/quarantine", _tell_quarantine, as_json, feed=feed)


def _tell_quarantine(body: dict[str, Any]) -> None:
    names = ("feed", "source", "id", "time", "value", "unit")
    rows = [[one[name] for name in names] for one in body["items"]]
    out.print(table("Feed", "Source", "Id", "Time", "Value", "Unit", rows=rows))


def _judge(name: str, help_text: str, why: str) -> None:
    def run(
        context: typer.Context, feed: Feed, source: Source, id: Id, reason: Why, as_json: AsJson = False
    ) -> None:
        body = {"feed": feed, "source": source, "id": id, "reason": reason}
        send(context, f"/v1/readings/{name}", body, f"reading {name}:", as_json)

    example = f'goal-ledger reading {name} till.sales /till/1 2027-01-04 --reason "{why}"'
    run.__doc__ = f"{help_text}\n\nExample: {example}"
    reading.command(name)(run)


_judge("release", "Release a reading from quarantine: it counts from now on.", "It was a fair")
_judge("reject", "Reject a reading in quarantine.", "A test of the till")
_judge("retract", "Retract a reading.", "Sent twice")


def register(app: typer.Typer) -> None:
    app.add_typer(reading, name="reading")
    app.command("receipt")(receipt)
