"""What the relay shows of itself."""

from __future__ import annotations

from goal_ledger_observability.metrics import CollectorRegistry, Counter, Gauge


class RelayMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.active = Gauge(
            "goal_ledger_relay_active", "1 while this relay has the lease.", registry=registry
        )
        self.facts = Counter("goal_ledger_relay_facts", "Facts acknowledged by Kafka.", registry=registry)
        self.receipts = Counter("goal_ledger_relay_receipts", "Receipts acknowledged.", registry=registry)
        self.unsent = Gauge(
            "goal_ledger_relay_unsent_answers",
            "Answers that Kafka refuses: kept, and tried again.",
            registry=registry,
        )
        self.heads = Counter("goal_ledger_relay_heads", "Tree heads signed and published.", registry=registry)
        self.failures = Counter(
            "goal_ledger_relay_failures", "Lives that ended by an error.", ("part",), registry=registry
        )
        self.topic_lost = Counter(
            "goal_ledger_relay_topic_lost", "Times that ledger.facts was found lost.", registry=registry
        )
        self.blocked = Gauge(
            "goal_ledger_relay_blocked_workspaces",
            "Workspaces not published: the store is behind what Kafka holds.",
            registry=registry,
        )
        self.foreign = Counter(
            "goal_ledger_relay_foreign_records",
            "Records in Kafka beyond a head that do not continue it.",
            registry=registry,
        )
        self.witness_answers = Counter(
            "goal_ledger_witness_answers",
            "What witnesses said to heads that were handed to them.",
            ("witness", "outcome"),
            registry=registry,
        )
        self.without_quorum = Counter(
            "goal_ledger_heads_without_quorum",
            "Heads shown although too few witnesses had cosigned them.",
            registry=registry,
        )
        self.witnessed_more = Gauge(
            "goal_ledger_witnessed_more_workspaces",
            "Workspaces of which a witness has seen more facts than the store holds: writing is stopped.",
            registry=registry,
        )
        self.forked = Gauge(
            "goal_ledger_log_forked_workspaces",
            "Workspaces of which a witness has seen another log: writing is stopped.",
            registry=registry,
        )
        self.lag_seen = Gauge(
            "goal_ledger_relay_caught_up_timestamp_seconds",
            "When nothing was left to publish the last time.",
            registry=registry,
        )
