"""Readings are read from every form that CloudEvents allows, and refused with a reason that helps."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from goal_ledger_messaging.reading_event import (
    MAX_EVENT_BYTES,
    NotAReading,
    ReadingEvent,
    from_http,
    from_json,
    from_record,
)
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

READ = ReadingEvent(
    source="/shop",
    id="visit-1",
    feed="webshop.visitors",
    time=datetime(2026, 3, 1, 11, 0, tzinfo=UTC),
    value=Decimal("12.5"),
    unit="visitors",
    mode="absolute",
    sequence="7",
)


def event(**changes: Any) -> dict[str, Any]:
    whole = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "/shop",
        "id": "visit-1",
        "subject": "webshop.visitors",
        "time": "2026-03-01T12:00:00+01:00",
        "datacontenttype": "application/json",
        "data": {"value": "12.5", "unit": "visitors", "mode": "absolute", "sequence": 7},
    }
    whole.update(changes)
    return {name: one for name, one in whole.items() if one is not ...}


def structured(**changes: Any) -> bytes:
    return json.dumps(event(**changes)).encode()


def binary(**changes: Any) -> tuple[list[tuple[str, bytes | None]], bytes]:
    whole = event(**changes)
    data = whole.pop("data")
    content_type = whole.pop("datacontenttype")
    headers: list[tuple[str, bytes | None]] = [
        (f"ce_{name}", str(one).encode()) for name, one in whole.items()
    ]
    return [*headers, ("content-type", content_type.encode())], json.dumps(data).encode()


def test_a_structured_record_is_a_reading() -> None:
    assert (
        from_record([("content-type", b"application/cloudevents+json; charset=UTF-8")], structured()) == READ
    )


def test_a_record_without_any_header_is_read_as_structured() -> None:
    assert from_record([], structured()) == READ


def test_a_binary_record_is_the_same_reading() -> None:
    assert from_record(*binary()) == READ


def test_headers_that_are_not_ours_may_hold_any_bytes() -> None:
    headers, body = binary()
    assert from_record([*headers, ("x-trace", b"\xff\xfe"), ("x-null", None)], body) == READ


def test_over_http_both_modes_are_the_same_reading() -> None:
    headers, body = binary(source="/shop%20one")
    over_http = {name.replace("ce_", "ce-"): (raw or b"").decode() for name, raw in headers}
    assert from_http(over_http, body).source == "/shop one"
    assert from_http({"content-type": "application/cloudevents+json"}, structured()) == READ


def test_data_may_come_in_base64() -> None:
    encoded = base64.b64encode(json.dumps(event()["data"]).encode()).decode()
    assert from_json(event(data=..., data_base64=encoded)) == READ
    with pytest.raises(NotAReading) as refused:
        from_json(event(data=..., data_base64="%%%"))
    assert refused.value.code == "event_malformed"


def test_a_number_is_taken_by_its_digits() -> None:
    raw = structured().replace(b'"12.5"', b"0.1000000000000000055511151231257827")
    assert from_record([], raw).value == Decimal("0.1000000000000000055511151231257827")


def test_back_fill_is_marked_in_the_data_or_as_an_extension_attribute() -> None:
    assert from_json(event(data={"value": "1", "backfill": True})).backfill
    assert from_json(event(backfill=True)).backfill
    assert all(from_record(*binary(backfill=said)).backfill for said in ("true", "True"))
    assert not from_record(*binary(backfill="False")).backfill
    assert not from_json(event(backfill=False)).backfill


def test_unknown_extensions_are_allowed_as_cloud_events_says() -> None:
    assert from_json(event(partitionkey="a", traceparent="00-1-2-01")).traceparent == "00-1-2-01"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"specversion": "0.3"}, "event_malformed", "/specversion"),
        ({"type": "goal-ledger.reading.v2"}, "event_type_unknown", "/type"),
        ({"type": ...}, "event_malformed", "/type"),
        ({"subject": ...}, "event_malformed", "/subject"),
        ({"time": ...}, "event_malformed", "/time"),
        ({"time": "2026-03-01"}, "instant_malformed", "/time"),
        ({"time": "2026-03-01T12:00:00"}, "instant_malformed", "/time"),
        ({"time": "2026-W09-7T12:00:00Z"}, "instant_malformed", "/time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "instant_malformed", "/time"),
        ({"time": 5}, "wrong_type", "/time"),
        ({"data": ...}, "event_malformed", "/data"),
        ({"data": [1]}, "event_malformed", "/data"),
        ({"data": {}}, "event_malformed", "/data/value"),
        ({"data": {"value": "1", "color": "red"}}, "field_unknown", "/data/color"),
        ({"data": {"value": True}}, "value_not_decimal", "/data/value"),
        ({"data": {"value": "1e5"}}, "value_not_decimal", "/data/value"),
        ({"data": {"value": "NaN"}}, "value_not_decimal", "/data/value"),
        ({"data": {"value": "1", "unit": 4}}, "wrong_type", "/data/unit"),
        ({"data": {"value": "1", "sequence": True}}, "wrong_type", "/data/sequence"),
        ({"data": {"value": "1", "backfill": "perhaps"}}, "wrong_type", "/data/backfill"),
        ({"datacontenttype": "text/plain"}, "event_malformed", "/datacontenttype"),
        ({"backfill": "perhaps"}, "wrong_type", "/backfill"),
    ],
)
def test_what_is_wrong_is_named_with_the_source_and_id(
    changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(NotAReading) as refused:
        from_record([], structured(**changes))
    bad = refused.value
    assert (bad.code, bad.field, bad.source, bad.id) == (code, field, "/shop", "visit-1")


@pytest.mark.parametrize(
    ("headers", "value", "code"),
    [
        ([], None, "event_malformed"),
        ([], b"", "bad_json"),
        ([], b"\xff\xfe", "bad_json"),
        ([], b"[]", "event_malformed"),
        ([], b'{"id":"a","id":"b"}', "bad_json"),
        ([], b"[" * 40 + b"]" * 40, "bad_json"),
        ([], b'{"data":{"value":NaN}}', "bad_json"),
        ([], b"x" * (MAX_EVENT_BYTES + 1), "event_too_large"),
        ([("ce_id", b"\xff")], b"{}", "event_malformed"),
    ],
)
def test_what_cannot_be_read_at_all_has_a_reason_too(
    headers: list[tuple[str, bytes | None]], value: bytes | None, code: str
) -> None:
    with pytest.raises(NotAReading) as refused:
        from_record(headers, value)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_time", "ce_partitionkey", "content-type"])
@pytest.mark.parametrize("other", [b"visit-2", None, b"\xff"])
def test_a_record_with_a_header_of_the_event_twice_is_no_reading(name: str, other: bytes | None) -> None:
    headers, body = binary(partitionkey="a")
    again = dict(headers)[name] if other == b"\xff" else other
    with pytest.raises(NotAReading) as refused:
        from_record([*headers, (name, again)], body)
    bad = refused.value
    assert (bad.code, bad.field, bad.source, bad.id) == ("event_malformed", name, None, None)


@pytest.mark.parametrize("written", ["%ed%a0%80", "%ff", "caf%e9"])
def test_over_http_what_is_percent_encoded_is_utf_8(written: str) -> None:
    """Else two identities would become one: U+FFFD stands for whatever could not be read."""
    headers, body = binary()
    over_http = {name.replace("ce_", "ce-"): (raw or b"").decode() for name, raw in headers}
    with pytest.raises(NotAReading) as refused:
        from_http({**over_http, "ce-id": written}, body)
    assert (refused.value.code, refused.value.field) == ("event_malformed", "ce-id")


def test_over_http_an_attribute_that_is_sent_twice_is_refused_too() -> None:
    headers, body = binary()
    over_http = [(name.replace("ce_", "ce-"), (raw or b"").decode()) for name, raw in headers]
    with pytest.raises(NotAReading) as refused:
        from_http(Headers(raw=[(n.encode(), t.encode()) for n, t in [*over_http, ("ce-id", "other")]]), body)
    assert (refused.value.code, refused.value.field) == ("event_malformed", "ce-id")


@given(
    st.binary(max_size=300), st.lists(st.tuples(st.sampled_from(["ce_id", "content-type", "x"]), st.binary()))
)
def test_no_bytes_whatever_raise_anything_else(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(NotAReading):
        from_record(headers, value)
