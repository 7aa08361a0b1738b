"""Who asks, and what they may see (SPEC 11).

The workspace comes from the credential. Roles come from the newest access facts that the read side has seen, whatever
clocks or token the question has. Nobody signs in who left the organisation or is shredded, nor with an identity that was
unlinked. A linked person sees all goals, with or without a role; a system is an *emitter* from its registration on, and
needs another role for more than its own feeds.

The table of permissions is the command service's too, which asks it on a fold of its own.
"""

from __future__ import annotations

import hmac
import json
import time
from dataclasses import dataclass

from goal_ledger_contracts.permission import OF_EVERY_PERSON, Permission, ways
from goal_ledger_edge.credentials import ApiKey, Credential, unknown
from goal_ledger_edge.problems import Problem

from goal_ledger_projection.history.snapshots import Asker, Holding

EMITTER = "emitter"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and their roles. `holder` is `person/<id>` or `system/<id>`."""

    workspace: str
    holder: str
    roles: frozenset[str]

    @property
    def is_person(self) -> bool:
        return self.holder.startswith("person/")

    @property
    def own_feeds_only(self) -> bool:
        """It sees the feeds of its own system, and no others."""
        return not self.is_person and not self.roles - {EMITTER}

    @property
    def system(self) -> str:
        return self.holder.removeprefix("system/")

    def may(self, wanted: Permission) -> bool:
        """Whether the roles allow it, on some target at least."""
        return (self.is_person and wanted in OF_EVERY_PERSON) or bool(ways(wanted, self.roles))

    def must(self, wanted: Permission) -> None:
        """Problem 403 unless the roles allow it."""
        if not self.may(wanted):
            raise Problem(403, "not_allowed", f"Your roles do not include {wanted.value}.")


SIGNED_IN_FOR_S = 1.0
SIGNED_IN_REMEMBERED = 10_000


class SignedIn:
    """Who was known a moment ago, so that a question costs one look at who asks, not two."""

    def __init__(self) -> None:
        self._until: dict[Credential, tuple[float, str]] = {}

    def get(self, credential: Credential) -> str | None:
        """The holder; None: it has to be looked up."""
        until, holder = self._until.get(credential, (0.0, None))
        return holder if time.monotonic() < until else None

    def keep(self, credential: Credential, holder: str) -> None:
        if len(self._until) >= SIGNED_IN_REMEMBERED:
            self._until.clear()
        self._until[credential] = (time.monotonic() + SIGNED_IN_FOR_S, holder)


def asker_of(credential: Credential, context_seq: int | None = None) -> Asker:
    """Under which definition the read side finds who that is."""
    if isinstance(credential, ApiKey):
        return Asker(credential.workspace, "key", credential.key_id, context_seq)
    return Asker(credential.workspace, "identity", f"{credential.issuer} {credential.subject}", context_seq)


def reader_of(credential: Credential, holding: Holding) -> Reader:
    """Who that is in the workspace. Problems 401, 403."""
    body = None if holding.credential is None or holding.is_gone else json.loads(holding.credential)
    if isinstance(credential, ApiKey):
        good = (
            body is not None
            and not body["revoked"]
            and hmac.compare_digest(body["digest"], credential.digest)
        )
        if not good:
            raise unknown(credential)
    if body is None or body["holder"] is None:
        raise unknown(credential)
    if holding.is_retired:
        raise Problem(403, "not_allowed", "The system is retired.")
    roles = set(json.loads(holding.access)["roles"]) if holding.access else set()
    if body["holder"].startswith("system/"):
        roles.add(EMITTER)
    return Reader(credential.workspace, body["holder"], frozenset(roles))
