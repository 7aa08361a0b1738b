"""HTTP load on keep-alive connections, as cheap as Python makes it: one thread, epoll, no HTTP library.

Closed loop (``rate`` 0): each connection sends the next request when the last is answered. Open loop: requests are
planned at ``rate`` a second and counted from the planned time, whether or not a connection was free then, so that a
stall is not hidden by those who did not ask meanwhile ("coordinated omission").

Job: ``targets`` [[host, port], …] (connections are shared out among them), ``connections``, ``head`` (request head up
to the body's length), ``before`` and ``after`` (the body around a number that differs in each request), ``first`` (the
first number), ``seconds`` and, or, ``requests`` as limits, ``rate``. Result: per target the number of answers by
status; seconds from the first send to the last answer; latencies in ms: p50, p99, max.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter, deque
from typing import Any

from benchmarks.programs.job import run
from benchmarks.results import quantile

NUMBER = "%012d"
GIVE_UP_S = 30.0
STATUS = slice(9, 12)


class Connection:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("received", "sent_at", "socket", "target")

    def __init__(self, target: int, address: tuple[str, int]) -> None:
        self.target = target
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def answer(self) -> bytes | None:
        """The answer, head and body, when it is whole. Raises ConnectionError if the server hung up."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.received = data = self.received + data if self.received else data
        head_end = data.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        at = data.lower().find(b"content-length:", 0, head_end)
        length = int(data[at + 15 : data.find(b"\r", at)]) if at >= 0 else 0
        if len(data) < head_end + 4 + length:
            return None
        self.received = b""
        return data


class Load:
    """One run."""

    def __init__(self, job: dict[str, Any]) -> None:
        targets = [(host, int(port)) for host, port in job["targets"]]
        self.connections = [
            Connection(number % len(targets), targets[number % len(targets)])
            for number in range(job["connections"])
        ]
        self.answers = [Counter[str]() for _ in targets]
        self.latencies_s: list[float] = []
        self.refused = b""
        self._poll = select.epoll()
        self._by_number = {one.socket.fileno(): one for one in self.connections}
        for number in self._by_number:
            self._poll.register(number, select.EPOLLIN)
        self._number = int(job["first"])
        self._last = self._number + job["requests"] if job.get("requests") else None
        self._before, self._after = job["before"].encode(), job["after"].encode()
        length = len(self._before) + len(NUMBER % 0) + len(self._after)
        self._head = f"{job['head']}Content-Length: {length}\r\n\r\n".encode()
        self._seconds, self._rate = job.get("seconds") or GIVE_UP_S, job.get("rate") or 0
        self._under_way = 0

    def run(self) -> dict[str, Any]:
        began = time.perf_counter()
        (self._open if self._rate else self._closed)(began)
        took_s = time.perf_counter() - began
        latencies = sorted(self.latencies_s)
        return {
            "answers": [dict(counted) for counted in self.answers],
            "total": len(latencies),
            "seconds": took_s,
            "p50_ms": quantile(latencies, 0.5) * 1e3,
            "p99_ms": quantile(latencies, 0.99) * 1e3,
            "max_ms": latencies[-1] * 1e3,
            "refused": self.refused.decode(errors="replace"),
        }

    def _send(self, connection: Connection, counted_from: float) -> None:
        body = self._before + (NUMBER % self._number).encode() + self._after
        self._number += 1
        self._under_way += 1
        connection.sent_at = counted_from
        connection.socket.sendall(self._head + body)

    def _more(self, until: float) -> bool:
        return (self._last is None or self._number < self._last) and time.perf_counter() < until

    def _answered(self, timeout_s: float) -> list[Connection]:
        done = []
        for number, _ in self._poll.poll(timeout_s):
            connection = self._by_number[number]
            answer = connection.answer()
            if answer is None:
                continue
            status = answer[STATUS]
            self.latencies_s.append(time.perf_counter() - connection.sent_at)
            self.answers[connection.target][status.decode()] += 1
            if status[:1] != b"2":
                self.refused = answer
            self._under_way -= 1
            done.append(connection)
        return done

    def _closed(self, began: float) -> None:
        until = began + self._seconds
        for connection in self.connections:
            if self._more(until):
                self._send(connection, time.perf_counter())
        while self._under_way:
            answered = self._answered(GIVE_UP_S)
            if not answered and time.perf_counter() > until + GIVE_UP_S:
                raise SystemExit("no answer within the time")
            for connection in answered:
                if self._more(until):
                    self._send(connection, time.perf_counter())

    def _open(self, began: float) -> None:
        until, step, planned = began + self._seconds, 1 / self._rate, began
        free, late = deque(self.connections), deque[float]()
        while planned < until or late or self._under_way:
            now = time.perf_counter()
            while planned <= now and planned < until:
                late.append(planned)
                planned += step
            while late and free:
                self._send(free.popleft(), late.popleft())
            wait_s = planned - time.perf_counter() if planned < until else GIVE_UP_S
            free.extend(self._answered(max(0.0, min(wait_s, GIVE_UP_S))))
            if now > until + GIVE_UP_S:
                raise SystemExit("no answer within the time")


if __name__ == "__main__":
    run(lambda job: Load(job).run())
