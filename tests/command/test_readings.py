"""Readings over HTTP: CloudEvents one by one and in batches, each with its receipt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from goal_ledger_command import intake_http
from goal_ledger_domain.decide import decide as decide_reading
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake.test_any_record import structured

from command.service import JSON, Organisation, Service, assert_problem

BATCH = "application/cloudevents-batch+json"
ONE = "application/cloudevents+json"


def event(id: str, value: Any = "1", feed: str = "visitors", **members: Any) -> dict[str, Any]:
    attributes = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "/shop",
        "id": id,
        "time": f"2026-11-0{1 + len(id) % 8}T00:00:00Z",
        "subject": feed,
    }
    return attributes | {"data": {"value": value}} | members


@pytest_asyncio.fixture
async def shop(org: Organisation) -> AsyncIterator[Organisation]:
    """A system *shop* with a gauge and an event count; another system with a feed of its own."""
    await org.given_system("shop", "emitter")
    await org.given_system("till", "emitter")
    await org.given(
        (
            "/v1/feeds",
            {"name": "visitors", "system": "shop", "kind": "gauge", "unit": "visitors", "high": "1000"},
        ),
        ("/v1/feeds", {"name": "sales", "system": "shop", "kind": "event_count"}),
        ("/v1/feeds", {"name": "cash", "system": "till", "kind": "gauge"}),
    )
    yield org


async def batch(org: Organisation, events: list[Any], who: str = "shop", **headers: str) -> httpx2.Response:
    return await org.post("/v1/readings", events, who, content_type=BATCH, **headers)


async def test_one_reading_is_recorded_and_answered_with_its_receipt(shop: Organisation) -> None:
    answer = await shop.post("/v1/readings", event("r1"), "shop", content_type=ONE)
    body = answer.json()
    assert (answer.status_code, body["facts"][0]["type"]) == (201, "ReadingRecorded")
    assert body["receipt"]["outcome"] == "applied"
    assert body["receipt"]["event_id"] == body["facts"][0]["event_id"]
    again = await shop.post("/v1/readings", event("r1"), "shop", content_type=ONE)
    assert (again.status_code, again.json()["receipt"]["outcome"]) == (200, "duplicate")
    assert again.json()["receipt"]["event_id"] == body["receipt"]["event_id"]
    other = await shop.post("/v1/readings", event("r1", "2"), "shop", content_type=ONE)
    assert_problem(other, 409, "id_taken")


async def test_one_reading_names_where_its_receipt_is(shop: Organisation) -> None:
    odd = event("r 1/é&id=2", "5000", source="/shop?a=b&c")
    first = await shop.post("/v1/readings", odd, "shop", content_type=ONE)
    again = await shop.post("/v1/readings", odd, "shop", content_type=ONE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == again.headers["location"]
    found = await shop.http.get(first.headers["location"], headers=shop.bearer("shop"))
    assert found.status_code == 200, found.text
    receipt = first.json()["receipt"]
    assert {name: found.json()[name] for name in ("source", "id", "event_id")} == {
        "source": odd["source"],
        "id": odd["id"],
        "event_id": receipt["event_id"],
    }


async def test_the_binary_form_has_its_attributes_in_headers(shop: Organisation) -> None:
    attributes = {f"ce-{name}": text for name, text in event("b1").items() if name != "data"}
    headers = {"content-type": "application/json"} | attributes | shop.bearer("shop")
    answer = await shop.http.post("/v1/readings", content=b'{"value": 2.50}', headers=headers)
    assert answer.json()["receipt"]["outcome"] == "applied"
    same = await shop.post("/v1/readings", event("b1", "2.5"), "shop", content_type=ONE)
    assert same.json()["receipt"]["outcome"] == "duplicate"


async def test_a_batch_applies_the_good_ones_and_says_of_each_what_became_of_it(shop: Organisation) -> None:
    events = [
        event("a"),
        event("bb", "5000"),
        event("ccc", feed="cash"),
        event("dddd", feed="nowhere"),
        event("e", "x"),
        {"specversion": "1.0"},
        5,
        event("a"),
        event("a", "9"),
        event("f", feed="sales"),
    ]
    answer = await batch(shop, events)
    assert answer.status_code == 200, answer.text
    receipts = answer.json()["receipts"]
    assert [(one["outcome"], one.get("reason")) for one in receipts] == [
        ("applied", None),
        ("quarantined", "out_of_limits"),
        ("refused", receipts[2]["reason"]),
        ("refused", "unknown_feed"),
        ("refused", "value_not_decimal"),
        ("refused", "event_malformed"),
        ("refused", "event_malformed"),
        ("duplicate", None),
        ("refused", "id_taken"),
        ("applied", None),
    ]
    assert receipts[2]["reason"] in ("not_allowed", "feed_of_another_system")
    assert answer.json()["counts"] == {"applied": 2, "quarantined": 1, "refused": 6, "duplicate": 1}
    assert all(one["detail"] for one in receipts if one["outcome"] == "refused")
    assert all(one["feed"] for one in receipts if one["id"])
    assert answer.headers["goal-ledger-position"] == receipts[9]["position"]


async def test_a_batch_of_ten_thousand_is_taken_and_one_more_is_not(
    shop: Organisation, service: Service
) -> None:
    events = [event(f"n{number}", str(number % 1000), feed="sales") for number in range(10_000)]
    answer = await batch(shop, events)
    assert answer.json()["counts"] == {"applied": 10_000}
    assert (await batch(shop, events)).json()["counts"] == {"duplicate": 10_000}
    assert_problem(await batch(shop, [*events, event("more")]), 413, "too_many_items")


async def test_a_batch_takes_no_key_and_one_reading_does(shop: Organisation) -> None:
    refused = await batch(shop, [event("a")], idempotency_key="k-1")
    assert_problem(refused, 422, "key_not_for_bulk", "Idempotency-Key")
    sent = {"content_type": ONE, "idempotency_key": "k-1"}
    first = await shop.post("/v1/readings", event("a", "2000"), "shop", **sent)
    again = await shop.post("/v1/readings", event("a", "2000"), "shop", **sent)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["receipt"]["outcome"] == "quarantined"
    assert (again.status_code, again.json()["facts"]) == (first.status_code, first.json()["facts"])
    assert_problem(await shop.post("/v1/readings", event("b", "2"), "shop", **sent), 422, "key_reused")


async def test_a_dry_run_says_what_would_happen_and_records_nothing(
    shop: Organisation, service: Service
) -> None:
    await batch(shop, [event("known")])
    head = await shop.head(service.internal)
    headers = {"content-type": BATCH} | shop.bearer("shop")
    body = json.dumps([event("new"), event("known"), event("high", "5000"), event("no", feed="no")]).encode()
    answer = await shop.http.post("/v1/readings", params={"dry_run": "true"}, content=body, headers=headers)
    assert answer.json()["counts"] == {"applied": 1, "duplicate": 1, "quarantined": 1, "refused": 1}
    one = json.dumps(event("new")).encode()
    headers = {"content-type": ONE} | shop.bearer("shop")
    answer = await shop.http.post("/v1/readings", params={"dry_run": "true"}, content=one, headers=headers)
    assert (answer.status_code, answer.json()["receipts"][0]["outcome"]) == (200, "applied")
    assert await shop.head(service.internal) == head


async def test_a_receipt_is_looked_up_later_by_source_and_id(shop: Organisation) -> None:
    await batch(shop, [event("a"), event("b", "5000")])
    applied = (await shop.get("/v1/receipts", "shop", source="/shop", id="a")).json()
    assert (applied["outcome"], applied["state"], applied["feed"]) == ("applied", "recorded", "visitors")
    waiting = {"feed": "visitors", "source": "/shop", "id": "b", "reason": "Was a rush"}
    assert (await shop.get("/v1/receipts", "shop", source="/shop", id="b")).json()["state"] == "quarantined"
    await shop.given(("/v1/readings/release", waiting))
    assert (await shop.get("/v1/receipts", "shop", source="/shop", id="b")).json()["state"] == "released"
    unknown = await shop.get("/v1/receipts", "shop", source="/shop", id="never")
    assert_problem(unknown, 404, "reading_unknown")
    assert_problem(await shop.get("/v1/receipts", "till", source="/shop", id="a"), 404, "reading_unknown")
    assert_problem(await shop.get("/v1/receipts", "shop", source="/shop"), 422, "invalid", "id")


async def test_readings_are_judged_by_admins(shop: Organisation) -> None:
    await batch(shop, [event("a", "5000"), event("b", "5000"), event("c", "5")])
    why = {"source": "/shop", "feed": "visitors", "reason": "Seen"}
    await shop.given(
        ("/v1/readings/reject", why | {"id": "a"}),
        ("/v1/readings/release", why | {"id": "b"}),
        ("/v1/readings/correct", why | {"id": "c", "time": "2026-11-02T00:00:00Z", "value": "6"}),
        ("/v1/readings/retract", why | {"id": "c"}),
    )
    again = await batch(shop, [event("a", "900")])
    assert again.json()["receipts"][0]["outcome"] == "applied"


async def test_what_is_no_reading_is_refused_with_its_code(shop: Organisation) -> None:
    async def send(raw: bytes, kind: str = ONE) -> httpx2.Response:
        return await shop.post("/v1/readings", raw, "shop", content_type=kind)

    assert_problem(await send(b"{"), 400, "bad_json")
    assert_problem(await send(b"[]"), 422, "event_malformed")
    assert_problem(await send(b"{", BATCH), 400, "bad_json")
    assert_problem(await send(b"{}", BATCH), 422, "wrong_type")
    assert_problem(await send(b"{}", "text/plain"), 415, "media_type_not_supported")
    assert_problem(await send(json.dumps(event("a", type="x")).encode()), 422, "event_type_unknown")
    assert_problem(await send(json.dumps(event("a", time="now")).encode()), 422, "instant_malformed")
    assert_problem(await send(json.dumps(event("a", feed="no")).encode()), 404, "unknown_feed", "/subject")
    wrong = json.dumps(event("a", value="many")).encode()
    assert_problem(await send(wrong), 422, "value_not_decimal", "/data/value")
    receipts = (await batch(shop, [event("a", feed="no"), event("a", value="many")])).json()["receipts"]
    assert [one["field"] for one in receipts] == ["/subject", "/data/value"]


async def test_a_binary_reading_with_an_attribute_twice_is_refused(shop: Organisation) -> None:
    attributes = {name: text for name, text in event("a").items() if name != "data"}
    headers = [*JSON.items(), *shop.bearer("shop").items(), *((f"ce-{n}", t) for n, t in attributes.items())]
    for more, status in (([("ce-id", "b")], 422), ([], 201)):
        answer = await shop.http.post("/v1/readings", content=b'{"value":"1"}', headers=[*headers, *more])
        assert answer.status_code == status, answer.text
        if status == 422:
            assert_problem(answer, 422, "event_malformed", "ce-id")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(structured(), min_size=1, max_size=60))
async def test_a_batch_of_anything_has_a_receipt_for_each_and_its_good_ones_are_recorded(
    shop: Organisation, events: list[dict[str, Any]]
) -> None:
    answer = await batch(shop, [*events, event("good")])
    assert answer.status_code == 200, answer.text
    receipts = answer.json()["receipts"]
    assert len(receipts) == len(events) + 1
    assert receipts[-1]["outcome"] in ("applied", "duplicate")
    assert "reading_undecidable" not in {one.get("reason") for one in receipts}


async def test_what_is_no_json_in_a_batch_costs_no_other(shop: Organisation) -> None:
    sent = [
        event("a"),
        {**event("b"), "data": {"value": float("nan")}},
        {**event("c"), "id": "\ud800"},
        event("d"),
    ]

    receipts = (await batch(shop, sent)).json()["receipts"]

    assert [(one["outcome"], one.get("reason")) for one in receipts] == [
        ("applied", None),
        ("refused", "bad_json"),
        ("refused", "bad_json"),
        ("applied", None),
    ]


async def test_a_reading_that_fails_in_its_own_way_costs_no_other_of_its_batch(
    shop: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(world: Any, command: Any, situation: Any) -> Any:
        if command.id == "bad":
            raise ZeroDivisionError("nobody thought of this")
        return decide_reading(world, command, situation)

    monkeypatch.setattr(intake_http, "decide", breaks)
    answer = await batch(shop, [event("a"), event("bad"), event("c")])
    receipts = answer.json()["receipts"]
    assert [one["outcome"] for one in receipts] == ["applied", "refused", "applied"]
    assert receipts[1]["reason"] == "reading_undecidable"
