"""Logs: one JSON object per line on stderr, ours and the libraries' alike."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from goal_ledger_observability.context import correlation_id, traceparent


def _add_context(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if (correlation := correlation_id.get()) is not None:
        event.setdefault("correlation_id", correlation)
    if (trace := traceparent.get()) is not None:
        event.setdefault("trace_id", trace[3:35])
    return event


def configure_logging(process: str, level: str = "INFO") -> None:
    """Every logger of this process writes JSON lines to stderr, with the ``process`` name in each. Call once, first."""

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
                structlog.processors.dict_tracebacks,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def logger(name: str) -> Any:
    """A structlog logger: ``logger("relay").info("published", workspace=…, seq=…)``."""
    return structlog.stdlib.get_logger(name)
