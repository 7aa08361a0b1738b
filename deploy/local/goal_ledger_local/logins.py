"""The roles of an installation's databases: who owns each, who enters it, and what each process may read of the secrets.

The same with containers (`docker-compose.yml`, `handing_out`) and on one machine (`settings`): a process is a role of
its own in a database, with the rights that the migrations grant it, and is told the secrets it needs and no others.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

ADMIN = "postgres"


@dataclass(frozen=True)
class Login:
    """A role of one database. `host`: with containers; on one machine there is one server."""

    host: str
    database: str
    role: str


OF_COMMAND = (Login("postgres", "ledger", "command"), Login("postgres-keys", "keys", "command"))
OWNERS = (Login("postgres", "ledger", "ledger_owner"), Login("postgres-keys", "keys", "keys_owner"))
OF_RELAY = Login("postgres", "ledger", "relay")
OWNER_OF_READ = Login("postgres-read", "read", "read_owner")
OF_WORKER = Login("postgres-read", "read", "worker")
OF_QUERY = Login("postgres-read", "read", "query")
OF_CHANGED = Login("postgres-read", "read", "changed")
OF_RECONCILER = Login("postgres-read", "read", "reconciler")
LOGINS = (*OF_COMMAND, *OWNERS, OF_RELAY, OWNER_OF_READ, OF_WORKER, OF_QUERY, OF_CHANGED, OF_RECONCILER)
DATABASES: Mapping[str, str] = {one.database: one.role for one in (*OWNERS, OWNER_OF_READ)}
"""By database, the role that owns it: it migrates, rebuilds, switches and drops."""

TOKEN_KEYS, SERVICE_TOKEN_KEYS = "token-keys.json", "service-token-keys.json"


@dataclass(frozen=True)
class Part:
    """What one process may read: `files` of the secrets' directory."""

    logins: tuple[Login, ...] = ()
    files: tuple[str, ...] = ()


PARTS: Mapping[str, Part] = {
    "command": Part(
        OF_COMMAND,
        ("hmac-secret", "master-key", "head-signing-key.pem", TOKEN_KEYS, SERVICE_TOKEN_KEYS),
    ),
    "relay": Part((OF_RELAY,), ("head-signing-key.pem",)),
    "worker": Part((OF_WORKER,), ("service-token-worker",)),
    "changed": Part((OF_CHANGED,)),
    "query": Part((OF_QUERY,), ("service-token-query", TOKEN_KEYS, "pages-secret")),
    "reconciler": Part((OF_RECONCILER,), ("service-token-reconciler",)),
    "migrate-command": Part(OWNERS),
    "migrate-projection": Part((OWNER_OF_READ,), ("service-token-reconciler",)),
}


def entering(database: str) -> list[str]:
    """The roles that enter a database beside its owner."""
    return sorted({one.role for one in LOGINS if one.database == database} - {DATABASES[database]})


@dataclass(frozen=True)
class Addresses:
    """Of one server on this machine, by database and role. A role's password is derived from the superuser's."""

    port: int
    password: str = field(repr=False)

    def url(self, database: str, role: str) -> str:
        """`postgresql://role:password@127.0.0.1:port/database`."""
        return f"postgresql://{role}:{self.password_of(role)}@127.0.0.1:{self.port}/{database}"

    def password_of(self, role: str) -> str:
        if role == ADMIN:
            return self.password
        return hmac.new(self.password.encode(), role.encode(), hashlib.sha256).hexdigest()
