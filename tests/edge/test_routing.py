"""A route is what the signature of its function says: to those who ask, in OpenAPI, in the access log."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import httpx2
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Query, Request
from goal_ledger_contracts.permission import Permission
from goal_ledger_edge.gate import Gate
from goal_ledger_edge.problems import Problem, install_problem_handlers
from goal_ledger_edge.request_context import RequestContext
from goal_ledger_edge.routing import Answers, DeclaredRoute, Gives, Refuses, Right, Takes, right_of
from goal_ledger_edge.visits import Visit
from goal_ledger_observability.metrics import HttpMetrics, new_registry
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp


class Thing(BaseModel):
    name: str


class Route(DeclaredRoute):
    refusals: ClassVar = {404: "not_found", 409: "busy", 413: "large", 415: "media", 400: "bad", 422: "wrong"}
    always: ClassVar = frozenset({422})
    parameters: ClassVar = {"as_of": {"in": "query", "required": False, "schema": {"type": "string"}}}

    def problem_of(self, failed: Exception) -> Problem | None:
        return (
            Problem(409, "busy", "Not now.")
            if isinstance(failed, BlockingIOError)
            else super().problem_of(failed)
        )


routes = APIRouter(tags=["things"], route_class=Route)


@routes.get("/v1/things")
async def things(
    request: Annotated[Request, Right(Permission.READ_GOALS)],
    tag: Annotated[list[str] | None, Query()] = None,
) -> Answers[Thing]:
    """All of them."""
    return Answers(f'{{"name":"{right_of(request).value}"}}', media_type="application/json")


@routes.get("/v1/record")
async def record(
    request: Annotated[Request, Right(Permission.READ_LOG, noted=True, role="auditor")],
) -> Annotated[Response, Gives("Lines", content={"text/plain": {"type": "string"}}), Refuses(404)]:
    """As it was written."""
    raise BlockingIOError


@routes.post("/v1/things")
async def put(
    request: Annotated[Request, Right(Permission.READ_GOALS), Takes({"application/json": Thing})],
) -> Thing:
    """One more."""
    return Thing(name="new")


async def _sign_in(authorization: str | None, visit: Visit) -> str:
    visit.actor = "person/ada"
    return "ada"


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI()
    install_problem_handlers(made)
    made.router.routes.extend(routes.routes)
    return made


@pytest.fixture
def http(app: FastAPI) -> httpx2.AsyncClient:
    declared = [one for one in routes.routes if isinstance(one, Route)]
    served: ASGIApp = RequestContext(Gate(app, _sign_in, declared), HttpMetrics(new_registry("test")))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(served), base_url="http://test")


def test_openapi_says_what_the_signature_says(app: FastAPI) -> None:
    paths: dict[str, Any] = app.openapi()["paths"]
    asked, read, sent = paths["/v1/things"]["get"], paths["/v1/record"]["get"], paths["/v1/things"]["post"]
    assert [one["name"] for one in asked["parameters"]] == ["tag", "as_of"]
    assert (asked["x-permission"], read["x-permission"], read["x-role"]) == (
        "goals.read",
        "log.read",
        "auditor",
    )
    assert [set(one["responses"]) for one in (asked, read, sent)] == [
        {"200", "422"},
        {"200", "404", "422"},
        {"200", "400", "413", "415", "422"},
    ]
    assert asked["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Thing")
    assert set(read["responses"]["200"]["content"]) == {"text/plain"}
    assert sent["requestBody"]["required"] and set(sent["requestBody"]["content"]) == {"application/json"}


@pytest.mark.parametrize(
    "query, status",
    [("", 200), ("?tag=a&tag=b", 200), ("?as_of=x", 200), ("?as_of=x&as_of=y", 422), ("?n=1", 422)],
)
async def test_a_parameter_that_the_route_does_not_have_is_refused(
    http: httpx2.AsyncClient, query: str, status: int
) -> None:
    answer = await http.get(f"/v1/things{query}")
    assert answer.status_code == status
    assert answer.json()["name" if status == 200 else "status"] == ("goals.read" if status == 200 else 422)


async def test_what_a_function_raises_is_the_problem_that_its_service_says(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/v1/record")
    assert (answer.status_code, answer.json()["code"]) == (409, "busy")


async def test_reads_of_a_noted_route_are_noted_whatever_becomes_of_them(
    http: httpx2.AsyncClient,
) -> None:
    with structlog.testing.capture_logs() as logged:
        for path in ("/v1/things", "/v1/record", "/v1/nothing"):
            await http.get(path)
    assert [one["path"] for one in logged if one["event"] == "record read"] == ["/v1/record"]


def test_a_function_that_names_no_right_is_no_route() -> None:
    async def open_to_all(request: Request) -> Thing:
        return Thing(name="x")

    with pytest.raises(TypeError, match="which right"):
        routes.get("/v1/open")(open_to_all)
