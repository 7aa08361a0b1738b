"""Bad input of every sort: a problem document with a stable code, nothing recorded, the service stays up."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import pytest_asyncio

from command.routes import BODIES, ROUTES, WHY, address, furnished
from command.service import JSON, Organisation, Service, assert_problem

CHECK_IN = "/v1/key-results/visitors/check-ins"
MIB = 1024 * 1024


@pytest_asyncio.fixture(scope="module")
async def office(service: Service) -> Organisation:
    org = await service.organisation()
    await furnished(org)
    return org


NOT_JSON = [
    b"",
    b"{",
    b"\xff\xfe",
    b'{"confidence":NaN}',
    b'{"confidence":Infinity}',
    b'{"confidence":1,"confidence":1}',
    b'{"note":"\\ud800"}',
    b"[" * 100 + b"]" * 100,
    b"[" * 100_000,
    b'{"confidence":' + b"1" * 5000 + b"}",
    b'{"confidence":1e99999999999999999999}',
]


@pytest.mark.parametrize("raw", NOT_JSON, ids=lambda raw: repr(raw[:24]))
async def test_what_is_not_strict_json_is_400(office: Organisation, service: Service, raw: bytes) -> None:
    before = await office.head(service.internal)
    assert_problem(await office.post("/v1/units", raw), 400, "bad_json")
    assert await office.head(service.internal) == before


PYTHON_WORDS = re.compile(r"\btuple|dictionary|instance of|valid (string|boolean|integer)")
WRONG: list[tuple[str, Any, int, str, str | None]] = [
    (CHECK_IN, {"values": [{"value": 1e21}]}, 422, "value_not_decimal", None),
    (CHECK_IN, b'{"values":[{"value":1e400}]}', 422, "value_not_decimal", None),
    (CHECK_IN, b'{"values":[{"value":1e-400}]}', 422, "value_not_decimal", None),
    (CHECK_IN, {"values": [{"value": "1e3"}]}, 422, "value_not_decimal", "/values/0/value"),
    (CHECK_IN, {"values": [{"value": "NaN"}]}, 422, "value_not_decimal", "/values/0/value"),
    (CHECK_IN, {"values": [{"value": True}]}, 422, "value_not_decimal", "/values/0/value"),
    (CHECK_IN, {"values": [{"value": "1.0000001"}]}, 422, "value_not_decimal", None),
    (CHECK_IN, {"values": [{"value": "1" * 39}]}, 422, "value_not_decimal", None),
    (CHECK_IN, {"values": {}}, 422, "wrong_type", "/values"),
    (CHECK_IN, {"valus": []}, 422, "field_unknown", "/valus"),
    (CHECK_IN, {"values": [{"value": "1", "extra": 1}]}, 422, "field_unknown", "/values/0/extra"),
    (CHECK_IN, {"effective_at": "yesterday"}, 422, "instant_malformed", "/effective_at"),
    (CHECK_IN, {"effective_at": "2026-11-01T10:00:00"}, 422, "instant_malformed", "/effective_at"),
    (CHECK_IN, {"effective_at": 1700000000}, 422, "instant_malformed", "/effective_at"),
    (CHECK_IN, {"effective_at": "0000-01-01T00:00:00Z"}, 422, "instant_malformed", "/effective_at"),
    (CHECK_IN, {"effective_at": "9999-12-31T23:59:59-23:00"}, 422, "instant_malformed", "/effective_at"),
    (CHECK_IN, {"note": 5}, 422, "wrong_type", "/note"),
    (CHECK_IN, {"note": "a\u0000b"}, 422, "text_has_control_characters", "/note"),
    (CHECK_IN, {"note": "abc\u202edef"}, 422, "text_has_control_characters", "/note"),
    (CHECK_IN, {"note": "x" * 8001}, 422, "text_too_long", "/note"),
    (CHECK_IN, {"effective_at": "2026-11-01T10:00:00-00:60"}, 422, "instant_malformed", "/effective_at"),
    (CHECK_IN, {"effective_at": "2026-W44-7T10:00:00Z"}, 422, "instant_malformed", "/effective_at"),
    (CHECK_IN, {"id": "no spaces"}, 422, "id_malformed", "/id"),
    (
        CHECK_IN,
        {"values": [{"value": "1"}, {"part": "x", "value": "1"}]},
        422,
        "unknown_part",
        "/values/1/part",
    ),
    (CHECK_IN, {"blockers": ["a", "b\u0000"]}, 422, "text_has_control_characters", "/blockers/1"),
    (CHECK_IN, {"note": "see \U000e0068\U000e0069"}, 422, "text_has_control_characters", "/note"),
    ("/v1/units", {"id": "..", "name": "Up"}, 422, "id_malformed", "/id"),
    ("/v1/moments", {"name": "fair", "at": "2199-01-01T00:00:00Z"}, 422, "effective_at_ahead", "/at"),
    (
        "/v1/moments",
        {"name": "fair", "at": "2026-11-01T00:00:00Z", "effective_at": "2026-11-02T00:00:00Z"},
        422,
        "effective_at_differs",
        "/effective_at",
    ),
    ("/v1/moments", {"name": ".", "at": "2026-11-01T00:00:00Z"}, 422, "id_malformed", "/name"),
    ("/v1/feeds", {"name": "a b", "system": "shop", "kind": "gauge"}, 422, "id_malformed", "/name"),
    ("/v1/feeds", {"name": "ab", "system": "none", "kind": "gauge"}, 404, "unknown_system", "/system"),
    ("/v1/check-ins/none/comments", {"text": "Well"}, 404, "unknown_check_in", "check_in"),
    ("/v1/objectives/shop/comments", {"id": "a b", "text": "Well"}, 422, "id_malformed", "/id"),
    (CHECK_IN, {"id": "x" * 65}, 422, "id_malformed", None),
    (CHECK_IN, [], 422, "wrong_type", ""),
    (CHECK_IN, 5, 422, "wrong_type", ""),
    ("/v1/units", {}, 422, "field_required", "/name"),
    ("/v1/units", {"name": None}, 422, "wrong_type", "/name"),
    ("/v1/units", {"name": ""}, 422, "text_empty", "/name"),
    ("/v1/units", {"name": "  "}, 422, "text_empty", "/name"),
    (
        "/v1/cycles",
        {"name": "Q", "start": "2026-13-01", "end": "2026-12-31"},
        422,
        "date_malformed",
        "/start",
    ),
    ("/v1/cycles", {"name": "Q", "start": "20261101", "end": "2026-12-31"}, 422, "date_malformed", "/start"),
    ("/v1/objectives/shop/key-results", {"text": "t", "measure": {}}, 422, "field_required", "/measure"),
    (
        "/v1/objectives/shop/key-results",
        {"text": "t", "measure": {"kind": "x"}},
        422,
        "choice_unknown",
        "/measure",
    ),
    ("/v1/objectives/shop/key-results", {"text": "t", "measure": []}, 422, "wrong_type", "/measure"),
    (
        "/v1/objectives/shop/key-results",
        {"text": "t", "measure": {"kind": "increase"}},
        422,
        "field_required",
        "/measure/target",
    ),
    (
        "/v1/objectives/shop/key-results",
        {"text": "t", "measure": {"kind": "increase", "baseline": "5", "target": "1"}, **WHY},
        422,
        "direction_mismatch",
        "/measure/target",
    ),
    (
        "/v1/objectives/shop/key-results",
        {"text": "t", "measure": {"kind": "checklist", "steps": [{"id": "a b", "text": "A"}]}, **WHY},
        422,
        "id_malformed",
        "/measure/steps/0/id",
    ),
    (
        "/v1/policies",
        {"scope": "workspace", "policy": {"grace_days": "3"}},
        422,
        "wrong_type",
        "/policy/grace_days",
    ),
    ("/v1/policies", {"scope": "workspace", "policy": {"feeds_count_as_word": 1}}, 422, "wrong_type", None),
    (
        "/v1/policies",
        {"scope": "workspace", "policy": {"grace_days": 99}},
        422,
        "number_out_of_range",
        "/policy/grace_days",
    ),
    ("/v1/units/nowhere/rename", {"name": "X"}, 404, "unknown_unit", "unit"),
]


@pytest.mark.parametrize(("path", "body", "status", "code", "field"), WRONG)
async def test_a_wrong_body_is_refused_with_its_code_and_field(
    office: Organisation, service: Service, path: str, body: Any, status: int, code: str, field: str | None
) -> None:
    before = await office.head(service.internal)
    told = assert_problem(await office.post(path, body), status, code, field)
    assert not PYTHON_WORDS.search(str(told)), told
    assert await office.head(service.internal) == before


async def test_a_ten_megabyte_body_is_413_and_not_echoed(office: Organisation) -> None:
    for path in (CHECK_IN, "/v1/readings"):
        kind = "application/cloudevents-batch+json" if path == "/v1/readings" else "application/json"
        answer = await office.post(path, b'{"note":"' + b"x" * 10 * MIB + b'"}', content_type=kind)
        assert_problem(answer, 413, "body_too_large")
        assert len(answer.content) < 1000


async def test_a_body_of_another_type_is_415(office: Organisation) -> None:
    for kind in ("text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data"):
        assert_problem(
            await office.post(CHECK_IN, {}, content_type=kind),
            415,
            "media_type_not_supported",
            "Content-Type",
        )
    answer = await office.http.post(CHECK_IN, content=b"{}", headers=office.bearer("ada"))
    assert_problem(answer, 415, "media_type_not_supported")


async def test_several_mistakes_are_told_at_once(office: Organisation) -> None:
    body = assert_problem(await office.post("/v1/cycles", {"nam": "Q"}), 422, "field_required")
    assert {one["field"] for one in body["errors"]} == {"/name", "/start", "/end", "/nam"}


async def test_every_route_refuses_an_unknown_member_and_a_body_that_is_no_object(
    office: Organisation,
) -> None:
    for path, body in BODIES.items():
        answer = await office.post(address(path), body | {"surprise": 1})
        assert_problem(answer, 422, "field_unknown", "/surprise")
        for other in (b"[]", b'"x"', b"null", b"3"):
            assert_problem(await office.post(address(path), other), 422, "wrong_type", "")


async def test_every_route_refuses_a_query_parameter_that_it_does_not_have(office: Organisation) -> None:
    for path, body in BODIES.items():
        answer = await office.post(f"{address(path)}?dry_run=true", body)
        assert_problem(answer, 422, "unknown_parameter", "dry_run")
    for path, known in (
        ("/v1/log", {"after": 0}),
        ("/v1/log/heads", {}),
        ("/v1/log/checkpoint", {}),
        ("/v1/receipts", {"source": "a", "id": "b"}),
    ):
        answer = await office.get(path, **known, afterwards=1)
        assert_problem(answer, 422, "unknown_parameter", "afterwards")
    answer = await office.http.get("/v1/log?limit=1&limit=2", headers=office.bearer("ada"))
    assert_problem(answer, 422, "parameter_repeated", "limit")
    for path, kind in (("/v1/readings", "application/cloudevents+json"), ("/v1/imports", "application/json")):
        answer = await office.post(f"{path}?dryrun=true", {}, content_type=kind)
        body = assert_problem(answer, 422, "unknown_parameter", "dryrun")
        assert "dry_run" in body["detail"]


async def test_addresses_that_are_not_there(office: Organisation) -> None:
    for path in ("/v1/nothing", "/v1/units//rename", "/v1/units/a/b/c", "/v1", "/", "/v1/units/x%2Fy/rename"):
        assert_problem(await office.post(path, {}), 404, "not_found")
    assert_problem(await office.get("/v1/units"), 405, "method_not_allowed")
    answer = await office.http.put("/v1/units/sales/rename", headers=office.bearer("ada"))
    assert_problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("key", ["", " ", "a b", "é".encode().decode("latin-1"), "x" * 256, "a\tb"])
async def test_an_unusable_idempotency_key_is_400(office: Organisation, key: str) -> None:
    answer = await office.post("/v1/units", {"name": "X"}, idempotency_key=key.encode("latin-1"))  # type: ignore[arg-type]
    assert_problem(answer, 400, "bad_idempotency_key", "Idempotency-Key")


@pytest.mark.parametrize("tag", ["3", '"x"', "*", 'W/"3"', '"1", "2"', '"-1"'])
async def test_an_unusable_if_match_is_400(office: Organisation, tag: str) -> None:
    assert_problem(
        await office.post("/v1/units/sales/rename", {"name": "X"}, if_match=tag), 400, "bad_if_match"
    )


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (("if-match", '"1"'), 400, "bad_if_match"),
        (("idempotency-key", "k2"), 400, "bad_idempotency_key"),
        (("content-type", "text/plain"), 415, "media_type_not_supported"),
        (("authorization", "Bearer glk.other"), 401, "unauthenticated"),
    ],
)
async def test_a_header_that_is_sent_twice_is_refused_and_not_one_of_them_taken(
    office: Organisation, header: tuple[str, str], status: int, code: str
) -> None:
    once = {"if-match": '"1"', "idempotency-key": "twice", **JSON, **office.bearer("ada")}
    for headers in ([*once.items(), header], [header, *once.items()]):
        answer = await office.http.post("/v1/units/sales/rename", content=b'{"name":"X"}', headers=headers)
        assert_problem(answer, status, code)


async def test_the_service_is_still_up(office: Organisation) -> None:
    assert (await office.http.get("/health/live")).status_code == 200
    assert json.loads((await office.post("/v1/units", {"name": "Still here"})).content)["version"] == 1


CREATING = [path for path, declared in ROUTES if declared.row.creates and "id" in declared.body.model_fields]


@pytest.mark.parametrize("path", CREATING)
async def test_an_empty_id_is_an_id_that_was_chosen_and_is_refused(
    office: Organisation, service: Service, path: str
) -> None:
    before = await office.head(service.internal)
    assert_problem(await office.post(address(path), BODIES[path] | {"id": ""}), 422, "id_malformed", "/id")
    assert await office.head(service.internal) == before


@pytest.mark.parametrize(
    "path", ["/v1/objectives/shop/align", "/v1/objectives/shop/carry-over"], ids=["link", "into"]
)
async def test_so_is_an_empty_id_of_what_a_command_makes_beside(office: Organisation, path: str) -> None:
    body = (
        {"parent": "objective/company", "link": ""} if path.endswith("align") else {"cycle": "q4", "into": ""}
    )
    assert_problem(await office.post(path, body | WHY), 422, "id_malformed")


async def test_the_name_of_an_unknown_member_is_told_shortened_and_without_what_cannot_be_seen(
    office: Organisation,
) -> None:
    answer = await office.post("/v1/units", {"name": "X", "a\u202eb" * 5000: 1})
    field = assert_problem(answer, 422, "field_unknown")["field"]
    assert len(answer.content) < 1000
    assert "\u202e" not in field


async def test_an_address_with_a_slash_at_its_end_is_another_one_and_leads_nowhere(
    office: Organisation,
) -> None:
    for path in ("/v1/units/", "/v1/log/", "/v1/readings/", "/health/live/"):
        answer = await office.http.post(
            path, json={}, headers=office.bearer("ada") | {"host": "evil.example"}
        )
        assert_problem(answer, 404, "not_found")
        assert "location" not in answer.headers
