"""Cosignatures of witnesses: C2SP ``tlog-cosignature``, made with Ed25519 (``cosignature/v1``).

A witness signs a checkpoint's body together with the second at which it did, after it has seen that the log only grew
since the last head that it signed. In the note its signature is a line like the log's own, under the witness's name:
``— <name> <base64(4 bytes of key hash ‖ 8 bytes of time ‖ signature)>``. The key hash is the first four bytes of
SHA-256(name ‖ 0x0A ‖ 0x04 ‖ public key).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

COSIGNATURE = b"\x04"
SIGNATURE_BYTES = 4 + 8 + 64

_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class BadWitnessKey(ValueError):
    """No verifier key of a witness; the message says why."""


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """Of a verifier key ``<name>+<key hash>+<base64(0x04 ‖ public key)>``."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """The four bytes before each of its cosignatures."""
        return sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(COSIGNATURE + self.public).decode()}"

    def line_of(self, answer: str, body: str) -> str | None:
        """The cosignature of this witness over a checkpoint's body among the lines of its answer, if it verifies."""
        for line in answer.split("\n"):
            dash, _, rest = line.partition(" ")
            name, _, written = rest.partition(" ")
            if dash == "—" and name == self.name and self._verifies(written, body):
                return line
        return None

    def _verifies(self, written: str, body: str) -> bool:
        try:
            raw = base64.b64decode(written, validate=True)
        except (binascii.Error, ValueError):
            return False
        if len(raw) != SIGNATURE_BYTES or raw[:4] != self.hash:
            return False
        signed = cosigned_message(int.from_bytes(raw[4:12]), body)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(raw[12:], signed)
        except InvalidSignature:
            return False
        return True


def cosigned_message(at: int, body: str) -> bytes:
    """What a witness signs at a moment (seconds since 1970)."""
    return f"cosignature/v1\ntime {at}\n{body}".encode()


def parse_witness_key(written: str) -> WitnessKey:
    """Raises :class:`BadWitnessKey`."""
    found = _KEY.fullmatch(written)
    try:
        raw = b"" if found is None else base64.b64decode(found[3], validate=True)
    except binascii.Error:
        raw = b""
    if found is None or len(raw) != 33 or raw[:1] != COSIGNATURE:
        raise BadWitnessKey(f"no Ed25519 verifier key of a witness: {written[:80]!r}")
    key = WitnessKey(found[1], raw[1:])
    if key.hash.hex() != found[2]:
        raise BadWitnessKey(f"the key hash of {key.name} is {key.hash.hex()}, not {found[2]}")
    return key
