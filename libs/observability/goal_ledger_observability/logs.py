"""Logs: one JSON object per line on stderr, ours and the libraries' alike.

Three kinds of lines are ours by name: ``goal_ledger.requests`` (one per request, refusals included),
``goal_ledger.access`` (who was given what of the record itself; written at every level), and what parts have to say.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from goal_ledger_observability.context import correlation_id, traceparent
from goal_ledger_observability.failures import FirstWords, render_failures

ACCESS, REQUESTS = "goal_ledger.access", "goal_ledger.requests"
TOLD_FROM_WARNING = ("aiokafka", "httpx2", "httpcore2", "alembic")
"""Libraries that tell every poll, request or step at the level INFO."""


def _add_context(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if (correlation := correlation_id.get()) is not None:
        event.setdefault("correlation_id", correlation)
    if (trace := traceparent.get()) is not None:
        event.setdefault("trace_id", trace[3:35])
    return event


_process = ""


def process_name() -> str:
    """As :func:`configure_logging` was told; empty before."""
    return _process


def configure_logging(process: str, level: str = "INFO") -> None:
    """Every logger of this process writes JSON lines to stderr, with the ``process`` name in each. Call once, first."""
    global _process
    _process = process

    def add_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context,
        add_process,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                render_failures,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger(ACCESS).setLevel(logging.INFO)
    for name in TOLD_FROM_WARNING:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("asyncio").addFilter(FirstWords())
    sys.excepthook = _last_words


def _last_words(kind: type[BaseException], failure: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(failure, KeyboardInterrupt):
        logging.getLogger("goal_ledger").critical(
            "the process ends by an error", exc_info=(kind, failure, trace)
        )


def logger(name: str) -> Any:
    """A structlog logger: ``logger("relay").info("published", workspace=…, seq=…)``."""
    return structlog.stdlib.get_logger(name)
