"""The records by which emitters learn what became of their readings.

``progress.receipts.<emitter>``: one JSON object per reading: ``source``, ``id``, ``outcome`` (applied | duplicate |
quarantined | refused), ``code`` and ``reason`` where there is one, ``event_id`` and ``position`` of the fact, and where
the reading came from. ``progress.rejected.<emitter>``: an unreadable message whole (its key, value and headers), with
the reason and its origin in further headers. Whole, up to a size: a record that was compressed may be larger than any
topic takes. What is beyond (:data:`KEPT_KEY_BYTES`, :data:`KEPT_VALUE_BYTES`, :data:`KEPT_HEADERS_BYTES`) is cut off,
and a header says so: ``cut_key`` and ``cut_value`` hold the size it had and its SHA-256, ``cut_headers`` how many are left out.

Both are published at least once. The header ``key`` (also the record's key) is the same each time: the place of the
inbox record (``<topic>/<generation>/<partition>/<offset>``), or the event id of a reading that came over HTTP. A reader
who drops repeated keys sees each once.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.canonical import canonical
from goal_ledger_contracts.refusal_codes import why_quarantined
from goal_ledger_messaging.records import Headers
from goal_ledger_messaging.topics import MAX_REJECTED_BYTES, Emitter

KEPT_KEY_BYTES = 64 * 1024
KEPT_VALUE_BYTES = 6 * 1024 * 1024
"""More than an inbox takes, unless it was compressed."""
KEPT_HEADERS_BYTES = 256 * 1024
ROOM_FOR_OURS_BYTES = 64 * 1024
"""For the headers that say why a message was rejected, and where it came from."""
_HEADER_BYTES = 16
"""What a header takes beside its name and value."""


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A record to be published to an emitter's topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def inbox_key(topic: str, generation: str, partition: int, offset: int) -> str:
    """The key of what became of one inbox record."""
    return f"{topic}/{generation}/{partition}/{offset}"


def receipt_of_fact(workspace: str, epoch: int, seq: int, stored: bytes) -> AnswerRecord | None:
    """The receipt of a reading's fact; None if no system sent it (an import by a person)."""
    fact = json.loads(stored)
    kind, _, system = fact["actor"].partition("/")
    if kind != "system":
        return None
    data, origin = fact["data"], fact.get("origin", {})
    body = {
        "source": data["source"],
        "id": data["id"],
        "feed": fact["stream"].partition("/")[2],
        "outcome": "quarantined" if fact["type"] == "ReadingQuarantined" else "applied",
        "event_id": fact["event_id"],
        "position": f"{epoch}-{seq}",
        "origin": origin,
    }
    if "why" in data:
        body |= why_quarantined(data["why"])
    key = fact["event_id"]
    if origin.get("via") == "kafka":
        key = inbox_key(origin["topic"], origin["generation"], origin["partition"], origin["offset"])
    return _receipt(Emitter(workspace, system), key, body)


def receipt_of_outcome(row: Any) -> AnswerRecord | None:
    """The receipt of a duplicate or a refusal; None where not even source and id could be read."""
    if row["source"] is None or row["id"] is None:
        return None
    body = {
        "source": row["source"],
        "id": row["id"],
        "outcome": "duplicate" if row["outcome"] == "duplicate" else "refused",
        "origin": {
            "via": "kafka",
            "topic": row["topic"],
            "generation": row["generation"],
            "partition": row["partition"],
            "offset": row["offset"],
        },
    }
    known = {
        "feed": "feed",
        "reason": "code",
        "detail": "reason",
        "event_id": "event_id",
        "position": "position",
    }
    body |= {name: row[column] for name, column in known.items() if row[column] is not None}
    return _receipt(Emitter(row["workspace"], row["system"]), _key_of(row), body)


def rejected(row: Any) -> AnswerRecord | None:
    """The unreadable message whole; None for an outcome that was readable."""
    if row["record"] is None:
        return None
    key, value, headers = unpack_record(row["record"])
    if record_bytes(key, value, headers) > MAX_REJECTED_BYTES - ROOM_FOR_OURS_BYTES:
        key, value, kept = bounded(key, value, headers)  # kept before there were limits
        headers = [(name, raw or b"") for name, raw in kept]
    added = {
        "key": _key_of(row),
        "reason": row["code"] or "",
        "detail": row["reason"] or "",
        "origin_topic": row["topic"],
        "origin_generation": row["generation"],
        "origin_partition": str(row["partition"]),
        "origin_offset": str(row["offset"]),
    }
    if value is None:
        added["null_value"] = "true"
    return AnswerRecord(
        Emitter(row["workspace"], row["system"]).rejected,
        key,
        b"" if value is None else value,
        [*headers, *((name, text.encode()) for name, text in added.items())],
    )


def record_bytes(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> int:
    """What a record takes, uncompressed: rather a little more."""
    named = sum(_HEADER_BYTES + len(name.encode()) + len(raw or b"") for name, raw in headers)
    return len(key or b"") + len(value or b"") + named


def bounded(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """A record's parts, each within its limit, and headers that say what was cut."""
    kept: list[tuple[str, bytes | None]] = []
    left, out = KEPT_HEADERS_BYTES, 0
    for name, raw in headers:
        size = record_bytes(None, None, ((name, raw),))
        if size > left:
            out += 1
        else:
            left -= size
            kept.append((name, raw))
    if out:
        kept.append(("cut_headers", b"%d" % out))
    for part, raw, most in (("key", key, KEPT_KEY_BYTES), ("value", value, KEPT_VALUE_BYTES)):
        if raw is not None and len(raw) > most:
            digest = hashlib.sha256(raw).hexdigest()
            kept.append((f"cut_{part}", f"{len(raw)} bytes, sha256 {digest}".encode()))
    return (
        key if key is None else key[:KEPT_KEY_BYTES],
        value if value is None else value[:KEPT_VALUE_BYTES],
        kept,
    )


def pack_record(key: bytes | None, value: bytes | None, headers: Any) -> bytes:
    """A Kafka record's parts, bounded, as bytes to be kept in the store."""
    key, value, headers = bounded(key, value, headers)
    return json.dumps(
        [_packed(key), _packed(value), [[name, _packed(raw)] for name, raw in headers]],
        separators=(",", ":"),
    ).encode()


def unpack_record(packed: bytes) -> tuple[bytes | None, bytes | None, Headers]:
    key, value, headers = json.loads(packed)
    return _unpacked(key), _unpacked(value), [(name, _unpacked(raw) or b"") for name, raw in headers]


def _packed(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def _unpacked(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _key_of(row: Any) -> str:
    return inbox_key(row["topic"], row["generation"], row["partition"], row["offset"])


def _receipt(emitter: Emitter, key: str, body: dict[str, Any]) -> AnswerRecord:
    headers = [
        ("key", key.encode()),
        ("content-type", b"application/json"),
        ("outcome", body["outcome"].encode()),
    ]
    return AnswerRecord(emitter.receipts, key.encode(), canonical(body), headers)
