"""``POST /v1/imports``: a whole organisation, or rows of it, as JSON, JSON Lines or CSV. The guide: docs/guide/import.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from goal_ledger_command.api.command_route import causation_id
from goal_ledger_command.api.door import Door
from goal_ledger_command.api.routes import Route
from goal_ledger_command.importing.conduct import Conduct, lines_of_reports
from goal_ledger_command.importing.csv_numbers import FORMS, Style, style_of
from goal_ledger_command.importing.csv_rows import need_no_spreadsheet, need_table, of_csv
from goal_ledger_command.importing.document import FORMAT
from goal_ledger_command.importing.owners import with_owners
from goal_ledger_command.importing.planning import fill, plan
from goal_ledger_command.importing.rows import Read, of_document, of_lines
from goal_ledger_command.importing.running import Importer
from goal_ledger_command.importing.when import in_zone, zone_of_document, zone_of_lines
from goal_ledger_command.importing.workbook import Workbook
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.permission import Permission
from goal_ledger_domain.policy import in_force
from goal_ledger_edge.bodies import parse_json, read_body, require_media_type
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Gives, Right, Takes
from goal_ledger_observability.context import correlation_id, traceparent
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

JSON, JSON_LINES, CSV = "application/json", "application/jsonl", "text/csv"
MAX_IMPORT_BYTES = 16 * 1024 * 1024
MAX_IMPORT_ROWS = 100_000
CREATE_OWNERS = "Make the units and people that rows name as owners or contributors, and that are not there"
IMPORT_ID = "^[A-Za-z0-9_-]{1,64}$"
MAX_IMPORTS_AT_ONCE = 2
"""Of a process; others wait."""


class RowDocument(BaseModel):
    row: str = Field(description="JSON pointer of the row, or its line", examples=["/objectives/3"])
    kind: str = Field(examples=["objective"])
    id: str
    outcome: str = Field(
        description="created, changed, unchanged, refused; not_recorded: send it again", examples=["created"]
    )
    code: str | None = None
    detail: str | None = None
    field: str | None = None
    earliest: str | None = Field(default=None, description="The earliest time that would do")
    rest: str | None = Field(
        default=None, description="What became of the rest of the row, if only a part of it was refused"
    )
    because: str | None = Field(default=None, description="The row whose refusal is the cause")
    warning: dict[str, str] | None = Field(
        default=None, description="code and detail: it is recorded, but perhaps not as it was meant"
    )


class ImportDocument(BaseModel):
    import_id: str = Field(
        description="The correlation id of all its facts: /v1/facts?q=<import_id> finds them"
    )
    rows: list[RowDocument] = Field(
        description="One per row, in the order of the file; causes before consequences"
    )
    counts: dict[str, int] = Field(description="By outcome; they add up to the rows")
    warnings: int
    dry_run: bool
    position: str = Field(description="Queries that send it back include the import", examples=["1-151"])


class OrganisationBody(BaseModel):
    """``goal-ledger.organisation.v1``; all lists may be left out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"format": FORMAT, "units": []}]}
    )

    format: str
    workspace: dict[str, Any] | None = None
    units: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    systems: list[dict[str, Any]] = []
    feeds: list[dict[str, Any]] = []
    cycles: list[dict[str, Any]] = []
    policies: list[dict[str, Any]] = []
    moments: list[dict[str, Any]] = []
    objectives: list[dict[str, Any]] = []
    key_results: list[dict[str, Any]] = []
    check_ins: list[dict[str, Any]] = []
    readings: list[dict[str, Any]] = []


_RIGHT = Right(Permission.IMPORT, role="importer")
ImportRequest = Annotated[Request, _RIGHT]
TextRequest = Annotated[
    Request, _RIGHT, Takes({kind: {"schema": {"type": "string"}} for kind in (JSON_LINES, CSV)})
]
RowsRequest = Annotated[
    Request,
    _RIGHT,
    Takes({JSON: OrganisationBody, **{kind: {"schema": {"type": "string"}} for kind in (JSON_LINES, CSV)}}),
]


