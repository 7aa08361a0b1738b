"""What a caller shows: a person's token or an API key. Who that is in the workspace, the fold says (``shell.py``)."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass

from goal_ledger_domain.access import holder_of_key, person_of
from goal_ledger_domain.world import World
from goal_ledger_edge.credentials import ApiKey, shown, unauthenticated
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.tokens import TokenVerifier

KEY_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class PersonToken:
    """A verified token of a person."""

    workspace: str
    issuer: str
    subject: str

    def actor(self, world: World) -> str | None:
        return person_of(world, self.issuer, self.subject)

    def unknown(self) -> Problem:
        return Problem(
            403, "identity_not_linked", "The workspace that the token names has not linked this identity."
        )


@dataclass(frozen=True, slots=True)
class KeyShown:
    """An API key, not yet compared with the facts."""

    workspace: str
    key_id: str
    digest: str

    def actor(self, world: World) -> str | None:
        return holder_of_key(world, self.key_id, self.digest)

    def unknown(self) -> Problem:
        return unauthenticated()


@dataclass(frozen=True, slots=True)
class Service:
    """A verified token of one of our own services."""

    name: str


Credential = PersonToken | KeyShown


async def credential_of(
    authorization: str | None, verifier: TokenVerifier, *, service: bool = False
) -> Credential | Service:
    """The person or key behind an ``Authorization`` header; or the service, where its token is accepted. Problem 401."""
    found = await shown(authorization, verifier, service=service)
    if isinstance(found, ApiKey):
        return KeyShown(found.workspace, found.key_id, found.digest)
    if found.service:
        return Service(found.subject)
    assert found.workspace is not None
    return PersonToken(found.workspace, found.issuer, found.subject)


class KeyMaker:
    """Makes an API key of ``workspace``; ``key`` holds it for the one answer that shows it."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self.key: str | None = None

    def digest_of_new(self, key_id: str) -> str:
        """SHA-256 in hex of a new key with this id."""
        secret = base64.urlsafe_b64encode(os.urandom(KEY_SECRET_BYTES)).rstrip(b"=").decode()
        self.key = f"glk.{self._workspace}.{key_id}.{secret}"
        return hashlib.sha256(self.key.encode()).hexdigest()
