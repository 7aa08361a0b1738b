"""The settings each of our processes gets in the local stack, under the names that they have everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from goal_ledger_local.credentials import AUDIENCE, ISSUER, SERVICE_ISSUER, Credentials


@dataclass(frozen=True)
class Installation:
    """What the processes of one installation share. Addresses of databases are plain postgresql:// ones.

    `extra` overrides everything: settings under test.
    """

    ledger: str
    keys: str
    read: str
    kafka: str
    credentials: Credentials
    durable: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)

    def command(self, ports: Sequence[int]) -> dict[str, str]:
        """Of `goal_ledger_command serve`: a public listener and an internal one."""
        return {**self.operator(), **_listeners(ports), **self.extra}

    def relay(self, ports: Sequence[int], command_url: str) -> dict[str, str]:
        """Of `goal_ledger_command relay`, which listens for health and metrics alone."""
        return {**self.operator(), **_listeners(ports), **self._towards(command_url, "relay"), **self.extra}

    def projection(self, service: str, ports: Sequence[int], command_url: str) -> dict[str, str]:
        """Of `goal_ledger_projection worker`, or of `query`: a public listener and an internal one."""
        towards = {**self._towards(command_url, service), **self._pages()}
        return {**self.projection_migration(), **_listeners(ports), **towards, **self.extra}

    def operator(self) -> dict[str, str]:
        """Of the operator's command line and of the migration of ledger and keys."""
        secret = self.credentials
        return {
            **self._shared(),
            "LEDGER_DATABASE_URL": self.ledger,
            "KEYS_DATABASE_URL": self.keys,
            "HMAC_SECRET_FILE": str(secret.hmac_secret_file),
            "MASTER_KEY_FILE": str(secret.master_key_file),
            "HEAD_SIGNING_KEY_FILE": str(secret.head_signing_key_file),
            **self.extra,
        }

    def projection_migration(self) -> dict[str, str]:
        """Of the migration of the read database."""
        return {**self._shared(), "READ_DATABASE_URL": self.read, **self.extra}

    def _shared(self) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "HEADS_ORIGIN": "goal-ledger.local",
            "TOKEN_ISSUER": ISSUER,
            "TOKEN_AUDIENCE": AUDIENCE,
            "TOKEN_KEYS_FILE": str(self.credentials.token_keys_file),
            "SERVICE_TOKEN_ISSUER": SERVICE_ISSUER,
            "SERVICE_TOKEN_KEYS_FILE": str(self.credentials.service_token_keys_file),
            "LOCAL_MODE": "true",
            "ALLOW_UNSAFE_DURABILITY": "false" if self.durable else "true",
        }

    def _pages(self) -> dict[str, str]:
        secret = self.credentials
        return {
            "PAGES_SECRET_FILE": str(secret.pages_secret_file),
            "PAGES_SIGN_INS_FILE": str(secret.sign_ins_file),
        }

    def _towards(self, command_url: str, service: str) -> dict[str, str]:
        token = self.credentials.service_token_file(service)
        return {"COMMAND_URL": command_url, "SERVICE_TOKEN_FILE": str(token)}


def _listeners(ports: Sequence[int]) -> dict[str, str]:
    names = ("HTTP_PORT", "INTERNAL_HTTP_PORT")
    return {"HTTP_HOST": "127.0.0.1", **{name: str(port) for name, port in zip(names, ports, strict=False)}}
