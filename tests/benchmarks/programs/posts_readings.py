"""Readings over HTTP in batches, one batch under way on each of a few keep-alive connections.

Job: ``target`` [host, port], ``key`` (the system's API key), ``run``, ``readings``, ``batch``, ``connections``.
Result: ``per_second``.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.programs.events import event
from benchmarks.programs.job import run
from benchmarks.programs.load import Connection


def work(job: dict[str, Any]) -> dict[str, Any]:
    host, port = job["target"]
    count, size = job["readings"], job["batch"]
    batches = [_request(job, start, min(count, start + size)) for start in range(0, count, size)]
    lines = [Connection(number, (host, port)) for number in range(job["connections"])]
    began = time.perf_counter()
    with ThreadPoolExecutor(len(lines)) as threads:
        sent = [
            threads.submit(_send, line, batches[number :: len(lines)]) for number, line in enumerate(lines)
        ]
        applied = sum(one.result() for one in sent)
    took_s = time.perf_counter() - began
    if applied != count:
        raise SystemExit(f"{applied} of {count} were applied")
    return {"per_second": count / took_s}


def _request(job: dict[str, Any], start: int, end: int) -> bytes:
    body = b"[" + b",".join(event(job["run"], number) for number in range(start, end)) + b"]"
    head = (
        "POST /v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/cloudevents-batch+json\r\n"
        f"Authorization: Bearer {job['key']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _send(line: Connection, batches: list[bytes]) -> int:
    applied = 0
    for batch in batches:
        line.socket.sendall(batch)
        whole = None
        while whole is None:
            whole = line.answer()
        applied += int(json.loads(whole.partition(b"\r\n\r\n")[2])["counts"].get("applied", 0))
    return applied


if __name__ == "__main__":
    run(work)
