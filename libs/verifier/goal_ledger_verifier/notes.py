"""Signed heads: C2SP ``signed-note`` and ``tlog-checkpoint`` with Ed25519, cosignatures of ``tlog-cosignature``."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG_KEY, WITNESS_KEY = 1, 4
"""The kinds of keys: Ed25519 of a note, Ed25519 of a cosignature/v1."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class BadKey(ValueError):
    """No verifier key that this program knows; the message says why."""


class BadHead(ValueError):
    """No checkpoint in a signed note; the message says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier key: ``<name>+<key hash>+<base64(kind ‖ public key)>``."""

    name: str
    kind: int
    public: bytes

    @property
    def hash(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the key made this signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def parse_key(written: str) -> Key:
    """Raises :class:`BadKey`."""
    found = _KEY.fullmatch(written)
    try:
        raw = b"" if found is None else base64.b64decode(found[3], validate=True)
    except binascii.Error:
        raw = b""
    if found is None or len(raw) != 33 or raw[0] not in (LOG_KEY, WITNESS_KEY):
        raise BadKey(f"no Ed25519 verifier key: {written[:80]!r}")
    key = Key(found[1], raw[0], raw[1:])
    if key.hash.hex() != found[2]:
        raise BadKey(f"the key hash of {key.name} is {key.hash.hex()}, not {found[2]}")
    return key


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint. ``place``: the file it is from; ``note``: as it was signed."""

    origin: str
    size: int
    root: bytes
    note: str
    place: str

    @property
    def text(self) -> bytes:
        """What was signed."""
        return (self.note.partition("\n\n")[0] + "\n").encode()

    @property
    def log(self) -> tuple[str, int] | None:
        """Workspace and epoch, as the origin names them; None: it names none."""
        *_, workspace, epoch = ("", *self.origin.split("/"))
        return (workspace, int(epoch)) if epoch.isascii() and epoch.isdigit() else None

    def signatures(self) -> Iterator[tuple[str, bytes]]:
        """Names and signatures, the key hash in front."""
        for line in self.note.partition("\n\n")[2].split("\n"):
            dash, _, rest = line.partition(" ")
            name, _, written = rest.partition(" ")
            if dash == "—":
                yield name, _unbase64(written)


def parse_head(note: str, place: str) -> Head:
    """Raises :class:`BadHead`."""
    text, separator, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) < 3 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise BadHead("not a checkpoint: origin, size and root, an empty line, signatures")
    root = _unbase64(lines[2])
    if len(root) != 32 or not signatures.startswith("—"):
        raise BadHead("the root is not 32 bytes in base64, or there is no signature")
    head = Head(lines[0], int(lines[1]), root, note, place)
    list(head.signatures())
    return head


def signed_by(head: Head, keys: Iterable[Key]) -> bool | None:
    """Whether a log's key signed it; None: no signature of these keys.

    The key of a log signs all its epochs, each under the epoch's name: a key given under one is taken for all.
    """
    named = {Key(head.origin, LOG_KEY, key.public) for key in keys if _same_log(key, head)}
    found = [
        key.verifies(head.text, signature[4:])
        for name, signature in head.signatures()
        for key in named
        if name == key.name and signature[:4] == key.hash
    ]
    return all(found) if found else None


def _same_log(key: Key, head: Head) -> bool:
    return key.kind == LOG_KEY and key.name.rpartition("/")[0] == head.origin.rpartition("/")[0]


def cosigned_by(head: Head, witness: Key) -> bool | None:
    """Whether the witness cosigned it; None: no cosignature of its."""
    for name, signature in head.signatures():
        if name == witness.name and signature[:4] == witness.hash:
            at = int.from_bytes(signature[4:12])
            return witness.verifies(f"cosignature/v1\ntime {at}\n".encode() + head.text, signature[12:])
    return None


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadHead(f"not base64: {text[:60]!r}") from None
