"""The settings of the process that tells `goals.changed`: plain environment names, no prefix."""

from __future__ import annotations

from goal_ledger_messaging.security import ClusterSettings
from goal_ledger_messaging.topics import CHANGED
from pydantic import Field

from goal_ledger_projection.settings import SnapshotSettings


class ChangedSettings(ClusterSettings, SnapshotSettings):
    http_host: str = "127.0.0.1"
    http_port: int = 8080

    changed_topic: str = CHANGED
    database_idle_in_transaction_ms: int = 15_000
    """A step is derived on one snapshot, which holds no lock."""
    step_facts: int = Field(200, ge=1)
    """At most so many facts are derived on one snapshot, and told before the next."""
    look_at_time_every_s: int = Field(60, ge=1)
    """Whether time alone changed an answer is looked at on the whole multiples of this."""
    look_behind_s: float = Field(10.0, ge=0)
    """… and so long after them: what was recorded before them is folded by then."""
    cached_definitions: int = 60_000
    cached_contexts: int = 50
    retry_first_pause_s: float = 0.1
    retry_longest_pause_s: float = 5.0
    held_s: float = 60.0
    """A workspace that cannot be derived is left alone for so long, then tried again."""
