"""Who sends this: JSON Web Tokens of people and of our own services.

A token counts if its signature is made by a key of the right set with an algorithm of the allow-list (never ``none``,
never one that the token alone proposes), if it is an access token and not one that says who somebody is (an ID token), and
if issuer, audience, expiry and not-before hold. People and services have issuers and key sets of their own; a service
token is refused wherever it was not asked for. Verifying costs 125 µs (Ed25519), so a verified token is remembered, by its
SHA-256, until it expires; other keys forget them all.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.util import urlsafe_b64decode

from goal_ledger_edge.token_keys import ALGORITHMS, Keys, NoKeys, Trust, keys_of

MAX_TOKEN_CHARACTERS = 8192
LEEWAY_SECONDS = 30
"""How far the issuer's clock and ours may differ; the default of the setting ``TOKEN_LEEWAY_SECONDS``."""
CACHED_TOKENS = 10_000
LATEST_INSTANT = 253_402_300_799
"""9999-12-31T23:59:59Z in Unix seconds."""

TYPES = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})
"""The header's ``typ`` of access tokens (RFC 9068, or plain)."""
OF_OTHER_TOKENS = ("at_hash", "c_hash", "s_hash", "nonce", "events")
"""Claims of ID tokens (OpenID Connect Core 2) and of logout and security event tokens (RFC 8417)."""

warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)  # it is what issuers send today

__all__ = ["BadToken", "Claims", "DoesNotHold", "NoKeys", "TokenVerifier", "Trust"]


class BadToken(Exception):
    """The token does not count; the message says why, without quoting it."""


class DoesNotHold(BadToken):
    """Its signature holds, its claims do not: whoever has it was truly given it, and may know why."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. ``workspace`` is None for services, ``role`` None for people."""

    issuer: str
    subject: str
    workspace: str | None
    service: bool
    role: str | None
    expires_at: float
    """Unix seconds."""


