"""The settings of the projection service: plain environment names, no prefix."""

from __future__ import annotations

from pathlib import Path

from goal_ledger_database.sessions import SessionLimits
from goal_ledger_edge.settings import ListenerSettings
from goal_ledger_messaging.security import ClusterSettings
from goal_ledger_messaging.topics import FACTS
from pydantic import Field


class DatabaseSettings(ListenerSettings):
    """What every process of the service needs."""

    read_database_url: str
    """Plain `postgresql://user:password@host:port/database`."""
    database_idle_in_transaction_ms: int = 5_000
    database_lock_timeout_ms: int = 2_000
    database_statement_timeout_ms: int = 20_000
    clock_skew_max_seconds: float = 5.0
    """Beyond it the process says so, loudly; the read side writes no times of its own."""
    allow_unsafe_durability: bool = False
    log_level: str = "INFO"

    @property
    def database_limits(self) -> SessionLimits:
        """Of every session on the read database."""
        return SessionLimits(
            self.database_idle_in_transaction_ms,
            self.database_lock_timeout_ms,
            self.database_statement_timeout_ms,
        )


class SnapshotSettings(DatabaseSettings):
    """What a process needs that asks the read side how goals stand."""

    min_connections: int = Field(2, ge=1)
    max_connections: int = Field(8, ge=2)


class WorkerSettings(ClusterSettings, DatabaseSettings):
    command_url: str
    """The command service's internal address."""
    service_token_file: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int = 8080

    facts_topic: str = FACTS
    consumer_group: str = "goal-ledger-projection"
    batch_records: int = Field(1000, ge=1)
    batch_timeout_ms: int = Field(10, ge=1)
    """How long a poll waits for records; an idle consumer sees a new one after at most twice this."""
    lanes: int = Field(2, ge=1)
    """Transactions under way at once; a partition always goes to the same lane."""
    transaction_records: int = Field(2000, ge=1)
    """Batches that wait for the database are taken together up to about this many records."""
    rebuild_records: int = Field(4000, ge=1)
    """The same in a rebuild."""
    waiting_batches: int = Field(2, ge=1)
    cached_definitions: int = 2_000
    """Latest definitions kept in memory over all workspaces."""

    heads_poll_s: float = 5.0
    heads_overlap_s: float = 60.0
    all_heads_every_s: float = 600.0
    behind_before_heal_s: float = 10.0
    behind_elsewhere_before_heal_s: float = 60.0
    """The same for a workspace whose partition another worker should have."""
    heal_page_facts: int = Field(1000, ge=1, le=5000)
    heal_workspaces_at_once: int = 4
    command_timeout_s: float = 10.0
    retry_first_pause_s: float = 0.1
    retry_longest_pause_s: float = 5.0
    drain_s: float = 20.0


class ReconcilerSettings(WorkerSettings):
    rest_s: float = Field(15.0, ge=0)
    """Between two passes, at least."""
    rest_passes: float = Field(3.0, ge=0)
    """And so many times as long as the pass took: the share of a processor that large logs cost."""
