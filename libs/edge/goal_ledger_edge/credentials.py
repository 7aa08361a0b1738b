"""What a caller shows in the header ``Authorization``: an API key, or a token; and the one 401 of all that does not count.

An API key is ``glk.<workspace>.<key id>.<32 random bytes, base64url>``; the facts hold the SHA-256 of the whole string. The
workspace in it only says where to look: a wrong key, an unknown id, an unknown workspace, a made-up token and no credential
at all read alike.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from starlette.types import Scope

from goal_ledger_edge.problems import Problem
from goal_ledger_edge.tokens import BadToken, Claims, DoesNotHold, NoKeys, TokenVerifier

_KEY = re.compile(r"glk\.([a-z0-9-]{1,40})\.([A-Za-z0-9._-]{1,64})\.[A-Za-z0-9_-]{43}")
_NONE_THAT_COUNTS = "The request carries no credential that counts: Authorization: Bearer <token or API key>."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A well-formed API key, not yet compared with the facts. ``digest``: SHA-256 in hex."""

    workspace: str
    key_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class PersonToken:
    """A verified token of a person. Who that is in the workspace, the facts say."""

    workspace: str
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Service:
    """A verified token of one of our own services."""

    name: str


Credential = PersonToken | ApiKey


def unknown(credential: Credential) -> Problem:
    """What is said to who shows a credential that no fact names: 403 to the holder of a verified token, else 401."""
    if isinstance(credential, ApiKey):
        return unauthenticated()
    return Problem(
        403, "identity_not_linked", "The workspace that the token names has not linked this identity."
    )


def unauthenticated(sentence: str = _NONE_THAT_COUNTS) -> Problem:
    """The 401. A sentence of its own only for who holds a token that was truly issued for us."""
    headers = {"WWW-Authenticate": 'Bearer realm="goal-ledger"'}
    return Problem(401, "unauthenticated", sentence, headers=headers)


def authorization_of(scope: Scope) -> str | None:
    """The header. Sent twice it is one of both values, as RFC 9110 reads it: no credential that counts."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    return b", ".join(found).decode("latin-1") if found else None


async def credential_of(authorization: str | None, verifier: TokenVerifier) -> Credential:
    """The person or key behind the header. Problems 401, 503."""
    found = await _shown(authorization, verifier, service=False)
    assert not isinstance(found, Service), "a token of ours, where none counts"
    return found


async def credential_or_service(authorization: str | None, verifier: TokenVerifier) -> Credential | Service:
    """As :func:`credential_of`; a token of our own services counts too."""
    return await _shown(authorization, verifier, service=True)


async def _shown(
    authorization: str | None, verifier: TokenVerifier, *, service: bool
) -> Credential | Service:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated()
    if token.startswith("glk."):
        return _key(token)
    try:
        return _holder(await verifier.verify(token, service=service))
    except DoesNotHold as bad:
        raise unauthenticated(str(bad)) from None
    except BadToken:
        raise unauthenticated() from None
    except NoKeys:
        sentence = "The token cannot be verified now: its issuer's keys have not been reached yet."
        raise Problem(503, "unavailable", sentence, headers={"Retry-After": "10"}) from None


def _holder(claims: Claims) -> PersonToken | Service:
    if claims.service:
        return Service(claims.subject)
    assert claims.workspace is not None
    return PersonToken(claims.workspace, claims.issuer, claims.subject)


def _key(token: str) -> ApiKey:
    found = _KEY.fullmatch(token)
    if found is None:
        raise unauthenticated()
    return ApiKey(found[1], found[2], hashlib.sha256(token.encode()).hexdigest())
