"""What every request meets: media type, size, strict JSON, and problem documents for all that is refused."""

import asyncio
import http.client
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Query, Request
from goal_ledger_edge.bodies import read_json
from goal_ledger_edge.positions import asked_position, asked_wait_ms
from goal_ledger_edge.problems import Problem, install_problem_handlers
from goal_ledger_edge.request_context import RequestContext
from goal_ledger_edge.server import Listener, serve
from goal_ledger_observability.health import health_routes
from goal_ledger_observability.metrics import HttpMetrics, new_registry
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

MAX_BYTES = 1000


def application() -> ASGIApp:
    app = FastAPI()
    install_problem_handlers(app, {"no_such_thing": "There is no such thing"})
    registry = new_registry("test")

    @app.post("/echo")
    async def echo(request: Request) -> dict[str, str]:
        return {"repr": repr(await read_json(request, MAX_BYTES))}

    @app.get("/refuse")
    async def refuse() -> None:
        raise Problem(422, "no_such_thing", "The goal is not there.", field="/goal", path=["a", "b"])

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret of the house")

    @app.get("/cut")
    async def cut() -> StreamingResponse:
        async def some() -> AsyncIterator[bytes]:
            yield b"first"
            raise RuntimeError("secret of the house")

        return StreamingResponse(some())

    @app.get("/number")
    async def number(n: int = Query(le=5)) -> int:
        return n

    @app.get("/position")
    async def position(request: Request) -> list[str]:
        return [str(asked_position(request.headers)), str(asked_wait_ms(request.query_params))]

    async def checks() -> dict[str, str]:
        return {"database": "away"}

    app.router.routes.extend(health_routes(checks, registry))
    return RequestContext(app, HttpMetrics(registry), local=True)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=application())
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def assert_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:goal-ledger:problem:{code}"
    assert body["title"] and body["detail"]
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    return dict(body)


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":2}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"[" * 40 + b"]" * 40,
        b"[" * 900,
        b'{"a":' + b"9" * 100 + b"}",
        b'{"a":1e999999999999999999999}',
        b"{} {}",
        b"\xef\xbb\xbf{}",
    ],
)
async def test_what_is_not_strict_json_is_refused_with_400(client: httpx2.AsyncClient, raw: bytes) -> None:
    assert_problem(await client.post("/echo", content=raw, headers=JSON), 400, "bad_json")


