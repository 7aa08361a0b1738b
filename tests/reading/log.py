"""The log as it stands: each fact a plain dict, in seq order, with its times as instants."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Any

Json = dict[str, Any]
Log = list[Json]


def read(stored: Iterable[bytes]) -> Log:
    """The facts from their stored bytes."""
    facts = [json.loads(one) for one in stored]
    for fact in facts:
        fact["effective_at"] = instant(fact["effective_at"])
        fact["recorded_at"] = instant(fact["recorded_at"])
    return facts


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def number(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def told(log: Log, stream: str, at: datetime | None, known: int) -> Log:
    """The facts of a stream that were known, and by ``at`` (None: whenever) in effect."""
    return [
        fact
        for fact in log
        if fact["stream"] == stream
        and fact["seq"] <= known
        and (at is None or fact["effective_at"] <= at)
        and not fact["type"].startswith("CheckIn")
    ]


def streams(log: Log, kind: str, known: int) -> list[str]:
    """The ids of all streams of a kind."""
    found = {fact["stream"] for fact in log if fact["seq"] <= known}
    return sorted(one.partition("/")[2] for one in found if one.startswith(f"{kind}/"))


def rounded(exact: Fraction, places: int = 12) -> Fraction:
    """Once, half-even."""
    return Fraction(round(exact * 10**places), 10**places)
