"""What a process sees of its databases, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric

from goal_ledger_database.pulse import Pulse


class PulseMetrics:
    """``goal_ledger_database_answers`` and ``goal_ledger_clock_skew_seconds``, by database."""

    def __init__(self, registry: CollectorRegistry, *pulses: Pulse) -> None:
        self._pulses = pulses
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        answers = GaugeMetricFamily(
            "goal_ledger_database_answers", "1: the database answers this process.", labels=("database",)
        )
        skew = GaugeMetricFamily(
            "goal_ledger_clock_skew_seconds",
            "How far this process's clock is ahead of the database's.",
            labels=("database",),
        )
        for pulse in self._pulses:
            answers.add_metric((pulse.name,), float(pulse.silent_because is None))
            skew.add_metric((pulse.name,), pulse.skew_s)
        yield from (answers, skew)
