"""The worker's metrics."""

from __future__ import annotations

import time

from goal_ledger_observability.metrics import SECONDS, CollectorRegistry, Counter, Gauge, Histogram


class Meters:
    """All begin with `goal_ledger_projection_`. Lag is measured against the command service's heads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = "goal_ledger_projection_"
        self.registry = registry
        self.facts = Counter(name + "facts", "Facts applied.", registry=registry)
        self.dropped = Counter(
            name + "dropped", "Records dropped: folded before, or left to the feed.", registry=registry
        )
        self.strangers = Counter(name + "strangers", "Records that are not the relay's.", registry=registry)
        self.apply_seconds = Histogram(
            name + "apply_seconds", "A batch, from lock to commit.", buckets=SECONDS, registry=registry
        )
        self.retries = Counter(name + "retries", "Attempts after a transient error.", registry=registry)
        self.parkings = Counter(name + "parkings", "Workspaces parked.", registry=registry)
        self.parked = Gauge(name + "parked", "Workspaces that stand still.", registry=registry)
        self.foreign = Counter(
            name + "foreign_records", "Records that do not continue their stream's chain.", registry=registry
        )
        self.heads_checked = Counter(
            name + "heads_checked", "Heads whose root was found to be that of the rows.", registry=registry
        )
        self.contradicted = Counter(
            name + "heads_contradicted", "Heads whose root was another: workspaces parked.", registry=registry
        )
        self.gaps = Counter(name + "gap", "Gaps met, each healed from the feed.", registry=registry)
        self.healing = Gauge(name + "healing", "Workspaces being healed.", registry=registry)
        self.healed = Counter(name + "healed_facts", "Facts taken from the feed.", registry=registry)
        self.store_behind = Gauge(
            name + "store_behind_reader", "Workspaces folded beyond the store's head.", registry=registry
        )
        self.lag = Gauge(name + "lag_facts", "Facts not folded yet, over all workspaces.", registry=registry)
        self.lag_max = Gauge(
            name + "lag_facts_max", "The same of the workspace furthest behind.", registry=registry
        )
        self.behind = Gauge(name + "behind_workspaces", "Workspaces not at their head.", registry=registry)
        self.heads_age = Gauge(
            name + "heads_age_seconds", "Since the heads were last read.", registry=registry
        )
        self._heads_at = time.monotonic()
        self.heads_age.set_function(lambda: time.monotonic() - self._heads_at)
        self._polled_at = time.monotonic()
        polled = Gauge(name + "seconds_since_poll", "Since Kafka last gave records.", registry=registry)
        polled.set_function(lambda: time.monotonic() - self._polled_at)

    def polled(self) -> None:
        """Kafka gave records."""
        self._polled_at = time.monotonic()

    def heads_read(self) -> None:
        """The heads were read."""
        self._heads_at = time.monotonic()
