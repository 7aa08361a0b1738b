"""One line per request, refusals included: ``goal_ledger.requests``. No query string, no body, no header is in it.

It is on the path of every check-in, so the line is made by hand and written where the log goes, without a record of
the logging library: a tenth of the time. The level of the logger still counts. What ends in one turn of the event loop, as
the commands of one batch do, is written at its end in one piece.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from datetime import UTC, datetime
from json import JSONEncoder

from goal_ledger_observability.context import correlation_id
from goal_ledger_observability.logs import REQUESTS, process_name

_encode = JSONEncoder(separators=(", ", ": "), check_circular=False, default=str).encode
_level = logging.getLogger(REQUESTS)
_unwritten: list[str] = []


def write_request_line(
    method: str, route: str, status: int, ms: float, actor: str | None, workspace: str | None
) -> None:
    """``route`` is the template; ``status`` 0: the client was gone before it was answered. Called in an event loop."""
    if not _level.isEnabledFor(logging.INFO):
        return
    line = {
        "event": "request",
        "method": method,
        "route": route,
        "status": status,
        "ms": round(ms, 2),
        "actor": actor,
        "workspace": workspace,
        "correlation_id": correlation_id.get(),
        "level": "info",
        "logger": REQUESTS,
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "process": process_name(),
    }
    if not _unwritten:
        asyncio.get_running_loop().call_soon(_write)
    _unwritten.append(_encode(line) + "\n")


def _write() -> None:
    lines = "".join(_unwritten)
    _unwritten.clear()
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(lines)
