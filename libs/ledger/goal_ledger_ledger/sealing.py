"""Personal text is sealed before it is hashed, so that a deleted key erases it everywhere while every proof holds.

A text becomes ``{k, n, c}``: key id, nonce, ciphertext (AES-256-GCM with a fresh random nonce; base64url without
padding). The associated data are workspace, event id and the JSON pointer within ``data``, joined by a zero byte: a
sealed text moved to another fact or field does not open. The key id is the subject whose text it is: of a name that
person, of another text its author, or else the fact's actor. Keys are passed in; where they are kept is not known here.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from goal_ledger_contracts.facts import PERSONAL_FIELDS
from goal_ledger_contracts.personal import STREAM_PERSON, Sealed

ERASED = "[erased]"
"""Read in place of a text whose key was deleted."""

SEALED_AWAY = "[sealed]"
"""Read in place of a text whose key is out of reach."""

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(ValueError):
    """A sealed text does not open with its key: it, or the place it stands in, was changed."""


class OwnerShredded(Exception):
    """A text cannot be recorded: its owner's key was deleted for good."""

    code = "person_shredded"

    def __init__(self, owner: str) -> None:
        super().__init__(f"The texts of {owner} were erased; no new text of theirs can be recorded.")
        self.owner = owner


class TextKey:
    """One owner's key, held in memory."""

    __slots__ = ("_cipher", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a text key has {KEY_BYTES} bytes")
        self.raw = raw
        self._cipher = AESGCM(raw)

    def seal(self, key_id: str, text: str, associated: bytes) -> Sealed:
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(
            key_id, _written(nonce), _written(self._cipher.encrypt(nonce, text.encode(), associated))
        )

    def open(self, sealed: Sealed, associated: bytes) -> str:
        """Raises :class:`SealBroken`."""
        try:
            return self._cipher.decrypt(_read(sealed.n), _read(sealed.c), associated).decode()
        except (InvalidTag, ValueError):
            raise SealBroken(f"a text under the key of {sealed.k} does not open") from None

    def __repr__(self) -> str:
        return "TextKey(…)"


TextKeys = Mapping[str, TextKey | None]
"""Keys by key id; None: deleted, the text is erased; not there: out of reach, the text stays sealed."""


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Where a fact's texts stand, and whose they are."""

    workspace: str
    event_id: str
    stream: str
    actor: str

    def associated(self, pointer: str) -> bytes:
        return associated_data(self.workspace, self.event_id, pointer)

    def owner(self, by: str, data: Any) -> str:
        if by == STREAM_PERSON:
            return self.stream
        return getattr(data, "author", None) or self.actor


def associated_data(workspace: str, event_id: str, pointer: str) -> bytes:
    """Workspace, event id and JSON pointer within ``data``, joined by a zero byte."""
    return b"\x00".join((workspace.encode(), event_id.encode(), pointer.encode()))


def owners(data: Any, place: TextPlace) -> frozenset[str]:
    """Whose keys the texts in a fact's data need."""
    return frozenset(
        place.owner(by, data) for field, by in PERSONAL_FIELDS[type(data)] if _texts(getattr(data, field))
    )


def seal_fact_data(data: Any, place: TextPlace, keys: TextKeys) -> Any:
    """The data with every personal text sealed.

    Raises:
        OwnerShredded: the owner's key is marked deleted (None in ``keys``).
        KeyError: the owner's key is not in ``keys``.
    """
    fields = PERSONAL_FIELDS[type(data)]
    sealed = {}
    for field, by in fields:
        value = getattr(data, field)
        if not _texts(value):
            continue
        owner = place.owner(by, data)
        key = keys[owner]
        if key is None:
            raise OwnerShredded(owner)
        sealed[field] = _each(
            value, field, lambda text, pointer, k=key, o=owner: k.seal(o, text, place.associated(pointer))
        )
    return replace(data, **sealed) if sealed else data


def open_fact_data(data: Any, workspace: str, event_id: str, keys: TextKeys) -> Any:
    """The data with every sealed text in clear, ``[erased]`` or ``[sealed]``. Raises :class:`SealBroken`."""
    opened = {
        field: _each(value, field, lambda text, pointer: _opened(text, workspace, event_id, pointer, keys))
        for field, _ in PERSONAL_FIELDS[type(data)]
        if (value := getattr(data, field))
    }
    return replace(data, **opened) if opened else data


def key_ids(data: Any) -> Iterator[str]:
    """The key ids of the sealed texts in a fact's data (an instance of a fact class)."""
    for field, _ in PERSONAL_FIELDS[type(data)]:
        value = getattr(data, field)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, Sealed):
                yield text.k


def _texts(value: Any) -> bool:
    return value is not None and value != ()


def _each(value: Any, field: str, change: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(change(text, f"/{field}/{index}") for index, text in enumerate(value))
    return change(value, f"/{field}")


def _opened(text: Any, workspace: str, event_id: str, pointer: str, keys: TextKeys) -> str:
    if isinstance(text, str):
        return text
    if text.k not in keys:
        return SEALED_AWAY
    key = keys[text.k]
    return ERASED if key is None else key.open(text, associated_data(workspace, event_id, pointer))


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
