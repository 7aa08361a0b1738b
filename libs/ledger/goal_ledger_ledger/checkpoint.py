"""Signed heads: the C2SP checkpoint (``tlog-checkpoint``) in a signed note (``signed-note``), Ed25519 and, beside it, ML-DSA-44.

A checkpoint's body is three lines: origin, size, root in base64. The note is the body, an empty line, and one line per
signature: ``— <key name> <base64(4 bytes of key hash ‖ signature)>``. The key's name is the origin, as the
specification asks, so a head of one workspace or epoch can never pass for another's. The key hash is the first four
bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), where 0x01 names Ed25519. ML-DSA-44 signs as a cosigner that says nothing
of the time (``tlog-cosignature``, kind 0x06): readers that know one of the two keys pass over the other's line.

Whoever keeps a note can prove later, with a consistency proof, that nothing before it was changed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from goal_ledger_contracts.verifier_key import COSIGNATURE_ML_DSA_44, VerifierKey

ED25519 = b"\x01"
MAX_NOTE_BYTES = 64 * 1024

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]+")


class BadNote(ValueError):
    """The note is not a checkpoint, or no signature of the key verifies; the message says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of one log: ``origin`` names workspace and epoch, ``size`` is its last seq."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The signed text, its last newline included."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def origin_of(prefix: str, workspace: str, epoch: int) -> str:
    """The origin line of a workspace's heads in one epoch: ``<prefix>/<workspace>/<epoch>``."""
    return f"{prefix}/{workspace}/{epoch}"


def key_hash(name: str, public_key: Ed25519PublicKey) -> bytes:
    """The four bytes that tell a note's reader which key a signature is of."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key.public_bytes_raw()).digest()[:4]


def verifier_key(name: str, public_key: Ed25519PublicKey) -> str:
    """The key in the written form of ``signed-note``: ``<name>+<key hash in hex>+<base64(0x01 ‖ key)>``."""
    written = base64.b64encode(ED25519 + public_key.public_bytes_raw()).decode()
    return f"{name}+{key_hash(name, public_key).hex()}+{written}"


def load_signing_key(pem: bytes) -> Ed25519PrivateKey:
    """The private key of a PEM file (PKCS 8, unencrypted). Raises ValueError if it is not an Ed25519 key."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the head signing key is not an Ed25519 key")
    return key


def load_ml_dsa_44_key(pem: bytes) -> MLDSA44PrivateKey:
    """The private key of a PEM file (PKCS 8, unencrypted). Raises ValueError if it is not an ML-DSA-44 key."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, MLDSA44PrivateKey):
        raise ValueError("the head signing key is not an ML-DSA-44 key")
    return key


def ml_dsa_44_verifier_key(name: str, public_key: MLDSA44PublicKey) -> VerifierKey:
    """Of heads with that origin."""
    return VerifierKey(name, COSIGNATURE_ML_DSA_44, public_key.public_bytes_raw())


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey, ml_dsa_44: MLDSA44PrivateKey | None = None) -> str:
    """The signed note. Raises ValueError for an origin that cannot be a key's name."""
    if not _NAME.fullmatch(checkpoint.origin):
        raise ValueError(f"an origin has no white space and no plus: {checkpoint.origin!r}")
    signature = key_hash(checkpoint.origin, key.public_key()) + key.sign(checkpoint.body.encode())
    note = f"{checkpoint.body}\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n"
    if ml_dsa_44 is None:
        return note
    named = ml_dsa_44_verifier_key(checkpoint.origin, ml_dsa_44.public_key())
    second = named.hash + bytes(8) + ml_dsa_44.sign(named.cosigned(0, checkpoint.body))
    return f"{note}— {checkpoint.origin} {base64.b64encode(second).decode()}\n"


def proof_file(index: int, hashes: Sequence[bytes], note: str) -> str:
    """A C2SP ``tlog-proof``: that the log under the checkpoint ``note`` has a fact at ``index`` (from 0; its seq less 1).

    Verified with the fact's bytes, the checkpoint's key and nothing else. Without ``extra``: readers differ in how much
    of it they take, and a fact goes beside its proof as well.
    """
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *(base64.b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + "\n\n" + note


def parse(note: str) -> Checkpoint:
    """The checkpoint a note holds, its signatures not looked at. Raises :class:`BadNote`."""
    if len(note.encode("utf-8", "replace")) > MAX_NOTE_BYTES:
        raise BadNote("the note is too large")
    body, separator, _ = note.rpartition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) < 3 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise BadNote("not a checkpoint: origin, size and root, an empty line, signatures")
    root = _base64(lines[2])
    if len(root) != 32:
        raise BadNote("the root is not 32 bytes in base64")
    return Checkpoint(lines[0], int(lines[1]), root)


def verify(note: str, public_key: Ed25519PublicKey, origin: str | None = None) -> Checkpoint:
    """The checkpoint, signed by this key under its origin's name (and of ``origin``, if given). Raises :class:`BadNote`."""
    checkpoint = parse(note)
    if origin is not None and checkpoint.origin != origin:
        raise BadNote(f"a head of {checkpoint.origin}, not of {origin}")
    body, _, signatures = note.rpartition("\n\n")
    wanted = key_hash(checkpoint.origin, public_key)
    for line in signatures.split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, written = rest.partition(" ")
        if dash != "—" or name != checkpoint.origin:
            continue
        raw = _base64(written)
        if raw[:4] != wanted:
            continue
        try:
            public_key.verify(raw[4:], (body + "\n").encode())
        except InvalidSignature:
            raise BadNote("the signature does not verify") from None
        return checkpoint
    raise BadNote("no signature of this key")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"not base64: {text[:60]!r}") from None