async def test_numbers_are_taken_by_their_digits(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/echo", content=b'{"a":0.10000000000000000001}', headers=JSON)
    assert answer.json()["repr"] == "{'a': Decimal('0.10000000000000000001')}"


async def test_a_body_over_the_limit_is_refused_unread_and_never_echoed(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/echo", content=b'"' + b"x" * MAX_BYTES + b'"', headers=JSON)
    assert_problem(answer, 413, "body_too_large")
    assert "xxxx" not in answer.text
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while asked < 1000:
            asked += 1
            yield b"x" * 100

    answer = await client.post("/echo", content=endless(), headers=JSON)
    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_another_media_type_is_refused_with_415(
    client: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    assert_problem(
        await client.post("/echo", content=b"{}", headers=headers), 415, "media_type_not_supported"
    )


async def test_a_refusal_has_its_code_title_field_and_members(client: httpx2.AsyncClient) -> None:
    body = assert_problem(await client.get("/refuse"), 422, "no_such_thing")
    assert (body["title"], body["field"], body["path"]) == ("There is no such thing", "/goal", ["a", "b"])


async def test_the_routers_own_refusals_are_problem_documents(client: httpx2.AsyncClient) -> None:
    assert_problem(await client.get("/nowhere"), 404, "not_found")
    answer = await client.delete("/echo")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert (await client.delete("/position")).headers["allow"] == "GET, HEAD"


async def test_a_head_request_is_answered_as_get_without_the_body(client: httpx2.AsyncClient) -> None:
    asked, headed = await client.get("/position"), await client.head("/position")
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["content-length"] == asked.headers["content-length"] != "0"
    refused = await client.head("/refuse")
    assert (refused.status_code, refused.headers["content-type"], refused.content) == (
        422,
        "application/problem+json",
        b"",
    )
    assert (await client.head("/echo")).status_code == 405
    assert (await client.head("/nowhere")).status_code == 404


async def test_whatever_is_requested_the_series_are_bounded(client: httpx2.AsyncClient) -> None:
    chance = random.Random(7)
    for _ in range(2000):
        letters = "a" + "".join(chance.choices("abc/%2fé?&=", k=chance.randint(1, 20)))
        method = chance.choice(["GET", "POST", "HEAD", "PURGE", "X" + letters[:3].strip("/%?&=é"), "DELETE"])
        await client.request(
            method, chance.choice(["/position", "/echo", f"/{letters}", f"/health/{letters}"])
        )
    samples = [
        line for line in (await client.get("/metrics")).text.splitlines() if "goal_ledger_http" in line
    ]
    assert len(samples) < 150


async def test_a_wrong_parameter_is_named_but_not_echoed(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/number", params={"n": "77secret77"})
    assert assert_problem(answer, 422, "invalid")["field"] == "n"
    assert "77secret77" not in answer.text


async def test_an_error_of_ours_shows_nothing_but_its_correlation_id(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/broken", headers={"x-correlation-id": "abc-1"})
    assert_problem(answer, 500, "internal_error")
    assert answer.headers["x-correlation-id"] == "abc-1"
    assert "secret" not in answer.text


async def test_an_unusable_correlation_id_is_replaced(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"x-correlation-id": "a b"})
    assert len(answer.headers["x-correlation-id"]) == 32


async def test_the_local_mode_says_so_in_every_answer(client: httpx2.AsyncClient) -> None:
    assert "open" in (await client.get("/nowhere")).headers["x-goal-ledger-local"]


async def test_positions_and_waits_are_read_from_the_request(client: httpx2.AsyncClient) -> None:
    answer = await client.get(
        "/position", params={"wait_ms": "5000"}, headers={"Goal-Ledger-Position": "2-17"}
    )
    assert answer.json() == ["2-17", "5000"]
    for bad in ("17", "0-17", "2-٣", "2-1e3"):
        answer = await client.get("/position", headers={"Goal-Ledger-Position": bad.encode()})
        assert_problem(answer, 400, "bad_position")
    for bad in ("-1", "5001", "1e3", ""):
        assert_problem(await client.get("/position", params={"wait_ms": bad}), 400, "bad_wait")


async def test_live_asks_nobody_ready_names_what_is_away_and_metrics_count_requests_by_route(
    client: httpx2.AsyncClient,
) -> None:
    assert (await client.get("/health/live")).status_code == 200
    await client.get("/position")
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "away"})
    metrics = (await client.get("/metrics")).text
    assert 'goal_ledger_http_requests_total{method="GET",route="/position",status="200"} 1.0' in metrics
    assert 'goal_ledger_http_request_seconds_count{method="GET",route="/position"} 1.0' in metrics


async def test_two_listeners_answer_and_drain_what_is_under_way() -> None:
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        under_way.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    ports: list[int] = []
    stop = asyncio.Event()
    listening = asyncio.Event()

    def started(found: list[int]) -> None:
        ports.extend(found)
        listening.set()

    listeners = [Listener(application(), "127.0.0.1", 0), Listener(slow, "127.0.0.1", 0, lifespan="off")]
    serving = asyncio.create_task(serve(listeners, stop=stop, on_started=started))
    await listening.wait()
    async with httpx2.AsyncClient(timeout=60) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(f"http://127.0.0.1:{ports[0]}/cut")
        assert (await client.get(f"http://127.0.0.1:{ports[0]}/health/live")).status_code == 200
        asked = asyncio.create_task(client.get(f"http://127.0.0.1:{ports[1]}/"))
        await under_way.wait()
        stop.set()
        await asyncio.sleep(0)
        go_on.set()
        assert (await asked).text == "done"
    await serving


async def test_a_client_that_writes_all_before_it_reads_sees_why_its_body_was_refused() -> None:
    ports: list[int] = []
    stop, listening = asyncio.Event(), asyncio.Event()

    def started(found: list[int]) -> None:
        ports.extend(found)
        listening.set()

    def send(path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", ports[0], timeout=60)
        connection.request("POST", path, body=b"x" * 10_000_000, headers=JSON)
        first = connection.getresponse()
        told = json.loads(first.read())["code"]
        connection.request("GET", "/health/live")
        return connection.getresponse().status, told

    serving = asyncio.create_task(
        serve([Listener(application(), "127.0.0.1", 0)], stop=stop, on_started=started)
    )
    await listening.wait()
    assert await asyncio.to_thread(send, "/echo") == (200, "body_too_large")
    assert await asyncio.to_thread(send, "/nowhere") == (200, "not_found")
    stop.set()
    await serving
