"""The settings of the query process: plain environment names, no prefix."""

from __future__ import annotations

from pathlib import Path

from goal_ledger_edge.settings import TokenSettings
from pydantic import Field

from goal_ledger_projection.settings import SnapshotSettings


class QuerySettings(SnapshotSettings, TokenSettings):
    command_url: str | None = None
    """The command service's internal address: text keys and heads. None: texts stay sealed."""
    service_token_file: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    internal_http_port: int = 8082
    """Health and metrics, for those who run it."""

    local_mode: bool = False
    pages_secret_file: Path | None = None
    """What the cookie of a signed-in person is sealed with: the same for all query processes. None: one that this
    process makes, so that its end ends all sessions."""
    pages_sign_ins_file: Path | None = None
    """In local mode: the demo people whom one click signs in, with their tokens."""

    database_idle_in_transaction_ms: int = 15_000
    """A question holds a snapshot while it is answered, and no lock."""
    wait_poll_ms: int = Field(5, ge=1)
    """How often positions are looked at while a request waits for one."""
    now_granularity_s: int = Field(10, ge=1)
    """"Now" is the beginning of so many seconds, or the last fact's `recorded_at` if that is later: answers within
    them are the same bytes, so that they can be cached."""
    known_at_age_s: int = 10
    """A `known_at` given as a time is at least so old."""
    cached_definitions: int = 60_000
    """Definitions of objectives kept in memory over all workspaces; a definition never changes."""
    cached_contexts: int = 50
    """Workspaces whose units, cycles, policies, moments, feeds and links are kept in memory."""
    cached_trees: int = 3
    """Whole trees kept, with their scores."""
    cached_bodies_bytes: int = 64 * 1024 * 1024
    text_keys_timeout_s: float = 2.0
    text_keys_pause_s: float = 1.0
    """After the command service was out of reach, texts stay sealed for so long before it is asked again."""
    event_heartbeat_s: float = Field(15.0, gt=0)
    """A listener to events hears so often that the stream is alive."""
    drain_seconds: int = 20
