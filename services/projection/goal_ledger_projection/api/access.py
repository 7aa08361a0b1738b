"""Who asks, and what they may see (SPEC 11).

The workspace comes from the credential. Roles come from the newest access facts that the read side has seen, whatever
clocks or token the question has. Nobody signs in who left the organisation or is shredded, nor with an identity that was
unlinked. A linked person sees all goals, with or without a role; a system is an *emitter* from its registration on, and
needs another role for more than its own feeds.

The command service decides the same on its own fold (`goal_ledger_domain.authorise`), which is not imported here: the
read side knows facts, not decisions.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from enum import Enum

from goal_ledger_edge.problems import Problem
from goal_ledger_edge.tokens import BadToken, TokenVerifier
from starlette.requests import Request

from goal_ledger_projection.api.database import Holding

_KEY = re.compile(r"glk\.([a-z0-9-]{1,40})\.([A-Za-z0-9._-]{1,64})\.[A-Za-z0-9_-]{43}")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="goal-ledger"'}
EMITTER = "emitter"
ROLES = (EMITTER, "contributor", "owner", "admin", "importer", "analyst", "auditor")
"""Those that are facts."""
FACT_READERS = frozenset({"analyst", "auditor", "admin"})


class May(Enum):
    """What a route asks for."""

    READ_GOALS = "goals.read"
    READ_FEEDS = "feeds.read"
    READ_FACTS = "facts.read"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the request shows: an identity (a verified token) or an API key, not yet compared with the facts."""

    workspace: str
    kind: str
    id: str
    digest: str | None = None


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

    def may(self, wanted: May) -> bool:
        """Whether the roles allow it."""
        if wanted is May.READ_FACTS:
            return bool(self.roles & FACT_READERS)
        if wanted is May.READ_FEEDS:
            return True
        return not self.own_feeds_only


def credential_of(request: Request, verifier: TokenVerifier) -> Credential:
    """The credential in the header `Authorization`. Problem 401."""
    token = _bearer(request.headers.get("authorization"))
    if token.startswith("glk."):
        found = _KEY.fullmatch(token)
        if found is None:
            raise _unauthenticated("The API key is not valid.")
        return Credential(found[1], "key", found[2], hashlib.sha256(token.encode()).hexdigest())
    try:
        claims = verifier.verify(token)
    except BadToken as bad:
        raise _unauthenticated(str(bad)) from None
    assert claims.workspace is not None
    return Credential(claims.workspace, "identity", f"{claims.issuer} {claims.subject}")


def reader_of(credential: Credential, holding: Holding, wanted: May) -> Reader:
    """Who that is in the workspace. Problems 401, 403."""
    body = None if holding.credential is None or holding.is_gone else json.loads(holding.credential)
    if credential.digest is not None:
        good = (
            body is not None
            and not body["revoked"]
            and hmac.compare_digest(body["digest"], credential.digest)
        )
        if not good:
            raise _unauthenticated("The API key is not valid.")
    if body is None or body["holder"] is None:
        sentence = "The workspace that the token names has not linked this identity."
        raise Problem(403, "identity_not_linked", sentence)
    if holding.is_retired:
        raise Problem(403, "not_allowed", "The system is retired.")
    roles = set(json.loads(holding.access)["roles"]) if holding.access else set()
    if body["holder"].startswith("system/"):
        roles.add(EMITTER)
    reader = Reader(credential.workspace, body["holder"], frozenset(roles))
    if not reader.may(wanted):
        raise Problem(403, "not_allowed", f"Your roles do not include {wanted.value}.")
    return reader


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise _unauthenticated("The request carries no credential: Authorization: Bearer <token or API key>.")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthenticated("The credential is written Authorization: Bearer <token or API key>.")
    return token.strip()


def _unauthenticated(sentence: str) -> Problem:
    return Problem(401, "unauthenticated", sentence, headers=_CHALLENGE)
