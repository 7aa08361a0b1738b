"""What the append has done since the process started, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from goal_ledger_ledger.append import Counts
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_observability.metrics import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from goal_ledger_command.witnesses.submitting import BEHIND, FORKED
from goal_ledger_command.write_gate import StoreBehindKafkaGate


class LedgerMetrics:
    """Reads the ledger's own counts when asked, so that counting costs the append nothing."""

    def __init__(self, ledger: Ledger, registry: CollectorRegistry) -> None:
        self._ledger = ledger
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        for one in fields(Counts):
            name = f"goal_ledger_append_{one.name}"
            described = f"{one.name.replace('_', ' ').capitalize()} since the process started."
            yield CounterMetricFamily(name, described, value=getattr(self._ledger.counts, one.name))
        waiting = "Commands in line, of all workspaces."
        yield GaugeMetricFamily("goal_ledger_append_waiting", waiting, value=self._ledger.waiting)
        stopped = "Workspaces (or all: 1) whose writes are refused with store_behind_log."
        yield GaugeMetricFamily("goal_ledger_append_stopped", stopped, value=len(self._ledger.stopped))


class WriteGateMetrics:
    """What the write gate has seen of Kafka; likewise read when asked."""

    def __init__(self, gate: StoreBehindKafkaGate, registry: CollectorRegistry) -> None:
        self._gate = gate
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        name, foreign = (
            "goal_ledger_foreign_records",
            "Records in Kafka beyond a head that do not continue it.",
        )
        yield CounterMetricFamily(name, foreign, value=self._gate.foreign_records)
        stopped = list(self._gate.witnesses.stopped.values())
        yield GaugeMetricFamily(
            "goal_ledger_log_forked_workspaces",
            "Workspaces of which a witness has seen another log: writing is stopped.",
            value=stopped.count(FORKED),
        )
        yield GaugeMetricFamily(
            "goal_ledger_witnessed_more_workspaces",
            "Workspaces of which a witness has seen more facts than the store holds: writing is stopped.",
            value=stopped.count(BEHIND),
        )
        yield GaugeMetricFamily(
            "goal_ledger_witness_questions_open",
            "Questions to witnesses, asked at the start, that have no answer yet.",
            value=self._gate.witnesses.not_asked,
        )
