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


def unauthenticated(sentence: str = _NONE_THAT_COUNTS) -> Problem:
    """The 401. A sentence of its own only for who holds a token that was truly issued for us."""
    headers = {"WWW-Authenticate": 'Bearer realm="goal-ledger"'}
    return Problem(401, "unauthenticated", sentence, headers=headers)


def authorization_of(scope: Scope) -> str | None:
    """The header. Sent twice it is one of both values, as RFC 9110 reads it: no credential that counts."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    return b", ".join(found).decode("latin-1") if found else None


async def shown(
    authorization: str | None, verifier: TokenVerifier, *, service: bool = False
) -> ApiKey | Claims:
    """The API key or the verified token's claims; ``service``: tokens of our own services count too. Problem 401."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated()
    if token.startswith("glk."):
        return _key(token)
    try:
        return await verifier.verify(token, service=service)
    except DoesNotHold as bad:
        raise unauthenticated(str(bad)) from None
    except BadToken:
        raise unauthenticated() from None
    except NoKeys:
        sentence = "The token cannot be verified now: its issuer's keys have not been reached yet."
        raise Problem(503, "unavailable", sentence, headers={"Retry-After": "10"}) from None


def _key(token: str) -> ApiKey:
    found = _KEY.fullmatch(token)
    if found is None:
        raise unauthenticated()
    return ApiKey(found[1], found[2], hashlib.sha256(token.encode()).hexdigest())
