"""What a log may say of an error: what it is and where it happened, never what was being worked on.

A traceback's locals hold API keys and personal text, and so may the sentence of an exception: a KeyError is the key, a
ValueError quotes its value, PostgreSQL's DETAIL is the row. So frames are told without locals, and a sentence only where
its kind speaks of no data: our own exceptions, errors of the network and of programming, and of PostgreSQL the classes
whose first line names tables and constraints alone.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

FRAMES_SHOWN = 30
CAUSES_SHOWN = 10

_SPEAK_OF_NO_DATA = (
    OSError,
    AttributeError,
    NameError,
    ImportError,
    TypeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)
_MODULES_THAT_SPEAK_OF_NO_DATA = (
    "goal_ledger_",
    "aiokafka.",
    "asyncpg.",
    "httpx2",
    "httpcore2",
    "sqlalchemy.",
)
_SQLSTATES_THAT_NAME_NO_VALUES = frozenset({"08", "23", "25", "28", "40", "42", "53", "55", "57", "58"})


def failure_text(failure: BaseException) -> str:
    """The kind of an error, and its sentence if that holds no data."""
    said = _sentence(failure)
    name = type(failure).__name__
    return f"{name}: {said}" if said else name


def _sentence(failure: BaseException) -> str:
    if isinstance(cause := getattr(failure, "orig", None), BaseException):  # SQLAlchemy's wrap the driver's
        return failure_text(cause)
    if isinstance(state := getattr(failure, "sqlstate", None), str):
        named = state[:2] in _SQLSTATES_THAT_NAME_NO_VALUES and failure.args
        return f"{state} {failure.args[0]}" if named else state
    module = type(failure).__module__
    speaks = isinstance(failure, _SPEAK_OF_NO_DATA) or module.startswith(_MODULES_THAT_SPEAK_OF_NO_DATA)
    return str(failure) if speaks and not hasattr(failure, "statement") else ""


def told(failure: BaseException) -> list[dict[str, Any]]:
    """The error and what it came of, each as ``{failure, frames, group?}``; frames are ``file:line in function``."""
    return [_one(one) for one, _ in zip(_chain(failure), range(CAUSES_SHOWN), strict=False)]


def _one(failure: BaseException) -> dict[str, Any]:
    frames = [
        f"{code.co_filename}:{line} in {code.co_qualname if sys.version_info >= (3, 11) else code.co_name}"
        for code, line in ((frame.f_code, line) for frame, line in traceback.walk_tb(failure.__traceback__))
    ]
    shown: dict[str, Any] = {"failure": failure_text(failure), "frames": frames[-FRAMES_SHOWN:]}
    if isinstance(failure, BaseExceptionGroup):
        shown["group"] = [told(one) for one in failure.exceptions[:CAUSES_SHOWN]]
    return shown


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)


def render_failures(_logger: Any, _method: str, event: Any) -> Any:
    """A structlog processor: ``exc_info`` becomes ``exception``, as :func:`told`."""
    info = event.pop("exc_info", None)
    failure = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if failure is None and info is True:
        failure = sys.exc_info()[1]
    if failure is not None:
        event["exception"] = told(failure)
    return event


class FirstWords(logging.Filter):
    """For asyncio's own log: it writes the arguments of callbacks and the text of exceptions into its sentence."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = record.getMessage().splitlines()[0].partition("(")[0].partition("<")[0][:100].rstrip()
        record.args = ()
        return True
