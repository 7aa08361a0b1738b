"""An import of any size: its pieces one after another under one import id, then the order to run it.

PUT  /v1/imports/<id>/pieces/1 …   any stretch of the file's bytes; the same again changes nothing
GET  /v1/imports/<id>              which pieces are here
POST /v1/imports/<id>/run          decides all rows; sent again after it broke off, it goes on from there
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from goal_ledger_command.api.door import Door
from goal_ledger_command.api.imports import (
    CREATE_OWNERS,
    CSV,
    IMPORT_ID,
    JSON_LINES,
    ImportRequest,
    TextRequest,
    importer_of,
    media_type_of_rows,
)
from goal_ledger_command.api.routes import Route
from goal_ledger_command.importing.conduct import Conduct, lines_of_reports
from goal_ledger_command.importing.csv_numbers import FORMS, Style, style_of
from goal_ledger_command.importing.csv_rows import need_no_spreadsheet, of_csv
from goal_ledger_command.importing.owners import with_owners
from goal_ledger_command.importing.pieces import Pieces, Staged, lines_of
from goal_ledger_command.importing.planning import fill, plan
from goal_ledger_command.importing.rows import MAX_LINE_BYTES, Read, of_lines
from goal_ledger_command.importing.when import in_zone, zone_of_lines
from goal_ledger_command.importing.workbook import Workbook
from goal_ledger_edge.bodies import read_body
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Gives, Refuses
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

MAX_PIECE_BYTES = 4 * 1024 * 1024
MAX_PIECES = 100_000

ImportId = Annotated[
    str, Path(pattern=IMPORT_ID, description="Chosen by the client; the correlation id of all its facts")
]
PieceNumber = Annotated[
    int, Path(ge=1, le=MAX_PIECES, description="From 1; the file is all of them in order")
]
PieceCount = Annotated[
    int, Query(alias="pieces", ge=1, le=MAX_PIECES, description="How many pieces the file has")
]
DryRun = Annotated[bool, Query(description="Say what would happen, record nothing")]
NumberForm = Annotated[
    str | None, Query(description=f"How a table's numbers are written: {'; '.join(FORMS)}")
]
PercentSign = Annotated[bool, Query(description="A table's numbers may have a percent sign")]
CreateOwners = Annotated[bool, Query(description=CREATE_OWNERS)]
Reports = Annotated[
    Response,
    Gives(
        "The rows' reports, as JSON Lines, with how many steps are done on the way",
        content={JSON_LINES: {"type": "string"}},
    ),
    Refuses(400, 404, 409, 413),
]


class PieceDocument(BaseModel):
    number: int
    bytes: int


class StagedDocument(BaseModel):
    import_id: str
    media_type: str = Field(examples=[JSON_LINES])
    pieces: list[PieceDocument]
    steps_done: int = Field(description="Above 0: it broke off; run it again and it goes on")


def router(door: Door, pieces: Pieces, places: asyncio.Semaphore) -> APIRouter:
    """The routes of imports in pieces."""
    routes = APIRouter(tags=["imports"], route_class=Route)

    _sending(routes, door, pieces)
    _running(routes, door, pieces, places)
    return routes


async def _staged(door: Door, pieces: Pieces, request: Request, import_id: str) -> Staged:
    importer, _ = await importer_of(door, request, import_id)
    found = await pieces.find(importer.credential.workspace, import_id)
    if found is None:
        raise Problem(404, "not_found", "No piece of such an import is here: it is done, or was never sent.")
    return found


def _sending(routes: APIRouter, door: Door, pieces: Pieces) -> None:
    @routes.put("/v1/imports/{import_id}/pieces/{number}", summary="Send a piece of an import")
    async def put_import_piece(
        request: TextRequest, import_id: ImportId, number: PieceNumber
    ) -> Annotated[PieceDocument, Refuses(404, 409)]:
        """Keep a stretch of the file, at most 4 MiB. It lies sealed until the import is done, or for a week."""
        media_type = await media_type_of_rows(request, (JSON_LINES, CSV))
        importer, zone = await importer_of(door, request, import_id)
        raw = await read_body(request, MAX_PIECE_BYTES)
        if number == 1:
            need_no_spreadsheet(raw)
        staged = await pieces.begin(importer.credential.workspace, import_id, media_type, zone)
        await pieces.keep(staged, number, raw)
        return PieceDocument(number=number, bytes=len(raw))

    @routes.get("/v1/imports/{import_id}", summary="Which pieces of an import are here")
    async def get_import(
        request: ImportRequest, import_id: ImportId
    ) -> Annotated[StagedDocument, Refuses(400, 404)]:
        """What was sent so far, and how far it has come. 404 once it is done."""
        staged = await _staged(door, pieces, request, import_id)
        here = [PieceDocument(number=n, bytes=size) for n, size in (await pieces.listing(staged)).items()]
        return StagedDocument(
            import_id=import_id, media_type=staged.media_type, pieces=here, steps_done=staged.steps_done
        )

    @routes.delete("/v1/imports/{import_id}", summary="Drop the pieces of an import", status_code=204)
    async def drop_import(
        request: ImportRequest, import_id: ImportId
    ) -> Annotated[Response, Refuses(400, 404)]:
        """Forget what was sent; what was recorded stays."""
        await pieces.forget(await _staged(door, pieces, request, import_id))
        return Response(status_code=204)


def _running(routes: APIRouter, door: Door, pieces: Pieces, places: asyncio.Semaphore) -> None:
    @routes.post("/v1/imports/{import_id}/run", summary="Import what was sent in pieces")
    async def run_import(
        request: ImportRequest,
        import_id: ImportId,
        count: PieceCount,
        dry_run: DryRun = False,
        numbers: NumberForm = None,
        percent: PercentSign = False,
        create_owners: CreateOwners = False,
    ) -> Reports:
        """Bring the workspace to what the file says. When it is done the pieces are gone; after a dry run they stay."""
        importer, _ = await importer_of(door, request, import_id)
        staged, style = await _staged(door, pieces, request, import_id), _style(numbers, percent)
        _need_all(await pieces.listing(staged), count)
        book = await _planned(pieces, staged, count, style, create_owners)
        work = Conduct(door.shell, importer, book, dry_run=dry_run, kept=(pieces, staged))
        return StreamingResponse(lines_of_reports(work, places), media_type=JSON_LINES)


def _need_all(here: Collection[int], count: int) -> None:
    """The pieces are 1 to ``count``, no more and no less. Problem 409."""
    missing = [number for number in range(1, count + 1) if number not in here]
    if missing:
        sentence = f"{len(missing)} of {count} pieces are not here, the first of them {missing[0]}."
        raise Problem(409, "pieces_missing", sentence, field="pieces")
    if len(here) > count:
        sentence = f"{len(here)} pieces are here, up to number {max(here)}: pieces={count} leaves some out."
        raise Problem(409, "pieces_left_out", sentence, field="pieces")


def _style(numbers: str | None, percent: bool) -> Style:
    return style_of({} if numbers is None else {"numbers": numbers}, percent=percent)


async def _planned(pieces: Pieces, staged: Staged, count: int, style: Style, create_owners: bool) -> Workbook:
    """The steps of all rows, in order: pieces are opened one at a time. Problem 400, 413, 422."""
    loop = asyncio.get_running_loop()

    def lines() -> Iterator[bytes]:
        chunks = (
            asyncio.run_coroutine_threadsafe(pieces.piece(staged, number), loop).result()
            for number in range(1, count + 1)
        )
        return lines_of(chunks, MAX_LINE_BYTES)

    return await asyncio.to_thread(_filled, staged, lines, style, create_owners)


def _filled(
    staged: Staged, lines: Callable[[], Iterator[bytes]], style: Style, create_owners: bool
) -> Workbook:
    book = Workbook()
    rows = _rows(staged, lines, style)
    fill(book, with_owners(rows) if create_owners else rows)
    book.steps = plan(book)
    return book


def _rows(staged: Staged, lines: Callable[[], Iterator[bytes]], style: Style) -> Iterator[Read]:
    if staged.media_type == CSV:
        return in_zone(staged.zone, of_csv(lines(), style))
    return in_zone(zone_of_lines(lines()) or staged.zone, of_lines(lines()))
