"""The settings each of our processes gets in the local stack, under the names that they have everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from goal_ledger_local.credentials import AUDIENCE, ISSUER, SERVICE_ISSUER, Credentials
from goal_ledger_local.logins import DATABASES, PARTS, SERVICE_TOKEN_KEYS, TOKEN_KEYS, Addresses

NAMED = {
    "hmac-secret": "HMAC_SECRET_FILE",
    "master-key": "MASTER_KEY_FILE",
    "head-signing-key.pem": "HEAD_SIGNING_KEY_FILE",
    TOKEN_KEYS: "TOKEN_KEYS_FILE",
    SERVICE_TOKEN_KEYS: "SERVICE_TOKEN_KEYS_FILE",
    "pages-secret": "PAGES_SECRET_FILE",
}
"""The setting that names a file of the secrets' directory; a service's own token is SERVICE_TOKEN_FILE."""


@dataclass(frozen=True)
class Installation:
    """What the processes of one installation share; each is told its own databases, roles and secrets.

    `extra` overrides everything: settings under test.
    """

    addresses: Addresses
    kafka: str
    credentials: Credentials
    durable: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> str:
        """The address of the ledger database for the role that owns it."""
        return self._of_owner("ledger")

    @property
    def keys(self) -> str:
        """The same of the keys database."""
        return self._of_owner("keys")

    @property
    def read(self) -> str:
        """The same of the read database."""
        return self._of_owner("read")

    def command(self, ports: Sequence[int]) -> dict[str, str]:
        """Of `goal_ledger_command serve`: a public listener and an internal one."""
        return {**self._of("command"), **_listeners(ports), **self.extra}

    def relay(self, ports: Sequence[int]) -> dict[str, str]:
        """Of `goal_ledger_command relay`, which listens for health and metrics alone."""
        return {**self._of("relay"), **_listeners(ports), **self.extra}

    def projection(self, service: str, ports: Sequence[int], command_url: str) -> dict[str, str]:
        """Of `goal_ledger_projection worker`, of `changed` or `reconciler`, or of `query`: a public listener and an internal one."""
        told = {**self._of(service), "COMMAND_URL": command_url, **_listeners(ports)}
        if service == "query":
            told["PAGES_SIGN_INS_FILE"] = str(self.credentials.sign_ins_file)
        return {**told, **self.extra}

    def operator(self) -> dict[str, str]:
        """Of the operator's command line: the role and the secrets of the command process."""
        return {**self._of("command"), **self.extra}

    def command_migration(self) -> dict[str, str]:
        """Of the migration of ledger and keys: the roles that own them."""
        return {**self._of("migrate-command"), **self.extra}

    def projection_owner(self, command_url: str) -> dict[str, str]:
        """Of the migration of the read database, and of `rebuild`, `switch`, `drop`: the role that owns it."""
        return {**self._of("migrate-projection"), "COMMAND_URL": command_url, **self.extra}

    def _of(self, part: str) -> dict[str, str]:
        of = PARTS[part]
        databases = {
            f"{one.database.upper()}_DATABASE_URL": self.addresses.url(one.database, one.role)
            for one in of.logins
        }
        secrets = {
            NAMED.get(name, "SERVICE_TOKEN_FILE"): str(self.credentials.file(name)) for name in of.files
        }
        return {**self._shared(), **databases, **secrets}

    def _of_owner(self, database: str) -> str:
        return self.addresses.url(database, DATABASES[database])

    def _shared(self) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "HEADS_ORIGIN": "goal-ledger.local",
            "TOKEN_ISSUER": ISSUER,
            "TOKEN_AUDIENCE": AUDIENCE,
            "SERVICE_TOKEN_ISSUER": SERVICE_ISSUER,
            "LOCAL_MODE": "true",
            "ALLOW_UNSAFE_DURABILITY": "false" if self.durable else "true",
        }


def _listeners(ports: Sequence[int]) -> dict[str, str]:
    names = ("HTTP_PORT", "INTERNAL_HTTP_PORT")
    return {"HTTP_HOST": "127.0.0.1", **{name: str(port) for name, port in zip(names, ports, strict=False)}}
