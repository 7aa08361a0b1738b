"""Verifier keys of heads, of the log and of its witnesses, in the written form of C2SP ``signed-note``.

``<name>+<key hash>+<base64(kind ‖ public key)>``; the key hash is the first four bytes of SHA-256(name ‖ 0x0A ‖ kind ‖
public key), in hex. A signature stands in a note as ``— <name> <base64(key hash ‖ signature)>``. Of the kinds that
``tlog-cosignature`` defines, a signature is eight bytes of time (seconds since 1970) and then what the key made.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

NOTE_ED25519, COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44 = 1, 4, 6
"""The kinds: Ed25519 of a note; Ed25519 and ML-DSA-44 of a cosignature."""
COSIGNATURES = (COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44)

PUBLIC_BYTES = {NOTE_ED25519: 32, COSIGNATURE_ED25519: 32, COSIGNATURE_ML_DSA_44: 1312}

_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class BadVerifierKey(ValueError):
    """No verifier key of a kind that is known; the message says why."""


class ToVerify(NamedTuple):
    """That the key made ``signature`` over ``message`` is left to find out."""

    signature: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """``public``: the key's own bytes, of which there are as many as its kind has."""

    name: str
    kind: int
    public: bytes

    @property
    def hash(self) -> bytes:
        """The four bytes before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def to_verify(self, name: str, raw: bytes, body: str) -> ToVerify | None:
        """Of a note's signature (key hash in front) under a name, over a checkpoint's body; None: it is none of this key."""
        if name != self.name or raw[:4] != self.hash:
            return None
        if self.kind == NOTE_ED25519:
            return ToVerify(raw[4:], body.encode())
        try:
            return ToVerify(raw[12:], self.cosigned(int.from_bytes(raw[4:12]), body))
        except ValueError:
            return None

    def cosigned(self, at: int, body: str) -> bytes:
        """What is signed at a moment (seconds since 1970) of a checkpoint's body (its last newline included).

        ML-DSA-44 signs origin, size and root as a structure. Raises ValueError for a body that has other lines too, or is
        no checkpoint's.
        """
        if self.kind == COSIGNATURE_ED25519:
            return f"cosignature/v1\ntime {at}\n{body}".encode()
        origin, size, root, end = body.split("\n")
        if end:
            raise ValueError("a checkpoint's body ends with a newline")
        ends = (0).to_bytes(8) + int(size).to_bytes(8)
        return b"".join(
            (
                b"subtree/v1\n\0",
                _opaque(self.name),
                at.to_bytes(8),
                _opaque(origin),
                ends,
                base64.b64decode(root),
            )
        )


def _opaque(text: str) -> bytes:
    """``opaque<1..2^8-1>`` of RFC 8446."""
    raw = text.encode()
    if not 1 <= len(raw) <= 255:
        raise ValueError(f"a name of 1 to 255 bytes was due: {text[:80]!r}")
    return bytes([len(raw)]) + raw


def parse_verifier_key(written: str) -> VerifierKey:
    """Raises :class:`BadVerifierKey`."""
    found = _KEY.fullmatch(written)
    try:
        raw = b"" if found is None else base64.b64decode(found[3], validate=True)
    except binascii.Error:
        raw = b""
    if found is None or not raw or PUBLIC_BYTES.get(raw[0]) != len(raw) - 1:
        raise BadVerifierKey(f"no verifier key, Ed25519 or ML-DSA-44: {written[:80]!r}")
    key = VerifierKey(found[1], raw[0], raw[1:])
    if key.hash.hex() != found[2]:
        raise BadVerifierKey(f"the key hash of {key.name} is {key.hash.hex()}, not {found[2]}")
    return key
