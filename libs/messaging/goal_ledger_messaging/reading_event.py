"""A reading on its way in: CloudEvents 1.0 of type ``goal-ledger.reading.v1``, from a Kafka record or over HTTP.

Structured (``application/cloudevents+json``: the whole event is the body) or binary (attributes in headers: ``ce_…`` in
Kafka, ``ce-…`` percent-encoded in HTTP; the body is ``data``). A Kafka record without any such header is read as
structured, so that a plain producer needs no headers.

Attributes: ``specversion`` 1.0, ``type``, ``source``, ``id``, ``time`` (RFC 3339 with an offset), ``subject`` = the
feed's name. Extensions are allowed by CloudEvents and not looked at, but for ``traceparent`` and ``backfill``.
``data`` = ``{value, unit?, mode?: absolute | increment, sequence?, backfill?}``; an unknown field in it is an error.
Back-fill is marked in ``data`` or by the extension attribute of that name (true | false).
An attribute's header that stands there twice is refused: which of the two counts is not for us to say.
``value`` is a decimal in a string, or a JSON number taken by its digits; ``sequence`` a string or an integer.

What is read here is only the form: whether the value fits, the feed exists, the mode is right, the deciders say.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from goal_ledger_contracts.canonical import parse_instant
from goal_ledger_contracts.strict_json import NotJson, parse
from goal_ledger_contracts.unguarded import unguarded_dataclass

READING_TYPE = "goal-ledger.reading.v1"
MAX_EVENT_BYTES = 64 * 1024
STRUCTURED = "application/cloudevents+json"

_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DATA_FIELDS = frozenset({"value", "unit", "mode", "sequence", "backfill"})
PLACES = {
    "feed": "/subject",
    "source": "/source",
    "id": "/id",
    "time": "/time",
    **{name: f"/data/{name}" for name in ("value", "unit", "mode", "sequence")},
}
"""Where the deciders' fields of a reading lie in the event: JSON pointers into its structured form."""
_TRUTH = {"true": True, "false": False, "True": True, "False": False, True: True, False: False}
"""``True`` and ``False`` are what the CloudEvents SDK for Python writes into a header."""


@unguarded_dataclass
class ReadingEvent:
    """A reading as it was sent. ``mode`` and ``unit`` None: those of the feed."""

    source: str
    id: str
    feed: str
    time: datetime
    value: Decimal
    unit: str | None = None
    mode: str | None = None
    sequence: str | None = None
    backfill: bool = False
    traceparent: str | None = None