async def importer_of(door: Door, request: Request, import_id: str | None) -> tuple[Importer, str]:
    """Who asks, and the workspace's time zone. Problem 401, 403."""
    asker = await door.allowed(request)
    correlation = import_id or correlation_id.get() or uuid7()
    causation = causation_id(request.headers.get("x-causation-id"), correlation)
    importer = Importer(asker.credential, asker.actor, correlation, causation, traceparent.get())
    return importer, in_force(asker.world, "person/-").time_zone or "UTC"


async def media_type_of_rows(request: Request, accepted: Collection[str]) -> str:
    """Problem 415; 400 that says what to send instead if the body begins as a spreadsheet's own file does."""
    try:
        return require_media_type(request, accepted)
    except Problem:
        need_table(await anext(request.stream()))
        raise


def router(door: Door, max_document_bytes: int, places: asyncio.Semaphore) -> APIRouter:
    """An import in one request."""
    routes = APIRouter(tags=["imports"], route_class=Route)

    @routes.post("/v1/imports", summary="Import an organisation, or rows of it")
    async def import_rows(
        request: RowsRequest,
        dry_run: Annotated[bool, Query(description="Say what would happen, record nothing")] = False,
        import_id: Annotated[
            str | None,
            Query(
                pattern=IMPORT_ID,
                description="Stands in every fact of the import as its correlation id; left out: one is made",
            ),
        ] = None,
        numbers: Annotated[
            str | None, Query(description=f"How a table's numbers are written: {'; '.join(FORMS)}")
        ] = None,
        percent: Annotated[bool, Query(description="A table's numbers may have a percent sign")] = False,
        create_owners: Annotated[bool, Query(description=CREATE_OWNERS)] = False,
        _key: Annotated[str | None, Header(alias="Idempotency-Key", description="Not taken")] = None,
    ) -> Annotated[
        Response,
        Gives("What became of each row; as JSON Lines if that is accepted, or was sent", ImportDocument),
    ]:
        """Bring the workspace to what the rows say, by the ordinary commands. Needs the role importer."""
        media_type = await media_type_of_rows(request, (JSON, JSON_LINES, CSV))
        if _key is not None:
            sentence = "An import takes no Idempotency-Key: its rows have ids."
            raise Problem(422, "key_not_for_bulk", sentence, field="Idempotency-Key")
        importer, time_zone = await importer_of(door, request, import_id)
        largest = max_document_bytes if media_type == JSON else MAX_IMPORT_BYTES
        raw = await read_body(request, largest)
        need_no_spreadsheet(raw)
        style = style_of({} if numbers is None else {"numbers": numbers}, percent=percent)
        book = await asyncio.to_thread(_planned, media_type, raw, time_zone, style, create_owners)
        work = Conduct(door.shell, importer, book, dry_run=dry_run)
        if media_type == JSON_LINES or JSON_LINES in request.headers.get("accept", ""):
            return StreamingResponse(lines_of_reports(work, places), media_type=JSON_LINES)
        async with places:
            told = [report.document() async for report in work.reports() if report is not None]
        work.book.close()
        summary = await work.summary()
        body = json.dumps({**summary, "rows": told}, ensure_ascii=False)
        headers = {"Goal-Ledger-Position": summary["position"]}
        return Response(body.encode(), media_type=JSON, headers=headers)

    return routes


def _rows(media_type: str, raw: bytes, time_zone: str, style: Style) -> Iterator[Read]:
    if media_type == JSON:
        document = parse_json(raw, len(raw))
        return in_zone(zone_of_document(document) or time_zone, of_document(document))
    if media_type == CSV:
        return in_zone(time_zone, of_csv(raw.split(b"\n"), style))
    lines = raw.splitlines()
    return in_zone(zone_of_lines(lines) or time_zone, of_lines(lines))


def _planned(media_type: str, raw: bytes, time_zone: str, style: Style, create_owners: bool) -> Workbook:
    """The steps of all rows, in order. Problem 400, 413, 422.

    A second of work for 20,000 rows: in a thread, so that other requests go on.
    """
    book = Workbook()
    rows = _rows(media_type, raw, time_zone, style)
    fill(book, with_owners(rows) if create_owners else rows, MAX_IMPORT_ROWS)
    book.steps = plan(book)
    return book
