"""Where the keys come from that tokens are verified with: a JWKS file, or the issuer itself, found by OIDC discovery.

Discovery asks ``<issuer>/.well-known/openid-configuration`` for ``jwks_uri`` and that for the keys. They are fetched when a
token first needs them, anew for a key id that is not among them (at most once in 10 s, whoever asks), and every five minutes
in the background, so that a key that was taken back stops counting. A fetch that fails keeps the keys that were there.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import httpx2
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

KEY_FILE_LOOK_SECONDS = 5.0
FETCH_AGAIN_SECONDS = 10.0
FETCH_TIMEOUT_SECONDS = 2.0
KEYS_AGE_SECONDS = 300.0
MAX_DOCUMENT_BYTES = 1024 * 1024
WELL_KNOWN = "/.well-known/openid-configuration"

PublicKey = ECKey | OKPKey | RSAKey
_KINDS: dict[str, type[PublicKey]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
_KIND_OF_ALGORITHM = {"EdDSA": "OKP", "Ed25519": "OKP", "RS256": "RSA", "ES256": "EC"}
ALGORITHMS = tuple(_KIND_OF_ALGORITHM)

log = logger("goal_ledger.edge.token_keys")


@dataclass(frozen=True, slots=True)
class Trust:
    """An issuer whose tokens count, and the JWKS file with its public keys; None: found by discovery."""

    issuer: str
    keys_file: Path | None = None


class KeySet:
    """The keys of a JWKS document that signatures can be verified with; all others in it are ignored."""

    def __init__(self, document: Any) -> None:
        """Raises ValueError if it is no JWKS document."""
        if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
            raise ValueError("not a JWKS document")
        self._keys = [key for one in document["keys"] if (key := _verifying(one)) is not None]
        self._document = document["keys"]

    def suited(self, key_id: str | None, algorithm: str) -> list[PublicKey]:
        """The keys that may have signed: of that id, or all where the token names none; of the algorithm's kind."""
        return [
            key
            for key in self._keys
            if key.key_type == _KIND_OF_ALGORITHM[algorithm]
            and key_id in (None, key.kid)
            and key.get("alg") in (None, algorithm)
        ]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySet) and self._document == other._document

    __hash__ = None  # type: ignore[assignment]


def _verifying(one: Any) -> PublicKey | None:
    if not isinstance(one, dict) or one.get("kty") not in _KINDS:
        return None
    operations = one.get("key_ops")
    if one.get("use") not in (None, "sig") or not (operations is None or "verify" in operations):
        return None
    if one.get("alg") not in (None, *ALGORITHMS):
        return None
    try:
        return _KINDS[one["kty"]].import_key(one)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


class Keys(Protocol):
    """``generation`` rises whenever the keys change: what was verified with them is void."""

    issuer: str
    generation: int

    def suited(self, key_id: str | None, algorithm: str) -> list[PublicKey]: ...

    def refresh(self) -> None:
        """Look whether the keys have changed, if it is time to; does not wait."""

    async def look_again(self) -> None:
        """A token names a key that is not here: look for it now, if that may be."""


class NoKeys(Exception):
    """The issuer's keys were never to be had: nothing can be said of its tokens."""


class FileKeys:
    """The keys of one file, read again when it changes. Raises OSError or ValueError at the start."""

    def __init__(self, issuer: str, file: Path) -> None:
        self.issuer, self._file = issuer, file
        self.generation = 0
        self._seen: tuple[int, int] = (0, 0)
        self._keys = KeySet({"keys": []})
        self._read()
        self._look_at = monotonic() + KEY_FILE_LOOK_SECONDS

    def suited(self, key_id: str | None, algorithm: str) -> list[PublicKey]:
        return self._keys.suited(key_id, algorithm)

    def refresh(self) -> None:
        if monotonic() < self._look_at:
            return
        self._look_at = monotonic() + KEY_FILE_LOOK_SECONDS
        try:
            self._read()
        except (OSError, ValueError) as wrong:
            log.warning("a file of keys cannot be read", file=str(self._file), error=failure_text(wrong))

    async def look_again(self) -> None:
        """A file is looked at every few seconds anyway."""

    def _read(self) -> None:
        stat = self._file.stat()
        seen = (stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            self._keys = KeySet(json.loads(self._file.read_bytes()))
            self._seen, self.generation = seen, self.generation + 1


class DiscoveredKeys:
    """The keys that an issuer publishes."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.generation = 0
        self._keys: KeySet | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._fetch_at = self._old_at = monotonic()

    def suited(self, key_id: str | None, algorithm: str) -> list[PublicKey]:
        return [] if self._keys is None else self._keys.suited(key_id, algorithm)

    def refresh(self) -> None:
        if self._keys is not None and monotonic() >= self._old_at:
            self._begin()

    async def look_again(self) -> None:
        """Raises NoKeys if there are none yet."""
        self._begin()
        if self._fetching is not None:
            await asyncio.shield(self._fetching)
        if self._keys is None:
            raise NoKeys

    def _begin(self) -> None:
        if self._fetching is None and monotonic() >= self._fetch_at:
            self._fetch_at = monotonic() + FETCH_AGAIN_SECONDS
            self._fetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            async with (
                asyncio.timeout(FETCH_TIMEOUT_SECONDS),
                httpx2.AsyncClient(timeout=FETCH_TIMEOUT_SECONDS) as client,
            ):
                found = KeySet(await _document(client, await self._keys_address(client)))
        except (
            httpx2.HTTPError,
            httpx2.InvalidURL,
            OSError,
            TimeoutError,
            ValueError,
            RecursionError,
        ) as failed:
            log.warning("the issuer's keys cannot be had", issuer=self.issuer, error=failure_text(failed))
        else:
            self._old_at = monotonic() + KEYS_AGE_SECONDS
            if found != self._keys:
                self._keys, self.generation = found, self.generation + 1
        finally:
            self._fetching = None

    async def _keys_address(self, client: httpx2.AsyncClient) -> str:
        described = await _document(client, self.issuer.rstrip("/") + WELL_KNOWN)
        if not isinstance(described, dict) or described.get("issuer") != self.issuer:
            raise ValueError("the configuration names another issuer")
        address = described.get("jwks_uri")
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise ValueError("the configuration names no address of keys")
        if self.issuer.startswith("https://") and not address.startswith("https://"):
            raise ValueError("the keys of an issuer behind TLS are not behind TLS")
        return address


async def _document(client: httpx2.AsyncClient, address: str) -> Any:
    """The JSON at an address, at most 1 MiB; redirections are not followed."""
    raw = bytearray()
    async with client.stream("GET", address, headers={"accept": "application/json"}) as answer:
        if answer.status_code != httpx2.codes.OK:
            raise OSError(f"GET {address} answered {answer.status_code}")
        async for chunk in answer.aiter_bytes():
            raw += chunk
            if len(raw) > MAX_DOCUMENT_BYTES:
                raise OSError(f"GET {address} answered more than {MAX_DOCUMENT_BYTES} bytes")
    return json.loads(raw)


def keys_of(trust: Trust) -> Keys:
    """Raises OSError or ValueError if a file of keys cannot be read."""
    if trust.keys_file is None:
        return DiscoveredKeys(trust.issuer)
    return FileKeys(trust.issuer, trust.keys_file)
