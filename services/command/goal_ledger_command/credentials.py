"""What a caller shows: a person's token or an API key. Who that is in the workspace, the fold says (``shell.py``).

An API key is ``glk.<workspace>.<key id>.<32 random bytes, base64url>``; the facts hold the SHA-256 of the whole string.
The workspace in it only says where to look: a wrong key, an unknown id and an unknown workspace read alike.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass

from goal_ledger_domain.access import holder_of_key, person_of
from goal_ledger_domain.world import World
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.tokens import BadToken, TokenVerifier

KEY_SECRET_BYTES = 32
_KEY = re.compile(r"glk\.([a-z0-9-]{1,40})\.([A-Za-z0-9._-]{1,64})\.[A-Za-z0-9_-]{43}")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="goal-ledger"'}


@dataclass(frozen=True, slots=True)
class Person:
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
class Key:
    """An API key, not yet compared with the facts."""

    workspace: str
    key_id: str
    digest: str

    def actor(self, world: World) -> str | None:
        return holder_of_key(world, self.key_id, self.digest)

    def unknown(self) -> Problem:
        return unauthenticated("The API key is not valid.")


@dataclass(frozen=True, slots=True)
class Service:
    """A verified token of one of our own services."""

    name: str


Credential = Person | Key


def unauthenticated(sentence: str) -> Problem:
    return Problem(401, "unauthenticated", sentence, headers=_CHALLENGE)


def credential_of(authorization: str | None, verifier: TokenVerifier) -> Credential:
    """The person or key behind an ``Authorization`` header. Problem 401."""
    token = _bearer(authorization)
    if token.startswith("glk."):
        return _key(token)
    try:
        claims = verifier.verify(token)
    except BadToken as bad:
        raise unauthenticated(str(bad)) from None
    assert claims.workspace is not None
    return Person(claims.workspace, claims.issuer, claims.subject)


def service_of(authorization: str | None, verifier: TokenVerifier) -> Service | None:
    """The service behind the header; None if it is a person's token or an API key. Problem 401."""
    token = _bearer(authorization)
    if token.startswith("glk."):
        return None
    try:
        claims = verifier.verify(token, service=True)
    except BadToken as bad:
        raise unauthenticated(str(bad)) from None
    return Service(claims.subject) if claims.service else None


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise unauthenticated("The request carries no credential: Authorization: Bearer <token or API key>.")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("The credential is written Authorization: Bearer <token or API key>.")
    return token.strip()


def _key(token: str) -> Key:
    found = _KEY.fullmatch(token)
    if found is None:
        raise unauthenticated("The API key is not valid.")
    return Key(found[1], found[2], hashlib.sha256(token.encode()).hexdigest())


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
