"""The position header and how long to wait for it: what an answer must include."""

from __future__ import annotations

from goal_ledger_contracts.position import Position
from starlette.datastructures import Headers, QueryParams

from goal_ledger_edge.problems import Problem

HEADER = "Goal-Ledger-Position"
MAX_WAIT_MS = 5000


def asked_position(headers: Headers) -> Position | None:
    """The position a caller wants included, or None. Problem 400 ``bad_position``."""
    text = headers.get(HEADER)
    if text is None:
        return None
    try:
        return Position.parse(text)
    except ValueError:
        raise Problem(
            400, "bad_position", "A position is written <epoch>-<seq>, such as 1-151.", field=HEADER
        ) from None


def asked_wait_ms(query: QueryParams, default_ms: int = 0) -> int:
    """How long to wait for the position, in milliseconds, at most 5000. Problem 400 ``bad_wait``."""
    text = query.get("wait_ms")
    if text is None:
        return default_ms
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= MAX_WAIT_MS):
        raise Problem(400, "bad_wait", f"wait_ms is a whole number from 0 to {MAX_WAIT_MS}.", field="wait_ms")
    return int(text)