class NotAReading(ValueError):
    """It cannot be read as a reading. ``code`` is stable, ``sentence`` for people, ``field`` where it lies: a JSON
    pointer into the event in its structured form, whichever form it came in, or the name of a header.

    ``source`` and ``id`` are set when at least these could be read: then it can be answered by name; ``feed`` if it is stated.
    Codes: ``bad_json``, ``event_too_large``, ``event_malformed``, ``event_type_unknown``, ``instant_malformed``,
    ``wrong_type``, ``field_unknown``, ``value_not_decimal``.
    """

    def __init__(self, code: str, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.field = field
        self.source: str | None = None
        self.id: str | None = None
        self.feed: str | None = None


def from_record(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> ReadingEvent:
    """The reading in a Kafka record. Raises NotAReading."""
    if value is None:
        raise NotAReading("event_malformed", "The record has no value.")
    attributes, content_type = _kafka_attributes(headers, MAX_EVENT_BYTES - len(value))
    if not attributes or (content_type or "").lower().startswith(STRUCTURED):
        return from_json(_json(value))
    return _from_binary(attributes, content_type, value)


def from_http(headers: Mapping[str, str], body: bytes) -> ReadingEvent:
    """The reading in a request for one: structured, or binary if it has ``ce-`` headers. Raises NotAReading.

    ``headers`` has lower-case names.
    """
    if len(body) > MAX_EVENT_BYTES:
        raise _too_large(len(body))
    content_type = headers.get("content-type")
    attributes = _http_attributes(headers)
    if not attributes or (content_type or "").lower().startswith(STRUCTURED):
        return from_json(_json(body))
    return _from_binary(attributes, content_type, body)


def from_json(event: Any) -> ReadingEvent:
    """The reading in a structured event that was parsed strictly (an item of a batch, say). Raises NotAReading."""
    if type(event) is not dict:
        raise NotAReading("event_malformed", "A CloudEvent is a JSON object.")
    try:
        return _read(event, _structured_data(event))
    except NotAReading as bad:
        raise _named(bad, event) from None


def _from_binary(attributes: dict[str, Any], content_type: str | None, body: bytes) -> ReadingEvent:
    try:
        _need_json(content_type)
        return _read(attributes, _json(body))
    except NotAReading as bad:
        raise _named(bad, attributes) from None


def _read(attributes: Mapping[str, Any], data: Any) -> ReadingEvent:
    specversion = attributes.get("specversion")
    if specversion != "1.0":
        raise NotAReading("event_malformed", "specversion is not 1.0.", "/specversion")
    kind = _text(attributes, "type")
    if kind != READING_TYPE:
        raise NotAReading("event_type_unknown", f"type is not {READING_TYPE}.", "/type")
    if type(data) is not dict:
        raise NotAReading("event_malformed", "data is not a JSON object.", "/data")
    if not data.keys() <= _DATA_FIELDS:
        unknown = min(data.keys() - _DATA_FIELDS)
        step = unknown[:64].replace("~", "~0").replace("/", "~1")
        raise NotAReading("field_unknown", f"data has no field {unknown[:64]!r}.", f"/data/{step}")
    return ReadingEvent(
        source=_text(attributes, "source"),
        id=_text(attributes, "id"),
        feed=_text(attributes, "subject"),
        time=_instant(attributes),
        value=_decimal(data.get("value")),
        unit=_optional_text(data, "unit"),
        mode=_optional_text(data, "mode"),
        sequence=_sequence(data.get("sequence")),
        backfill=_truth(data, "/data/backfill") or _truth(attributes, "/backfill"),
        traceparent=_traceparent(attributes.get("traceparent")),
    )


def _named(bad: NotAReading, attributes: Mapping[str, Any]) -> NotAReading:
    """The same, with the source and id that could be read all the same."""
    source, id = attributes.get("source"), attributes.get("id")
    if type(source) is str and type(id) is str and source and id:
        bad.source, bad.id = source, id
        feed = attributes.get("subject")
        bad.feed = feed if type(feed) is str else None
    return bad


def _too_large(size: int) -> NotAReading:
    return NotAReading(
        "event_too_large", f"The event has {size} bytes; at most {MAX_EVENT_BYTES} are accepted."
    )


def _json(raw: bytes) -> Any:
    try:
        return parse(raw, MAX_EVENT_BYTES)
    except NotJson as bad:
        raise NotAReading("bad_json", str(bad)) from None


def _kafka_attributes(
    headers: Iterable[tuple[str, bytes | None]], most_bytes: int
) -> tuple[dict[str, Any], str | None]:
    """The ``ce_`` headers and the content type, ``most_bytes`` together. Headers that are not ours may hold anything."""
    attributes: dict[str, Any] = {}
    content_type = None
    seen: set[str] = set()
    left = most_bytes
    for name, raw in headers:
        if not (name.startswith("ce_") or name == "content-type"):
            continue
        if name in seen:
            raise _twice(name)
        seen.add(name)
        left -= len(name) + len(raw or b"")
        if raw is None or left < 0:
            continue
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise _not_utf8(name) from None
        if name == "content-type":
            content_type = text
        else:
            attributes[name[3:]] = text
    if left < 0:
        raise _too_large(MAX_EVENT_BYTES - left)
    return attributes, content_type


def _http_attributes(headers: Mapping[str, str]) -> dict[str, Any]:
    """The ``ce-`` headers; ``items()`` of what came over HTTP names each header as often as it was sent."""
    attributes: dict[str, Any] = {}
    for name, text in headers.items():
        if name.startswith("ce-"):
            if name[3:] in attributes:
                raise _twice(name)
            try:
                attributes[name[3:]] = unquote(text, errors="strict")
            except UnicodeDecodeError:
                raise _not_utf8(name) from None
    return attributes


def _not_utf8(name: str) -> NotAReading:
    return NotAReading("event_malformed", f"The header {name[:64]} is not UTF-8.", name[:64])


def _twice(name: str) -> NotAReading:
    return NotAReading("event_malformed", f"The header {name[:64]} stands there twice.", name[:64])


def _structured_data(event: dict[str, Any]) -> Any:
    _need_json(event.get("datacontenttype"))
    encoded = event.get("data_base64")
    if encoded is None:
        return event.get("data")
    if "data" in event:
        raise NotAReading("event_malformed", "An event has data or data_base64, not both.", "/data_base64")
    try:
        return _json(base64.b64decode(encoded, validate=True))
    except (TypeError, ValueError, binascii.Error) as bad:
        if isinstance(bad, NotAReading):
            raise
        raise NotAReading("event_malformed", "data_base64 is not base64.", "/data_base64") from None


def _need_json(content_type: Any) -> None:
    if content_type is None:
        return
    media = content_type.split(";")[0].strip().lower() if type(content_type) is str else ""
    if media != "application/json" and not media.endswith("+json"):
        raise NotAReading("event_malformed", "The data is not said to be JSON.", "/datacontenttype")


def _text(attributes: Mapping[str, Any], name: str) -> str:
    text = attributes.get(name)
    if text is None or text == "":
        raise NotAReading("event_malformed", f"The attribute {name} is missing.", f"/{name}")
    if type(text) is not str:
        raise NotAReading("wrong_type", f"{name} is not a string.", f"/{name}")
    return text


def _optional_text(data: Mapping[str, Any], name: str) -> str | None:
    text = data.get(name)
    if text is not None and type(text) is not str:
        raise NotAReading("wrong_type", f"{name} is not a string.", f"/data/{name}")
    return text


def _instant(attributes: Mapping[str, Any]) -> datetime:
    text = _text(attributes, "time")
    if _INSTANT.fullmatch(text):
        try:
            return parse_instant(text.upper())
        except ValueError:
            pass
    raise NotAReading("instant_malformed", "time is not an RFC 3339 instant with an offset.", "/time")


def _decimal(given: Any) -> Decimal:
    if isinstance(given, Decimal):
        return given
    if type(given) is int or (type(given) is str and _DECIMAL.fullmatch(given)):
        return Decimal(given)
    if given is None:
        raise NotAReading("event_malformed", "data.value is missing.", "/data/value")
    raise NotAReading("value_not_decimal", "value is not a decimal.", "/data/value")


def _sequence(given: Any) -> str | None:
    if given is None or type(given) is str:
        return given
    if type(given) is int:
        return str(given)
    raise NotAReading("wrong_type", "sequence is not a string or an integer.", "/data/sequence")


def _truth(members: Mapping[str, Any], place: str) -> bool:
    given = members.get("backfill")
    if given is None:
        return False
    if type(given) in (str, bool) and given in _TRUTH:
        return _TRUTH[given]
    raise NotAReading("wrong_type", "backfill is not true or false.", place)


def _traceparent(given: Any) -> str | None:
    return given if type(given) is str and len(given) <= 128 and given.isascii() else None
