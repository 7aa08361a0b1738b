"""Ctrl-C and SIGTERM end a program the same way: by KeyboardInterrupt, once; while it cleans up they are ignored."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt too (main thread only)."""
    with _handled(_interrupt):
        yield


@contextmanager
def ignored_signals() -> Iterator[None]:
    """Nothing interrupts what runs inside; without effect off the main thread."""
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def _handled(handler: object) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in ENDING}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
