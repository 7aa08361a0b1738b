"""The records by which emitters learn what became of their readings.

``progress.receipts.<emitter>``: one JSON object per reading: ``source``, ``id``, ``outcome`` (applied | duplicate |
quarantined | refused), ``code`` and ``reason`` where there is one, ``event_id`` and ``position`` of the fact, and where
the reading came from. ``progress.rejected.<emitter>``: an unreadable message whole (its key, value and headers), with
the reason and its origin in further headers.

Both are published at least once. The header ``key`` (also the record's key) is the same each time: the place of the
inbox record (``<topic>/<generation>/<partition>/<offset>``), or the event id of a reading that came over HTTP. A reader
who drops repeated keys sees each once.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.canonical import canonical
from goal_ledger_messaging.records import Headers
from goal_ledger_messaging.topics import Emitter


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
        body["code"] = body["reason"] = data["why"]
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
    for name in ("code", "reason", "event_id", "position"):
        if row[name] is not None:
            body[name] = row[name]
    return _receipt(Emitter(row["workspace"], row["system"]), _key_of(row), body)


def rejected(row: Any) -> AnswerRecord | None:
    """The unreadable message whole; None for an outcome that was readable."""
    if row["record"] is None:
        return None
    key, value, headers = unpack_record(row["record"])
    added = {
        "key": _key_of(row),
        "reason": row["reason"] or "",
        "code": row["code"] or "",
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


def pack_record(key: bytes | None, value: bytes | None, headers: Any) -> bytes:
    """A Kafka record's parts as bytes to be kept in the store."""
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
