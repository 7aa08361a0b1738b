"""Facts from their lines, and whether each line is the RFC 8785 form of what it says: the bulk of all work.

Facts hold neither fractions nor great integers, and their keys are ASCII; for such values the standard library's sorted
compact JSON is RFC 8785. So a line is canonical if, read and written again, it is the same. Many lines are written again
at once, which costs half as much: a JSON object ends where its braces say, so if the objects of many lines, joined by
commas, are the lines joined by commas, each is its own line. A key that appears twice, an escape that need not be, white
space, ``-0``, another order: all are written otherwise than they came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

AT_ONCE = 32
"""So many lines are read and written again together: few enough for the processor's cache."""
MAX_DIGITS = 15
"""An integer of so many digits is one in every JSON reader."""

Json = dict[str, Any]


def _no_fraction(digits: str) -> Any:
    raise ValueError(f"{digits[:40]} is no integer: facts write decimals as strings")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of more than {MAX_DIGITS} digits")
    return int(digits)


_decoder: Any = json.JSONDecoder(parse_float=_no_fraction, parse_constant=_no_fraction, parse_int=_integer)
_scan = _decoder.scan_once
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False, allow_nan=False
).encode

NOT_READ = (ValueError, StopIteration, RecursionError)


def read_all(lines: Sequence[bytes]) -> list[Json] | None:
    """The facts of a few lines, if every line is one and canonical; else None: then :func:`read` says which is not."""
    try:
        texts = b"\n".join(lines).decode().split("\n")
        if len(texts) != len(lines):
            return None
        read = [_scan(text, 0) for text in texts]
        facts = [fact for fact, _ in read]
        if [end for _, end in read] != list(map(len, texts)) or set(map(type, facts)) != {dict}:
            return None
        return facts if _encode(facts) == f"[{','.join(texts)}]" else None
    except NOT_READ:
        return None


def read(line: bytes) -> tuple[Json | None, str | None]:
    """The fact of one line and, if it is not canonical, why; without a fact: why it is no JSON object."""
    try:
        text = line.decode()
        fact, end = _scan(text, 0)
    except StopIteration:
        return None, "there is no JSON here"
    except (ValueError, RecursionError) as wrong:
        return None, str(wrong)[:120]
    if type(fact) is not dict:
        return None, "there is no JSON object here"
    again = _encode(fact)
    if end != len(text) or again != text:
        return fact, f"it differs from its canonical form at character {_first_difference(text, again)}"
    return fact, None


def _first_difference(one: str, other: str) -> int:
    pairs: Iterable[tuple[str, str]] = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
