"""Personal text: clear while it is decided, sealed before it is hashed (SPEC 10).

In the stored bytes a sealed text is ``{k: key id, n: nonce, c: ciphertext}``. The key id is the subject whose key it
is: ``person/<id>`` or ``system/<id>``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sealed:
    """A text under its owner's key: AES-256-GCM, nonce and ciphertext in base64url without padding."""

    k: str
    n: str
    c: str


Personal = str | Sealed

AUTHOR = "author"
STREAM_PERSON = "stream person"


def personal(*, by: str = AUTHOR, **more: Any) -> Any:
    """A dataclass field that holds personal text (one or a tuple); ``by`` says whose key seals it."""
    return field(metadata={"personal": by}, **more)
