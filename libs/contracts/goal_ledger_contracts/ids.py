"""Identifiers: UUIDv7 for what we name, a narrow alphabet for what others name."""

from __future__ import annotations

import os
import re
import threading
import time

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
WORKSPACE_ID = re.compile(r"[a-z0-9-]{1,40}")
PART_ID = ID

_lock = threading.Lock()
_last = (0, 0)


def uuid7() -> str:
    """A UUIDv7 (RFC 9562 section 5.7): Unix milliseconds, a 12-bit counter within the millisecond, 62 random bits.

    Increasing within this process, so that ids sort as they were made.
    """
    global _last
    with _lock:
        now_ms, counter = time.time_ns() // 1_000_000, 0
        if now_ms <= _last[0]:
            now_ms, counter = _last[0], _last[1] + 1
            if counter > 0xFFF:
                now_ms, counter = now_ms + 1, 0
        _last = (now_ms, counter)
    random_bits = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    digits = f"{now_ms << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random_bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
