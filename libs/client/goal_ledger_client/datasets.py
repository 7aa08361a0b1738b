"""Datasets as files: streamed into one, or read as a pyarrow table (extra ``arrow``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from goal_ledger_client import exchange
from goal_ledger_client.exchange import ClientRequest, Unavailable

if TYPE_CHECKING:
    import pyarrow

    from goal_ledger_client.client import GoalLedger

FORMATS = ("parquet", "arrow", "csv", "jsonl")
TOKEN_HEADER = "Goal-Ledger-Token"


def table_of(raw: bytes) -> pyarrow.Table:
    """An Arrow stream as a table; its schema's metadata holds the token. Raises ImportError without the extra."""
    try:
        import pyarrow.ipc
    except ImportError as absent:
        raise ImportError('export needs pyarrow: install "goal-ledger-client[arrow]"') from absent
    return pyarrow.ipc.open_stream(raw).read_all()


def save(ledger: GoalLedger, request: ClientRequest, file: Path) -> Iterator[tuple[int, str]]:
    """Stream a dataset into a file: (bytes so far, the export's token), as they come. The file is there when it is whole.

    Raises Problem if it is refused, Unavailable if it broke off: ask again, with the token for the same bytes.
    """
    partial = file.with_name(f"{file.name}.part")
    try:
        with (
            ledger.http.stream(
                request.method, request.url, headers=dict(request.headers), params=request.params
            ) as response,
            partial.open("wb") as kept,
        ):
            if response.status_code >= 400:
                raise exchange.problem(response.status_code, response.read())
            written, token = 0, response.headers.get(TOKEN_HEADER, "")
            for some in response.iter_bytes():
                kept.write(some)
                written += len(some)
                yield written, token
        partial.replace(file)
    except httpx2.TransportError as broke:
        title = f"The export broke off; nothing is kept of it: ask again. ({broke})"
        raise Unavailable(0, {"code": "broken_off", "title": title}) from broke
    finally:
        partial.unlink(missing_ok=True)
