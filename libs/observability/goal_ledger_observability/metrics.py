"""Metrics in the Prometheus form. Each process makes one registry and passes it down."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for how long something takes, in seconds."""


def new_registry(process: str) -> CollectorRegistry:
    """A registry with the Python process's own figures and ``goal_ledger_process_info{process=…}``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Info("goal_ledger_process", "Which process this is.", registry=registry).info({"process": process})
    return registry


COUNTED_METHODS = frozenset({"GET", "HEAD", "POST"})
OTHER = "other"


class HttpMetrics:
    """Requests by route template and method: how long, and how many of each status.

    Whatever is requested, the series are bounded: what no route answers is counted together, as ``other``. Children are
    kept, for looking them up costs more than counting.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "goal_ledger_http_request_seconds",
            "From the first byte of the request's head to the end of the answer.",
            ("method", "route"),
            buckets=SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "goal_ledger_http_requests",
            "Answered requests.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._children: dict[tuple[str, str, int], tuple[Histogram, Counter]] = {}

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """One answered request; ``route`` is the template, never the path (ids would be labels without end), None: of
        no route."""
        key = (method, route or OTHER, status)
        if route is None or status == 405 or method not in COUNTED_METHODS:
            key = (OTHER, OTHER, status)
        children = self._children.get(key)
        if children is None:
            children = (self._seconds.labels(*key[:2]), self._requests.labels(*key[:2], str(status)))
            self._children[key] = children
        children[0].observe(seconds)
        children[1].inc()


__all__ = ["SECONDS", "CollectorRegistry", "Counter", "Gauge", "Histogram", "HttpMetrics", "new_registry"]
