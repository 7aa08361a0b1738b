"""Readings as the shop sends them: CloudEvents of a feed of event counts."""

from __future__ import annotations

import json

PIECE = 500
"""Rows to a transaction in the comparisons, as in a batch of ours."""


def event(run: str, number: int) -> bytes:
    """About 190 bytes; the times run through a month."""
    day, second = 1 + number // 86_400 % 28, number % 86_400
    body = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "/shop",
        "id": f"{run}-{number}",
        "subject": "shop.sales",
        "time": f"2026-05-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z",
        "data": {"value": str(number % 9 + 1), "unit": "pieces"},
    }
    return json.dumps(body, separators=(",", ":")).encode()
