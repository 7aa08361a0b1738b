"""A fact goes into a record and comes back; what is not ours is said to be so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from goal_ledger_messaging.records import FactRecord, NotAFactRecord, fact_headers, read_fact, read_place

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


def test_a_record_gives_the_fact_back_byte_for_byte() -> None:
    assert read_fact(b'{"a":1}', headers()) == FactRecord(
        "acme", 2, 17, b'{"a":1}', "CheckInRecorded", "0190-1", "objective/shop", TRACE
    )
    assert read_fact(b"{}", headers(None)).traceparent is None


def test_the_headers_are_cloud_events_attributes() -> None:
    named = dict(headers())
    assert named["ce_specversion"] == b"1.0"
    assert named["ce_source"] == b"/workspaces/acme"
    assert named["ce_time"] == b"2026-01-02T03:04:05.000006Z"
    assert named["ce_subject"] == b"objective/shop"


def test_the_place_is_read_without_the_value() -> None:
    assert read_place(headers()) == ("acme", 2, 17)
    assert read_place([("seq", b"1")]) is None


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
    with pytest.raises(NotAFactRecord):
        read_fact(b"{}", hostile)


def test_a_foreign_record_is_named_as_such() -> None:
    with pytest.raises(NotAFactRecord, match="workspace is missing"):
        read_fact(b"{}", [])
    with pytest.raises(NotAFactRecord, match="no value"):
        read_fact(None, headers())
    with pytest.raises(NotAFactRecord, match="cannot be read"):
        read_fact(b"{}", [*headers(), ("seq", b"x")])
