"""Whatever comes in, no route answers 500, and every refusal is a problem document."""

from __future__ import annotations

import json
from typing import Any

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command.routes import BODIES, ROUTES, address, furnished
from command.service import Organisation, Service

TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "\x00", "\u202e", "person/ada", "objective/shop", "1e3", "a" * 400]
)
NUMBER = st.integers(-(10**30), 10**30) | st.floats(allow_nan=True, allow_infinity=True) | st.booleans()
VALUE = st.recursive(
    st.none() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Any, dict[str, str]]:
    path, _ = draw(st.sampled_from(ROUTES))
    body = dict(BODIES[path])
    for name in draw(st.lists(st.sampled_from([*body, "reason", "effective_at", "id", "x"]), max_size=3)):
        body[name] = draw(VALUE)
    other = draw(st.sampled_from(["known", "unknown"]))
    named = address(path) if other == "known" else path.replace("{", "").replace("}", "")
    headers = draw(st.sampled_from([{}, {"if_match": '"1"'}, {"idempotency_key": "any"}]))
    return named, draw(st.just(body) | VALUE), headers


@pytest_asyncio.fixture(scope="module")
async def office(service: Service) -> Organisation:
    org = await service.organisation()
    await furnished(org)
    return org


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=requests())
async def test_no_body_brings_a_route_down(
    office: Organisation, request: tuple[str, Any, dict[str, str]]
) -> None:
    path, body, headers = request
    answer = await office.post(path, json.dumps(body).encode(), **headers)
    assert answer.status_code < 500, (path, body, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(
        VALUE | st.dictionaries(st.sampled_from(["id", "source", "data", "time", "subject"]), VALUE)
    )
)
async def test_no_batch_brings_the_intake_down(office: Organisation, events: list[Any]) -> None:
    kind = "application/cloudevents-batch+json"
    answer = await office.post("/v1/readings", json.dumps(events).encode(), "shop", content_type=kind)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert [one["outcome"] for one in answer.json()["receipts"]] == ["refused"] * len(events)
