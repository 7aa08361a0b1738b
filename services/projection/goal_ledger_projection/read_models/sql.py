"""What several statements say in the same way."""

from __future__ import annotations


def microseconds(column: str) -> str:
    """An instant as a whole number of microseconds since 1970, exact whatever the session's zone and style of dates."""
    return f"(extract(epoch FROM {column}) * 1000000)::bigint AS {column}"
