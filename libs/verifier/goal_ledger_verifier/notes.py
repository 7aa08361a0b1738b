"""Signed heads: C2SP ``signed-note`` and ``tlog-checkpoint`` and the signatures of its log and of witnesses."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from goal_ledger_contracts.verifier_key import COSIGNATURE_ML_DSA_44, ToVerify, VerifierKey

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadHead(ValueError):
    """No checkpoint in a signed note; the message says why."""


class CannotVerify(Exception):
    """The installed ``cryptography`` does not know this kind of key."""


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint. ``place``: the file it is from; ``note``: as it was signed."""

    origin: str
    size: int
    root: bytes
    note: str
    place: str

    @property
    def body(self) -> str:
        """What was signed."""
        return self.note.partition("\n\n")[0] + "\n"

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


def signed_by(head: Head, keys: Iterable[VerifierKey]) -> dict[int, bool | None]:
    """By kind of the log's keys: whether one of that kind signed it; None: none did. Raises CannotVerify.

    The key of a log signs all its epochs, each under the epoch's name: a key given under one is taken for all.
    """
    found: dict[int, bool | None] = {}
    for key in {VerifierKey(head.origin, key.kind, key.public) for key in keys if _same_log(key, head)}:
        signed, before = verified(head, key), found.get(key.kind)
        found[key.kind] = before if signed is None else signed and before is not False
    return found


def _same_log(key: VerifierKey, head: Head) -> bool:
    return key.name.rpartition("/")[0] == head.origin.rpartition("/")[0]


def verified(head: Head, key: VerifierKey) -> bool | None:
    """Whether its signature or cosignature under the head is this key's; None: there is none. Raises CannotVerify."""
    for name, signature in head.signatures():
        found = key.to_verify(name, signature, head.body)
        if found is not None:
            return _is_made_by(key, found)
    return None


def _is_made_by(key: VerifierKey, of: ToVerify) -> bool:
    try:
        _public(key).verify(of.signature, of.message)
    except InvalidSignature:
        return False
    return True


def _public(key: VerifierKey) -> Any:
    if key.kind != COSIGNATURE_ML_DSA_44:
        return Ed25519PublicKey.from_public_bytes(key.public)
    try:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

        return MLDSA44PublicKey.from_public_bytes(key.public)
    except (ImportError, UnsupportedAlgorithm):
        raise CannotVerify(f"{key.name}: the installed cryptography has no ML-DSA-44") from None


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadHead(f"not base64: {text[:60]!r}") from None
