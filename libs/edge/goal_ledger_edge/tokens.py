"""Who sends this: JSON Web Tokens of people and of our own services, checked offline against key files.

A token counts if its signature is made by a key of the right set with an algorithm of the allow-list (never ``none``,
never one that the token alone proposes), and issuer, audience, expiry and not-before hold. People and services have
issuers and key sets of their own; a service token is refused wherever it was not asked for. Verifying costs 125 µs
(Ed25519), so a verified token is remembered, by its SHA-256, until it expires; a changed key file forgets them all.
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
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64decode

ALGORITHMS = ("EdDSA", "Ed25519", "RS256", "ES256")
MAX_TOKEN_CHARACTERS = 8192
LEEWAY_SECONDS = 10
CACHED_TOKENS = 10_000
KEY_FILE_LOOK_SECONDS = 5.0

warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)  # it is what issuers send today


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


@dataclass(frozen=True, slots=True)
class Trust:
    """An issuer whose tokens count, and the JWKS file with its public keys."""

    issuer: str
    keys_file: Path


class _Keys:
    """The keys of one file, read again when it changes."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._seen: tuple[int, int] | None = None
        self.keys = KeySet([])
        self.read_if_changed()

    def read_if_changed(self) -> bool:
        try:
            stat = self.trust.keys_file.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen == self._seen:
                return False
            self.keys = KeySet.import_key_set(json.loads(self.trust.keys_file.read_bytes()))
        except (OSError, ValueError, JoseError):
            if self._seen is None:
                raise
            return False
        self._seen = seen
        return True


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
        self._people = _Keys(people)
        self._services = None if services is None else _Keys(services)
        self._audience, self._leeway, self._cached_tokens = audience, leeway_seconds, cached_tokens
        self._verified: OrderedDict[bytes, Claims] = OrderedDict()
        self._look_again_at = time.monotonic() + KEY_FILE_LOOK_SECONDS

    async def verify(self, token: str, *, service: bool = False) -> Claims:
        """The token's claims. ``service=True`` also accepts a service token; otherwise one raises, like any other
        token that does not count, :class:`BadToken`."""
        if time.monotonic() >= self._look_again_at:
            self._look_for_new_keys()
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        claims = self._verified.get(digest)
        if claims is None:
            claims = self._check(token)
            self._remember(digest, claims)
        elif claims.expires_at + self._leeway < time.time():
            del self._verified[digest]
            raise BadToken("The token has expired.")
        if claims.service and not service:
            raise BadToken("A service token is not accepted here.")
        return claims

    def _remember(self, digest: bytes, claims: Claims) -> None:
        self._verified[digest] = claims
        if len(self._verified) > self._cached_tokens:
            self._verified.popitem(last=False)

    def _look_for_new_keys(self) -> None:
        self._look_again_at = time.monotonic() + KEY_FILE_LOOK_SECONDS
        changed = [keys.read_if_changed() for keys in (self._people, self._services) if keys is not None]
        if any(changed):
            self._verified.clear()

    def _check(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise BadToken(f"The token has more than {MAX_TOKEN_CHARACTERS} characters.")
        issuer = _stated_issuer(token)
        service = self._services is not None and issuer == self._services.trust.issuer
        keys = self._services if service else self._people
        assert keys is not None
        try:
            claims = jwt.decode(token, keys.keys, algorithms=list(ALGORITHMS)).claims
            self._registry(keys.trust.issuer).validate(claims)
        except JoseError as bad:
            raise BadToken(_reason(bad)) from None
        except (ValueError, TypeError, UnicodeError, RecursionError):
            raise BadToken("The token is not a signed JSON Web Token.") from None
        return _people_claims(claims) if not service else _service_claims(claims)

    def _registry(self, issuer: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=self._leeway,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        )


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL keeps in no text: U+0000 and lone surrogates."""

_REASONS = {
    "expired_token": "The token has expired.",
    "bad_signature": "The token's signature does not hold.",
    "unsupported_algorithm": "The token's algorithm is not accepted.",
    "invalid_key_id": "The token names a key that is not known here.",
}


def _reason(bad: JoseError) -> str:
    claim = getattr(bad, "claim", None)
    if bad.error in ("invalid_claim", "missing_claim") and claim in (
        "iss",
        "aud",
        "exp",
        "nbf",
        "sub",
        "iat",
    ):
        return f"The token's claim {claim!r} is missing or does not hold."
    return _REASONS.get(bad.error, "The token is not a signed JSON Web Token.")


def _stated_issuer(token: str) -> str | None:
    """The issuer the token states, unverified: it only chooses the key set that must then have signed it."""
    try:
        payload = json.loads(urlsafe_b64decode(token.split(".")[1].encode()))
        issuer = payload["iss"]
    except (ValueError, IndexError, KeyError, TypeError, RecursionError):
        raise BadToken("The token is not a signed JSON Web Token.") from None
    return issuer if isinstance(issuer, str) else None


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 512 or _UNSTORABLE.search(value):
        raise BadToken(f"The token's claim {name!r} is missing or does not hold.")
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
