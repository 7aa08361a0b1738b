"""The client library's log, held to a readable measure: with a broker or topic away it writes thousands of lines a second."""

from __future__ import annotations

import logging
import time

EVERY_S = 10.0
REMEMBERED = 500


class _OncePerInterval(logging.Filter):
    def __init__(self, every_s: float) -> None:
        super().__init__()
        self._every_s = every_s
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        what = (record.name, str(record.msg))
        now = time.monotonic()
        if now - self._last.get(what, -self._every_s) < self._every_s:
            return False
        if len(self._last) >= REMEMBERED:
            self._last.clear()
        self._last[what] = now
        return True


def limit_client_noise(every_s: float = EVERY_S) -> None:
    """Each message (by its text before arguments) of aiokafka's loggers at most once in ``every_s`` seconds."""
    only_sometimes = _OncePerInterval(every_s)
    for name in (
        "aiokafka",
        "aiokafka.client",
        "aiokafka.cluster",
        "aiokafka.conn",
        "aiokafka.consumer.consumer",
        "aiokafka.consumer.fetcher",
        "aiokafka.consumer.group_coordinator",
        "aiokafka.consumer.subscription_state",
        "aiokafka.producer.producer",
        "aiokafka.producer.sender",
    ):
        logging.getLogger(name).addFilter(only_sometimes)
