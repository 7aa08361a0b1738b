"""JSON from outside, parsed once and strictly, before any model sees it.

Refused with :class:`NotJson`: over the size, not UTF-8, duplicate keys, NaN and Infinity, lone surrogates, NUL, depth
over 32. Numbers are taken by their digits (:class:`decimal.Decimal`), never through a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_DEPTH = 32
MAX_NUMBER_CHARACTERS = 64


class NotJson(ValueError):
    """The input is not acceptable JSON; the message says why in one sentence."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise NotJson(f"The key {key[:64]!r} appears twice in one object.")
            seen.add(key)
    return found


def _constant(name: str) -> Any:
    raise NotJson(f"{name} is not a JSON number.")


def _decimal(digits: str) -> Decimal:
    if len(digits) > MAX_NUMBER_CHARACTERS:
        raise NotJson(f"A number has more than {MAX_NUMBER_CHARACTERS} characters.")
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise NotJson("A number cannot be represented.") from None


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_CHARACTERS:
        raise NotJson(f"A number has more than {MAX_NUMBER_CHARACTERS} characters.")
    return int(digits)


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
).decode


_NESTED = (dict, list)


def _depth_within(value: Any, most: int) -> bool:
    """Whether no more than ``most`` objects and lists lie in each other."""
    level, depth = [value], 0
    while level := [one for one in level if type(one) in _NESTED]:
        depth += 1
        if depth > most:
            return False
        level = [inner for one in level for inner in (one.values() if type(one) is dict else one)]
    return True


def parse(raw: bytes, max_bytes: int) -> Any:
    """The JSON value in ``raw`` (at most ``max_bytes`` bytes). Raises :class:`NotJson` with the reason."""
    if len(raw) > max_bytes:
        raise NotJson(f"The body has {len(raw)} bytes; at most {max_bytes} are accepted.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise NotJson(f"The body is not UTF-8 (at byte {bad.start}).") from None
    try:
        value = _decode(text)
    except NotJson:
        raise
    except RecursionError:
        raise NotJson(f"Objects and lists are nested deeper than {MAX_DEPTH}.") from None
    except ValueError as bad:
        raise NotJson(f"The body is not JSON: {str(bad)[:200]}.") from None
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and not _depth_within(value, MAX_DEPTH):
        raise NotJson(f"Objects and lists are nested deeper than {MAX_DEPTH}.")
    if b"\\u" in raw:
        _refuse_surrogates(value)
    return value


def parse_items(raw: bytes, max_bytes: int) -> Any:
    """As :func:`parse`, but of a list each item by itself: one that is not acceptable stands as its :class:`NotJson`."""
    try:
        return parse(raw, max_bytes)
    except NotJson as whole:
        if len(raw) > max_bytes or raw.lstrip()[:1] != b"[":
            raise
        try:
            return list(_each(raw.decode("utf-8")))
        except (ValueError, RecursionError):
            raise whole from None


_LENIENT = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")


def _each(text: str) -> Iterator[Any]:
    """The items of a JSON list. Raises ValueError where it is none."""
    at, sign = _after_space(text, text.index("[") + 1), ","
    while sign == ",":
        _, end = _LENIENT(text, at)
        yield _item(text[at:end])
        end = _after_space(text, end)
        sign, at = text[end : end + 1], _after_space(text, end + 1)
    if sign != "]" or at != len(text):
        raise ValueError("no list")


def _item(text: str) -> Any:
    raw = text.encode("utf-8")
    try:
        return parse(raw, len(raw))
    except NotJson as bad:
        return bad


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise NotJson("A string holds half of a surrogate pair.") from None
