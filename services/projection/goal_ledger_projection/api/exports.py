"""`GET /v1/exports`: which datasets there are, with their schemas; what all exports have in common."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers, Gives, Refuses
from goal_ledger_edge.visits import note
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from goal_ledger_projection.api.answers import AnswerAtClocks, Shape, answered
from goal_ledger_projection.api.choices import unknown
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.view import ExportRequest, View, view_of
from goal_ledger_projection.exports.delivery import Export
from goal_ledger_projection.exports.schemas import DATASETS, Dataset
from goal_ledger_projection.exports.writers import FORMS, FileForm

_BINARY = {"type": "string", "format": "binary"}
_TEXT = {"type": "string"}
Exported = Annotated[
    Response,
    Gives(
        "The file",
        content={
            one.media_type: _TEXT if one.word in ("csv", "jsonl") else _BINARY for one in FORMS.values()
        },
    ),
    Refuses(404),
]
AsFormat = Annotated[
    str | None,
    Query(
        alias="format",
        max_length=40,
        description="Goes before Accept; without either, parquet",
        json_schema_extra={"enum": list(FORMS)},
    ),
]


class ColumnShape(Shape):
    name: str
    type: str
    nullable: bool
    description: str


class DatasetShape(Shape):
    dataset: str
    address: str
    schema_: str = Field(alias="schema", description="<dataset>.v<version>; of one version nothing changes")
    description: str
    columns: list[ColumnShape]


class ExportsAnswer(AnswerAtClocks):
    formats: dict[str, str] = Field(description="`format=` → media type, also for Accept")
    datasets: list[DatasetShape]


routes = APIRouter(tags=["exports"], route_class=QuestionRoute)


@routes.get("/v1/exports", summary="The datasets and their schemas")
async def datasets(request: ExportRequest) -> Answers[ExportsAnswer]:
    """What can be had as Parquet, Arrow stream, CSV and JSON Lines, column by column."""
    async with view_of(request) as view:
        body = {
            "formats": {one.word: one.media_type for one in FORMS.values()},
            "datasets": [_shown(one) for one in DATASETS.values()],
        }
        return answered(request, view.clocks, body)


def _shown(one: Dataset) -> dict[str, Any]:
    return {
        "dataset": one.name,
        "address": f"/v1/exports/{one.name}",
        "schema": one.schema,
        "description": one.says,
        "columns": [
            {
                "name": column.name,
                "type": column.kind.value,
                "nullable": not column.needed,
                "description": column.says,
            }
            for column in one.columns
        ],
    }


def form_of(request: Request, stated: str | None) -> FileForm:
    """The form that is asked for. Problem 422 `choice_unknown`: there is none of that name."""
    if stated is not None:
        if stated not in FORMS:
            raise unknown(f"format is one of {', '.join(FORMS)}.", "format", list(FORMS))
        return FORMS[stated]
    accepted = [one.partition(";")[0].strip() for one in request.headers.get("accept", "").split(",")]
    for kind in accepted:
        for form in FORMS.values():
            if kind == form.media_type.partition(";")[0]:
                return form
    return FORMS["parquet"]


def begun(request: Request, view: View, dataset: Dataset, form: FileForm) -> Export:
    """The export, noted in the access log."""
    note(request, view.reader.workspace, dataset=dataset.schema, known_at=str(view.clocks.known))
    return Export(request, view.clocks, dataset, form)


fallback = APIRouter(tags=["exports"], route_class=QuestionRoute)


@fallback.get("/v1/exports/{id}", summary="A dataset that there is not", include_in_schema=False)
async def unknown_dataset(request: ExportRequest, id: str) -> Exported:
    """Problem 404, naming those there are."""
    async with view_of(request):
        sentence = f"There is no dataset {id}; there are {', '.join(DATASETS)}."
        raise Problem(404, "not_found", sentence, field="dataset", allowed=list(DATASETS))
