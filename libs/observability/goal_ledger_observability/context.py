"""What belongs together: the correlation id and the W3C trace context of the work in hand.

Held in context variables, so that every log line and every fact of one request carries the same id.
"""

from __future__ import annotations

import re
from contextvars import ContextVar

correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:/@-]{1,128}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def usable_correlation_id(text: str) -> bool:
    """True for 1–128 of ``A–Z a–z 0–9 . _ : / @ -``: what may go into facts, logs and headers as it came."""
    return _CORRELATION_ID.fullmatch(text) is not None


def usable_traceparent(text: str) -> bool:
    """True for a W3C ``traceparent`` of version 00 with non-zero ids."""
    return _TRACEPARENT.fullmatch(text) is not None
