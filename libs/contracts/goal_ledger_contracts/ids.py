"""Identifiers: UUIDv7 for what we name, a narrow alphabet for what others name."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
WORKSPACE_ID = re.compile(r"[a-z0-9-]{1,40}")

RANDOM_AT_ONCE = 256
"""For so many ids the system is asked for random bits at once."""

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit that begins with the variant 10, by a random one."""


class _Uuids:
    """Makes UUIDs, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms = self._counter = 0
        self._written_ms = ""
        self._tails = self._random_tails()

    def next(self) -> str:
        with self._lock:
            now_ms = time.time_ns() // 1_000_000
            if now_ms > self._ms:
                self._begin(now_ms)
            elif self._counter == 0xFFF:
                self._begin(self._ms + 1)
            else:
                self._counter += 1
            return f"{self._written_ms}{self._counter:03x}-{next(self._tails)}"

    def _begin(self, ms: int) -> None:
        self._ms, self._counter = ms, 0
        digits = f"{ms:012x}"
        self._written_ms = f"{digits[:8]}-{digits[8:]}-7"

    @staticmethod
    def _random_tails() -> Iterator[str]:
        """Variant and random bits, as they are written; without end."""
        while True:
            digits = os.urandom(8 * RANDOM_AT_ONCE).hex()
            for at in range(0, len(digits), 16):
                yield f"{_VARIANT[digits[at]]}{digits[at + 1 : at + 4]}-{digits[at + 4 : at + 16]}"


_uuids = _Uuids()


def _begin_anew() -> None:
    """A forked child must not draw what its parent draws."""
    global _uuids
    _uuids = _Uuids()


os.register_at_fork(after_in_child=_begin_anew)


def uuid7() -> str:
    """A UUIDv7 (RFC 9562 section 5.7): Unix milliseconds, a 12-bit counter within the millisecond, 62 random bits.

    Increasing within this process, so that ids sort as they were made.
    """
    return _uuids.next()
