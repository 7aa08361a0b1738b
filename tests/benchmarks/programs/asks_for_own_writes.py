"""From a commit to the query that shows it: check-ins planned at a rate, each followed by a query for its position.

The clock of a visibility runs from the command's answer (the fact is committed by then) to the whole answer of
`GET /v1/key-results/<id>?wait_ms=5000` with the position in the header. Job: that of ``load.py`` with one target, and
``query`` [host, port], ``token``, ``key_results`` (checked in on in turn), ``rate``, ``seconds``.
Result: ``p50_ms``, ``p99_ms``, ``max_ms``, ``count``.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.programs.job import run_async
from benchmarks.programs.load import NUMBER
from benchmarks.results import quantile

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD_PATH = "/v1/key-results/result-1"
"""The path in ``head``, which is replaced."""
POSITION = b"goal-ledger-position:"


class Lines:
    """Keep-alive connections to one address, as many as are needed at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._free: list[Line] = []

    async def exchange(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer; the status must be 2xx."""
        line = self._free.pop() if self._free else await asyncio.open_connection(*self._address)
        line[1].write(request)
        head = await line[0].readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        body = await line[0].readexactly(length)
        if head[9:10] != b"2":
            raise SystemExit(f"{head[:30]!r} {body[:300]!r}")
        self._free.append(line)
        return head, body


async def work(job: dict[str, Any]) -> dict[str, Any]:
    commands, queries = Lines(*job["targets"][0]), Lines(*job["query"])
    seen_s: list[float] = []

    async def one(number: int) -> None:
        path = f"/v1/key-results/{job['key_results'][number % len(job['key_results'])]}"
        body = f"{job['before']}{NUMBER % number}{job['after']}"
        request = f"{job['head'].replace(HEAD_PATH, path)}Content-Length: {len(body)}\r\n\r\n{body}"
        head, _ = await commands.exchange(request.encode())
        committed = time.perf_counter()
        position = head.lower().partition(POSITION)[2].partition(b"\r")[0].strip().decode()
        asked = (
            f"GET {path}?wait_ms=5000 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {job['token']}\r\n"
        )
        await queries.exchange(f"{asked}Goal-Ledger-Position: {position}\r\n\r\n".encode())
        seen_s.append(time.perf_counter() - committed)

    began, tasks = time.perf_counter(), []
    for number in range(int(job["rate"] * job["seconds"])):
        await asyncio.sleep(max(0.0, began + number / job["rate"] - time.perf_counter()))
        tasks.append(asyncio.create_task(one(job["first"] + number)))
    await asyncio.gather(*tasks)
    seen_s.sort()
    return {
        "count": len(seen_s),
        "p50_ms": quantile(seen_s, 0.5) * 1e3,
        "p99_ms": quantile(seen_s, 0.99) * 1e3,
        "max_ms": seen_s[-1] * 1e3,
    }


if __name__ == "__main__":
    run_async(work)
