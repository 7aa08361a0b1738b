"""Canonical bytes: what is hashed, stored and published, never serialised a second time.

Facts hold no floats and no big integers; decimals are strings in one form, times RFC 3339 UTC with microseconds,
keys ASCII, text NFC. Under these rules the standard library's sorted compact JSON equals RFC 8785 (JCS); a property
test compares it with the ``rfc8785`` package.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
"""Sums and products before the one rounding happen here: an inexact result is an error, not a number."""

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False, allow_nan=False
).encode


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value made of dicts with ASCII keys, lists, strings, small integers, booleans, None."""
    return _encode(value).encode()


_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?")


def decimal_text(value: Decimal) -> str:
    """The one written form of a decimal: no exponent, no plus, no superfluous zeros, no ``-0``."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def parse_decimal(text: str) -> Decimal:
    """A stored decimal, exactly. Raises ValueError if it is not in the written form of :func:`decimal_text`."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a decimal with at most 18 digits before and 6 after the point: {text!r}")
    return Decimal(text)


_INSTANT = "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ"
"""Written out in half the time of ``isoformat``."""


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds and ``Z``. The instant must be aware."""
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            raise ValueError("an instant needs an offset")
        at = at.astimezone(UTC)
    return _INSTANT % (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant with any offset, as UTC. Raises ValueError for anything else: local times, dates, other forms
    of ISO 8601, an offset such as ``-00:60``, and an instant that is outside the years 1 to 9999 in UTC."""
    if not (_is_written_by_us(text) or _RFC_3339.fullmatch(text)):
        raise ValueError("not an RFC 3339 instant with an offset")
    at = datetime.fromisoformat(text)
    try:
        return at if at.tzinfo is UTC else at.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant outside the years 1 to 9999") from None


def _is_written_by_us(text: str) -> bool:
    """Of the shape of :func:`instant_text`; a fold reads millions of them, and the pattern costs more than the rest."""
    return len(text) == 27 and text[7] == "-" and text[10] == "T" and text[19] == "." and text[26] == "Z"