class TokenVerifier:
    """Verifies tokens of ``people`` and, where a caller asks for them, of ``services``. Raises OSError or ValueError
    at the start if a key file cannot be read."""

    def __init__(
        self,
        people: Trust,
        audience: str,
        services: Trust | None = None,
        *,
        leeway_seconds: int = LEEWAY_SECONDS,
        cached_tokens: int = CACHED_TOKENS,
    ) -> None:
        self._people = keys_of(people)
        self._services = None if services is None else keys_of(services)
        self._audience, self._leeway, self._cached_tokens = audience, leeway_seconds, cached_tokens
        self._verified: OrderedDict[bytes, Claims] = OrderedDict()
        self._generation = self._generations()

    async def verify(self, token: str, *, service: bool = False) -> Claims:
        """The token's claims. ``service=True`` also accepts a service token; otherwise one raises, like any other
        token that does not count, :class:`BadToken`. Raises NoKeys while the issuer has never been reached."""
        self._forget_if_keys_changed()
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        claims = self._verified.get(digest)
        if claims is None:
            claims = await self._check(token)
            self._remember(digest, claims)
        elif claims.expires_at + self._leeway < time.time():
            del self._verified[digest]
            raise DoesNotHold("The token has expired.")
        if claims.service and not service:
            raise BadToken("A service token is not accepted here.")
        return claims

    def _generations(self) -> tuple[int, int]:
        return self._people.generation, 0 if self._services is None else self._services.generation

    def _forget_if_keys_changed(self) -> None:
        self._people.refresh()
        if self._services is not None:
            self._services.refresh()
        if (present := self._generations()) != self._generation:
            self._generation = present
            self._verified.clear()

    def _remember(self, digest: bytes, claims: Claims) -> None:
        self._verified[digest] = claims
        if len(self._verified) > self._cached_tokens:
            self._verified.popitem(last=False)

    async def _check(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise BadToken(f"The token has more than {MAX_TOKEN_CHARACTERS} characters.")
        header, issuer = _stated(token)
        if self._services is not None and issuer == self._services.issuer:
            claims = await _signed(token, header, self._services)
            self._must_hold(claims, self._services.issuer)
            return _service_claims(claims)
        if issuer != self._people.issuer:
            raise BadToken("The token is of another issuer.")
        claims = await _signed(token, header, self._people)
        _must_be_access_token(header, claims)
        self._must_hold(claims, self._people.issuer)
        return _people_claims(claims)

    def _must_hold(self, claims: Mapping[str, Any], issuer: str) -> None:
        now, leeway = time.time(), self._leeway
        if claims.get("iss") != issuer:
            raise _missing("iss")
        if self._audience not in _listed(claims.get("aud")):
            raise _missing("aud")
        expires = _instant(claims, "exp")
        if expires is None:
            raise _missing("exp")
        if expires + leeway < now:
            raise DoesNotHold("The token has expired.")
        for name in ("nbf", "iat"):
            if (_instant(claims, name) or 0) > now + leeway:
                raise DoesNotHold(f"The token's claim {name!r} lies ahead.")


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL keeps in no text: U+0000 and lone surrogates."""


def _stated(token: str) -> tuple[dict[str, Any], str | None]:
    """Header and issuer as the token states them, unverified: they only choose the keys, one of which must have signed."""
    try:
        first, second, _ = token.split(".")
        header = json.loads(urlsafe_b64decode(first.encode()))
        issuer = json.loads(urlsafe_b64decode(second.encode()))["iss"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadToken("The token is not a signed JSON Web Token.") from None
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise BadToken("The token's algorithm is not accepted.")
    if not isinstance(header.get("kid"), str | None):
        raise BadToken("The token names a key that is not known here.")
    return header, issuer if isinstance(issuer, str) else None


async def _signed(token: str, header: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """The claims, signed by one of the keys. Raises BadToken, NoKeys."""
    key_id, algorithm = header.get("kid"), header["alg"]
    candidates = keys.suited(key_id, algorithm)
    if not candidates:
        await keys.look_again()
        candidates = keys.suited(key_id, algorithm)
    for key in candidates:
        try:
            return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError, TypeError, UnicodeError, RecursionError):
            continue
    raise BadToken("No key that is known here has signed the token.")


def _must_be_access_token(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    stated = header.get("typ")
    is_one = (stated.lower() if isinstance(stated, str) else stated) in TYPES
    stated_uses = (claims.get("typ", "Bearer"), claims.get("token_use", "access"))
    if not is_one or stated_uses != ("Bearer", "access") or any(name in claims for name in OF_OTHER_TOKENS):
        raise DoesNotHold(
            "The token is not an access token: it says who somebody is, or serves something else."
        )


def _listed(audience: Any) -> list[Any]:
    return audience if isinstance(audience, list) else [audience]


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    """Unix seconds; RFC 7519 (NumericDate) allows fractions of one. Raises DoesNotHold for what is no instant."""
    if name not in claims:
        return None
    value: object = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST_INSTANT:
        raise _missing(name)
    return value


def _missing(name: str) -> DoesNotHold:
    return DoesNotHold(f"The token's claim {name!r} is missing or does not hold.")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 512 or _UNSTORABLE.search(value):
        raise _missing(name)
    return value


def _people_claims(claims: Mapping[str, Any]) -> Claims:
    return Claims(
        issuer=_text(claims, "iss"),
        subject=_text(claims, "sub"),
        workspace=_text(claims, "workspace"),
        service=False,
        role=None,
        expires_at=float(claims["exp"]),
    )


def _service_claims(claims: Mapping[str, Any]) -> Claims:
    if claims.get("role") != "service" or "workspace" in claims:
        raise BadToken("A service token has the role service and names no workspace.")
    return Claims(
        issuer=_text(claims, "iss"),
        subject=_text(claims, "sub"),
        workspace=None,
        service=True,
        role="service",
        expires_at=float(claims["exp"]),
    )
