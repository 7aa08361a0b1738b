"""A fact's place is in its record's headers; what is not ours has none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from goal_ledger_messaging.records import fact_headers, read_place

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def headers(traceparent: str | None = TRACE) -> list[tuple[str, bytes]]:
    return fact_headers(
        workspace="acme",
        epoch=2,
        seq=17,
        type="CheckInRecorded",
        event_id="0190-1",
        stream="objective/shop",
        recorded_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        traceparent=traceparent,
    )


def test_the_trace_goes_along_where_there_is_one() -> None:
    assert dict(headers())["traceparent"] == TRACE.encode()
    assert "traceparent" not in dict(headers(None))


def test_the_headers_are_cloud_events_attributes() -> None:
    named = dict(headers())
    assert named["ce_specversion"] == b"1.0"
    assert named["ce_source"] == b"/workspaces/acme"
    assert named["ce_time"] == b"2026-01-02T03:04:05.000006Z"
    assert named["ce_subject"] == b"objective/shop"


def test_the_place_is_read_without_the_value() -> None:
    assert read_place(headers()) == ("acme", 2, 17)
    assert read_place([("seq", b"1")]) is None
    assert read_place([]) is None


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("workspace", b"a\0b"),
        ("workspace", b"x" * 41),
        ("workspace", b""),
        ("workspace", b"\xff"),
        ("workspace", b"Acme"),
        ("workspace", None),
        ("epoch", b"0"),
        ("epoch", b"-1"),
        ("epoch", b"2147483648"),
        ("epoch", b" 2"),
        ("epoch", b"1_0"),
        ("epoch", "\u0663".encode()),
        ("epoch", None),
        ("seq", b"0"),
        ("seq", b"9223372036854775808"),
        ("seq", b"9" * 5000),
        ("seq", b"+1"),
        ("seq", b""),
    ],
)
def test_a_place_that_no_database_could_hold_is_none(name: str, written: bytes | None) -> None:
    hostile: list[tuple[str, Any]] = [(one, written if one == name else value) for one, value in headers()]
    assert read_place(hostile) is None
