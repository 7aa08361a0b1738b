"""Values as the ledger takes them: decimals exact, times with their offset. What is neither is refused before it is sent.

Decimals go as text, instants as RFC 3339, dates as ``YYYY-MM-DD``. A float has no exact decimal (``0.1`` is not a
tenth), a time without an offset is no instant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")

Exact = str | int | bool | Decimal | datetime | date | None
"""A value without structure. (mypy takes an int for a float, not a float for an int: floats do not pass.)"""
Value = Exact | Sequence["Value"] | Mapping[str, "Value"]
Body = Mapping[str, Value]


def exact(value: Any, where: str = "") -> Any:
    """The value as JSON has it; ``where`` is its JSON pointer. Raises TypeError for a float and for what JSON cannot
    hold, ValueError for a time without an offset or a decimal that is not finite."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        raise TypeError(f"{where or 'a value'} is a float, which is not exact: give text or a Decimal")
    if isinstance(value, Mapping):
        return {name: exact(one, f"{where}/{name}") for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [exact(one, f"{where}/{place}") for place, one in enumerate(value)]
    return _text(value, where)


def decimal(value: str | int | Decimal, where: str) -> str:
    """The value of a reading or check-in as text. Raises TypeError for a float, ValueError for what is no decimal of at most
    18 digits before the point and 6 after it."""
    written = exact(value, where)
    if isinstance(value, bool) or not _DECIMAL.fullmatch(str(written)):
        raise ValueError(
            f"{where} {str(written)[:60]!r} is no decimal of at most 18 digits before the point and 6 after it"
        )
    return str(written)


def parameter(name: str, value: Any) -> str | list[str]:
    """The value as a query string has it; a list is repeated. Raises as :func:`exact`."""
    if isinstance(value, list | tuple):
        return [_parameter(name, one) for one in value]
    return _parameter(name, value)


def _parameter(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(exact(value, name))


def _text(value: Any, where: str) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{where or 'a value'} is {value}: not a finite decimal")
        return format(value, "f")
    if isinstance(value, datetime):
        return instant(value, where)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{where or 'a value'} is a {type(value).__name__}, which JSON does not hold")


def instant(at: datetime, where: str = "a time") -> str:
    """RFC 3339, whose offsets have whole minutes. Raises ValueError for a time without an offset."""
    offset = at.utcoffset()
    if offset is None:
        raise ValueError(
            f"{where or 'a time'} has no offset: {at.isoformat()} is an instant only with a time zone"
        )
    return (at.astimezone(UTC) if offset.total_seconds() % 60 else at).isoformat()
