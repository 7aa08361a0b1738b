"""Secrets of a local installation: made once, kept with mode 0600, used through the same settings as real ones.

The issuers are constants without host or port, so that tokens outlive a restart on other ports.
"""

from __future__ import annotations

import json
import os
import secrets
import time
import uuid
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import KeyParameters, KeySet, OKPKey

ISSUER = "https://local.goal-ledger.invalid"
SERVICE_ISSUER = f"{ISSUER}/services"
AUDIENCE = "goal-ledger"
SERVICES = ("worker", "query", "reconciler")
SERVICE_TOKEN_TTL_S = 365 * 24 * 3600


class Credentials:
    """The secret files of one installation, in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.hmac_secret_file = directory / "hmac-secret"
        self.master_key_file = directory / "master-key"
        self.head_signing_key_file = directory / "head-signing-key.pem"
        self.token_keys_file = directory / "token-keys.json"
        self.service_token_keys_file = directory / "service-token-keys.json"
        self.pages_secret_file = directory / "pages-secret"
        self.sign_ins_file = directory / "sign-ins.json"

    def make(self) -> None:
        """Make what is not yet there; the service tokens are made anew each time."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _once(self.hmac_secret_file, secrets.token_hex(32))
        _once(self.master_key_file, secrets.token_hex(32))
        _once(self.pages_secret_file, secrets.token_hex(32))
        key = Ed25519PrivateKey.generate()
        _once(
            self.head_signing_key_file,
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        )
        self._make_issuer(self.token_keys_file)
        self._make_issuer(self.service_token_keys_file)
        for service in SERVICES:
            claims = {"iss": SERVICE_ISSUER, "sub": service, "role": "service"}
            token = _sign(self.service_token_keys_file, claims, SERVICE_TOKEN_TTL_S)
            write_in_one_piece(self.service_token_file(service), token)

    def file(self, name: str) -> Path:
        """Where a secret of this name lies."""
        return self._directory / name

    def service_token_file(self, service: str) -> Path:
        """Where the token of worker, query or reconciler lies."""
        return self.file(f"service-token-{service}")

    def mint_token(self, subject: str, workspace: str, ttl_s: int) -> str:
        """A person's token as the local issuer signs it (EdDSA), valid for `ttl_s` seconds."""
        return _sign(self.token_keys_file, {"iss": ISSUER, "sub": subject, "workspace": workspace}, ttl_s)

    def write_sign_ins(self, people: Sequence[Mapping[str, Any]]) -> None:
        """Whom one click on the pages signs in: `{person, name, roles, token}` each."""
        write_in_one_piece(self.sign_ins_file, json.dumps({"people": list(people)}))

    def _make_issuer(self, public: Path) -> None:
        private = _private(public)
        names: KeyParameters = {"kid": uuid.uuid4().hex[:12], "use": "sig", "alg": "EdDSA"}
        key = OKPKey.generate_key("Ed25519", parameters=names, private=True)
        _once(private, json.dumps(key.as_dict(private=True)))
        kept = OKPKey.import_key(json.loads(private.read_text()))
        write_in_one_piece(public, json.dumps(KeySet([kept]).as_dict(private=False)))


def _private(public: Path) -> Path:
    return public.with_name(f"{public.stem}.private.json")


def _sign(public: Path, claims: Mapping[str, str], ttl_s: int) -> str:
    key = OKPKey.import_key(json.loads(_private(public).read_text()))
    now = int(time.time())
    times = {"aud": AUDIENCE, "iat": now, "exp": now + ttl_s}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joserfc would have the newer name Ed25519; issuers still say EdDSA
        return jwt.encode({"alg": "EdDSA", "kid": key.kid}, {**claims, **times}, key, algorithms=["EdDSA"])


def _once(path: Path, content: str) -> None:
    if not path.exists():
        write_in_one_piece(path, content)


def write_in_one_piece(path: Path, content: str) -> None:
    """Write a private file (mode 0600) so that a reader sees the old content or the new, never half."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
