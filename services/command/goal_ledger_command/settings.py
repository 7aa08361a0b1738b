"""Everything that can be set, from the environment: plain names, no prefix.

Limits are named with their unit. Secrets come from files, never from the environment itself.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from goal_ledger_contracts.witness_policy import WitnessPolicy, parse_policy
from goal_ledger_database.sessions import SessionLimits
from goal_ledger_edge.settings import ListenerSettings, TokenSettings
from goal_ledger_ledger.checkpoint import load_ml_dsa_44_key, load_signing_key
from goal_ledger_messaging.security import ClusterSettings
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MigrationSettings(BaseSettings):
    """Of the migrations: the two databases, as roles that own what is in them."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    ledger_database_url: str = Field(description="postgresql://user:password@host:port/ledger")
    keys_database_url: str = Field(description="The text keys' own database, never restored with the facts")


class RelaySettings(ClusterSettings, ListenerSettings):
    """Of the relay: neither text keys nor the secrets that commands need."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    ledger_database_url: str = Field(description="postgresql://user:password@host:port/ledger")
    kafka_bootstrap_servers: str = "127.0.0.1:9092"

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, description="API; of the relay: health and metrics")

    head_signing_key_file: Path | None = Field(default=None, description="Ed25519 private key, PEM PKCS8")
    head_signing_key_ml_dsa_44_file: Path | None = Field(
        default=None, description="ML-DSA-44 private key, PEM PKCS8: signs heads too"
    )
    heads_origin: str = "goal-ledger.local"
    witness_policy_file: Path | None = Field(
        default=None, description="Witnesses of signed heads, and quorum"
    )

    database_idle_in_transaction_ms: int = 5_000
    database_lock_timeout_ms: int = 2_000
    database_statement_timeout_ms: int = 25_000
    clock_skew_max_seconds: float = 5.0

    allow_unsafe_durability: bool = False
    log_level: str = "INFO"
    drain_seconds: int = 20

    @property
    def database_limits(self) -> SessionLimits:
        """Of every session on the two databases."""
        return SessionLimits(
            self.database_idle_in_transaction_ms,
            self.database_lock_timeout_ms,
            self.database_statement_timeout_ms,
        )

    def signing_key(self) -> Ed25519PrivateKey | None:
        """Of heads; None: none are signed. Raises SystemExit if the file cannot be read."""
        if self.head_signing_key_file is None:
            return None
        try:
            return load_signing_key(self.head_signing_key_file.read_bytes())
        except (OSError, ValueError) as wrong:
            raise SystemExit(f"the head signing key cannot be read: {wrong}") from None

    def ml_dsa_44_key(self) -> MLDSA44PrivateKey | None:
        """Of heads, beside the other; None: that signs alone. Raises SystemExit if it cannot be read, or stands alone."""
        if self.head_signing_key_ml_dsa_44_file is None:
            return None
        if self.head_signing_key_file is None:
            raise SystemExit(
                "HEAD_SIGNING_KEY_ML_DSA_44_FILE needs HEAD_SIGNING_KEY_FILE: it signs beside it"
            )
        try:
            return load_ml_dsa_44_key(self.head_signing_key_ml_dsa_44_file.read_bytes())
        except (OSError, ValueError) as wrong:
            raise SystemExit(f"the head signing key cannot be read: {wrong}") from None

    def witness_policy(self) -> WitnessPolicy:
        """Raises SystemExit if the file cannot be read, or there are witnesses and no key to sign heads with."""
        if self.witness_policy_file is None:
            return WitnessPolicy()
        if self.head_signing_key_file is None:
            raise SystemExit("WITNESS_POLICY_FILE needs HEAD_SIGNING_KEY_FILE: witnesses cosign signed heads")
        try:
            return parse_policy(self.witness_policy_file.read_text())
        except (OSError, ValueError) as wrong:
            raise SystemExit(f"{self.witness_policy_file}: {wrong}") from None


class Settings(RelaySettings, TokenSettings):
    """Of API and intake, and of the operator's command line."""

    keys_database_url: str = Field(description="The text keys' own database, never restored with the facts")

    internal_http_port: int = Field(default=8081, description="The same API and the service routes")

    hmac_secret_file: Path = Field(description="32 bytes in hex: idempotency keys; never changed")
    master_key_file: Path = Field(description="32 bytes in hex: seals the text keys")

    service_token_issuer: str = "https://local.goal-ledger.invalid/services"
    service_token_keys_file: Path | None = Field(default=None, description="JWKS of our own services")

    local_mode: bool = False

    max_command_bytes: int = 512 * 1024
    max_batch_bytes: int = 8 * 1024 * 1024
    max_batch_items: int = 10_000


def secret_of(path: Path) -> bytes:
    """32 bytes written in hex. Raises SystemExit with one line that says what is wrong with the file."""
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as wrong:
        raise SystemExit(f"{path}: not a secret of 32 bytes in hex ({wrong})") from None
    if len(secret) != 32:
        raise SystemExit(f"{path}: {len(secret)} bytes; 32 are needed")
    return secret
