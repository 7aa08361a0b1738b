"""CloudEvents 1.0 that carry a reading: structured and binary form, of HTTP and of Kafka, into one plain value.

Nothing is decided here: the event is taken apart, strictly, and what is wrong is said with a stable code. Extension
attributes are allowed and ignored, as the specification asks; unknown members of ``data`` are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.canonical import parse_instant

READING_TYPE = "goal-ledger.reading.v1"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_ATTRIBUTES = ("specversion", "type", "source", "id", "subject", "time")
_DATA = frozenset({"value", "unit", "mode", "sequence", "backfill"})
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


class BadEvent(Exception):
    """The event is not a reading. ``code`` is stable; ``source`` and ``id`` are given as far as they could be read."""

    def __init__(
        self,
        code: str,
        sentence: str,
        field: str | None = None,
        source: str | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.field, self.source, self.id = code, sentence, field, source, id


@dataclass(frozen=True, slots=True)
class Stated:
    """A reading as its emitter states it; the field names are those of the command ``TakeReading``."""

    feed: str
    source: str
    id: str
    time: datetime
    value: Decimal
    unit: str | None = None
    mode: str | None = None
    sequence: str | None = None
    backfill: bool = False


def structured(event: Any) -> Stated:
    """The reading of a parsed structured event. Raises :class:`BadEvent`."""
    if not isinstance(event, dict):
        raise BadEvent("event_malformed", "A structured CloudEvent is a JSON object.")
    if "data_base64" in event:
        raise _bad(event, "event_malformed", "The data of a reading are JSON, not base64.", "data_base64")
    content_type = event.get("datacontenttype", "application/json")
    if (
        not isinstance(content_type, str)
        or content_type.partition(";")[0].strip().lower() != "application/json"
    ):
        raise _bad(event, "event_malformed", "datacontenttype is application/json.", "datacontenttype")
    return _reading(event, event.get("data"))


def binary(attributes: Mapping[str, str], data: Any) -> Stated:
    """The reading of a binary event: ``attributes`` without their ``ce-``/``ce_`` prefix, ``data`` the parsed body."""
    return _reading(attributes, data)


def _bad(event: Mapping[str, Any], code: str, sentence: str, field: str) -> BadEvent:
    source, id = event.get("source"), event.get("id")
    return BadEvent(
        code,
        sentence,
        field,
        source if isinstance(source, str) else None,
        id if isinstance(id, str) else None,
    )


def _reading(event: Mapping[str, Any], data: Any) -> Stated:
    for name in _ATTRIBUTES:
        value = event.get(name)
        if not isinstance(value, str) or not value:
            raise _bad(event, "event_malformed", f"The attribute {name} is missing or not a text.", name)
    if event["specversion"] != "1.0":
        raise _bad(event, "event_malformed", "specversion is 1.0.", "specversion")
    if event["type"] != READING_TYPE:
        raise _bad(event, "event_type_unknown", f"type is {READING_TYPE}.", "type")
    try:
        time = parse_instant(event["time"])
    except ValueError:
        raise _bad(
            event, "instant_malformed", "time is an RFC 3339 instant with an offset.", "time"
        ) from None
    if not isinstance(data, dict):
        raise _bad(event, "event_malformed", "data is a JSON object.", "data")
    if not data.keys() <= _DATA:
        unknown = sorted(data.keys() - _DATA)[0]
        raise _bad(event, "field_unknown", f"data has no member {unknown[:64]!r}.", "data")
    return Stated(
        feed=event["subject"],
        source=event["source"],
        id=event["id"],
        time=time,
        value=_value(event, data.get("value")),
        unit=_text(event, data, "unit"),
        mode=_text(event, data, "mode"),
        sequence=_sequence(event, data.get("sequence")),
        backfill=_flag(event, data.get("backfill", False)),
    )


def _value(event: Mapping[str, Any], value: Any) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise _bad(
        event, "value_not_decimal", "data.value is a finite decimal, as a string or a number.", "data/value"
    )


def _text(event: Mapping[str, Any], data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise _bad(event, "wrong_type", f"data.{name} is a text.", f"data/{name}")
    return value


def _sequence(event: Mapping[str, Any], value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise _bad(event, "wrong_type", "data.sequence is a text or a whole number.", "data/sequence")
    return value


def _flag(event: Mapping[str, Any], value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad(event, "wrong_type", "data.backfill is true or false.", "data/backfill")
    return value
