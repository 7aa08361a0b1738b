"""SIGTERM and SIGHUP end a program as Ctrl-C does: by KeyboardInterrupt, so that what is open gets closed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def endings_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt, where they have no handler and are not ignored (nohup)."""
    with _handled([number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL], _interrupt):
        yield


@contextmanager
def ignored_signals() -> Iterator[None]:
    """Nothing interrupts what runs inside."""
    with _handled(ENDING, signal.SIG_IGN):
        yield


@contextmanager
def _handled(numbers: Sequence[signal.Signals], handler: Any) -> Iterator[None]:
    """Without effect off the main thread, where Python lets nobody change handlers."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, previous in before.items():
                signal.signal(number, previous)
