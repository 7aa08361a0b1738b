"""Both clients, sync and async, against a service that answers as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from goal_ledger_client import AsyncGoalLedger, GoalLedger, Problem, Reading, Retry, Unavailable
from goal_ledger_client.cli.session import NOT_REACHED, REFUSED, code_of
from goal_ledger_client.exchange import ClientRequest, attempts

ANSWER = {"id": "x", "version": 1, "facts": [], "position": "1-1", "receipts": [], "items": []}
NAIVE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
AGAIN = {"Retry-After": "0"}


@dataclass
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Service:
    """Answers with the statuses in its script, then 200; remembers what it heard."""

    url: str
    script: list[int] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)


@pytest.fixture
def services() -> Iterator[tuple[Service, Service]]:
    """A command and a query service."""
    made = [_serve(), _serve()]
    yield made[0][0], made[1][0]
    for _, server in made:
        server.shutdown()
        server.server_close()


def _serve() -> tuple[Service, ThreadingHTTPServer]:
    service = Service("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service.heard.append(
                Heard(self.command, self.path, dict(self.headers), json.loads(raw) if raw else None)
            )
            status = service.script.pop(0) if service.script else 200
            body = ANSWER if status < 400 else {"code": f"code_{status}", "status": status, "field": "/x"}
            written = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**AGAIN, "Content-Length": str(len(written))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Not to stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    return service, server


Call = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, services: tuple[Service, Service]) -> Call:
    """``call("command", path, …)``: one call of one of the two clients."""
    where = (services[0].url, services[1].url, "secret")

    def sync_call(name: str, *args: Any, **named: Any) -> Any:
        with GoalLedger(*where) as ledger:
            return getattr(ledger, name)(*args, **named)

    async def async_call(name: str, *args: Any, **named: Any) -> Any:
        async with AsyncGoalLedger(*where) as ledger:
            answer: Awaitable[Any] = getattr(ledger, name)(*args, **named)
            return await answer

    if request.param == "sync":
        return sync_call
    return lambda *args, **named: asyncio.run(async_call(*args, **named))


@pytest.mark.parametrize(
    "path, commands", [("/v1/receipts", 1), ("/v1/log", 1), ("/v1/log/checkpoint", 1), ("/v1/units", 0)]
)
def test_a_query_goes_to_the_service_that_answers_it(
    services: tuple[Service, Service], call: Call, path: str, commands: int
) -> None:
    call("query", path, source="s", asked_of={"from": datetime(2026, 1, 1, tzinfo=UTC), "after": 3})
    command, query = services
    assert (len(command.heard), len(query.heard)) == (commands, 1 - commands)
    heard = (command.heard or query.heard)[0]
    assert heard.path == f"{path}?source=s&from=2026-01-01T00%3A00%3A00%2B00%3A00&after=3"


def test_a_command_is_repeated_with_its_key_until_it_is_answered(
    services: tuple[Service, Service], call: Call
) -> None:
    services[0].script = [503, 502, 504]
    answer = call(
        "command", "v1/moments", {"at": datetime(2026, 1, 1, tzinfo=UTC), "x": Decimal("1E+1")}, if_match=2
    )
    heard = services[0].heard
    assert answer.position == "1-1" and len(heard) == 4
    assert {one.path for one in heard} == {"/v1/moments"}
    assert len({one.headers["Idempotency-Key"] for one in heard}) == 1
    assert heard[0].headers["If-Match"] == '"2"'
    assert heard[0].body == {"at": "2026-01-01T00:00:00+00:00", "x": "10"}


def test_a_refusal_after_retries_is_a_refusal(services: tuple[Service, Service], call: Call) -> None:
    services[0].script = [503, 503, 503, 503, 503, 409]
    with pytest.raises(Problem) as refused:
        call("command", "/v1/units", {"name": "x"})
    assert not isinstance(refused.value, Unavailable)
    assert (refused.value.status, refused.value.code, refused.value.field) == (409, "code_409", "/x")
    assert code_of(refused.value) == REFUSED


def test_what_is_still_unavailable_carries_the_key_to_repeat_it_with(
    services: tuple[Service, Service], call: Call
) -> None:
    services[0].script = [503] * 6
    with pytest.raises(Unavailable) as unavailable:
        call("command", "/v1/units", {"name": "x"})
    assert unavailable.value.key == services[0].heard[0].headers["Idempotency-Key"]
    assert code_of(unavailable.value) == NOT_REACHED
    answer = call("command", "/v1/units", {"name": "x"}, key=unavailable.value.key)
    assert answer.position == "1-1"
    assert {one.headers["Idempotency-Key"] for one in services[0].heard} == {unavailable.value.key}


@pytest.mark.parametrize(
    "wrong, error, where",
    [
        ({"value": 0.1}, TypeError, "/value"),
        ({"values": [{"part": "value", "value": 1.5}]}, TypeError, "/values/0/value"),
        ({"effective_at": NAIVE}, ValueError, "/effective_at"),
        ({"value": Decimal("NaN")}, ValueError, "/value"),
        ({"value": {1, 2}}, TypeError, "/value"),
    ],
)
def test_what_is_not_exact_is_refused_before_it_is_sent(
    services: tuple[Service, Service], call: Call, wrong: dict[str, Any], error: type[Exception], where: str
) -> None:
    with pytest.raises(error, match=where):
        call("command", "/v1/units", wrong)
    with pytest.raises(error):
        call("query", "/v1/units", asked_of={name: value for name, value in wrong.items()})
    assert not services[0].heard + services[1].heard


def test_exact_values_are_sent_as_text(services: tuple[Service, Service], call: Call) -> None:
    call("command", "/v1/cycles", {"start": date(2026, 1, 1), "n": 3, "on": True, "none": None, "of": ("a",)})
    assert services[0].heard[0].body == {"start": "2026-01-01", "n": 3, "on": True, "none": None, "of": ["a"]}
    call("query", "/v1/key-results", dropped=True, as_of=datetime(2026, 1, 1, tzinfo=UTC), cycle=None)
    assert services[1].heard[0].path == "/v1/key-results?dropped=true&as_of=2026-01-01T00%3A00%3A00%2B00%3A00"


def test_a_reading_holds_an_exact_value_and_an_instant() -> None:
    good = Reading("s", "1", "f", datetime(2026, 1, 1, tzinfo=UTC), Decimal("0.10"))
    assert good.cloud_event()["data"] == {"value": "0.10"}
    with pytest.raises(TypeError, match="float"):
        Reading("s", "1", "f", datetime(2026, 1, 1, tzinfo=UTC), 0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="offset"):
        Reading("s", "1", "f", NAIVE, "1")


@pytest.mark.parametrize("value", ["", "many", "1e3", "NaN", "0.1234567", "1" * 19, True])
def test_a_reading_is_no_reading_without_a_decimal(value: Any) -> None:
    with pytest.raises(ValueError, match="no decimal"):
        Reading("s", "1", "f", datetime(2026, 1, 1, tzinfo=UTC), value)


@pytest.mark.parametrize(("source", "id", "feed"), [("", "1", "f"), ("s", "", "f"), ("s", "å" * 257, "f")])
def test_a_reading_has_a_source_and_an_id_that_the_ledger_takes(source: str, id: str, feed: str) -> None:
    with pytest.raises(ValueError, match="1 to 512 bytes"):
        Reading(source, id, feed, datetime(2026, 1, 1, tzinfo=UTC), 1)


def test_how_often_is_tried_is_the_callers_to_say() -> None:
    steps = attempts(ClientRequest("GET", "http://nowhere.invalid/", {}), Retry(3, 1.0, 1.5))
    pauses = [next(steps)]
    with pytest.raises(Unavailable):
        while True:
            pauses.append(steps.send(httpx2.ConnectError("refused")))
    assert pauses == [0.0, 1.0, 1.5]
    with pytest.raises(ValueError, match="at least once"):
        Retry(attempts=0)


def test_who_is_not_reached_is_tried_again_ever_later_and_told_with_the_key() -> None:
    request = ClientRequest("POST", "http://nowhere.invalid/v1/units", {}, key="k")
    steps = attempts(request)
    pauses = [next(steps)]
    with pytest.raises(Unavailable, match="nowhere") as unavailable:
        while True:
            pauses.append(steps.send(httpx2.ConnectError("refused")))
    assert pauses == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert (unavailable.value.status, unavailable.value.code, unavailable.value.key) == (
        0,
        "unreachable",
        "k",
    )
