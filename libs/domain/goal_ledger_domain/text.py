"""Validated text, ids and references: what a command says is taken in one clean form, or refused with the field's name.

Text is kept in NFC. Refused: empty text, control characters (a line break and a tab are fine in long texts), halves of
surrogate pairs, and what makes a text read other than it is: the bidirectional embeddings, overrides and isolates
(U+202A–202E, U+2066–2069), the deprecated format characters (U+206A–206F), and tag characters (U+E0000–E007F), which
nobody sees and programs read, but in the flags that Unicode writes with them (England, Scotland, Wales …). Allowed, for
they override nothing and texts in Arabic and Hebrew need them: the marks U+200E, U+200F, U+061C; so are the joiners of
emoji and of many scripts (U+200C, U+200D).
"""

from __future__ import annotations

import re
import unicodedata

from goal_ledger_contracts.ids import ID, WORKSPACE_ID

from goal_ledger_domain import limits
from goal_ledger_domain.refusals import Refusal

_DECEIVES = "\u202a-\u202e\u2066-\u206f\U000e0000-\U000e007f"
REFUSED_IN_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_DECEIVES}]")
_REFUSED_IN_TEXT = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_DECEIVES}]")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
"""A black flag, the tags of a region (``gbsct``), the tag that ends them."""
_NO_SEGMENT = frozenset({".", ".."})
"""Ids that whoever normalises a URL takes out of its path: nobody could address what bears one."""


def line(text: str, field: str, max_characters: int = limits.NAME_MAX_CHARACTERS) -> str:
    """A text on one line: titles, names, units of measure."""
    return _clean(text.strip(), field, max_characters, REFUSED_IN_LINE)


def passage(text: str, field: str, max_characters: int = limits.NOTE_MAX_CHARACTERS) -> str:
    """A text of several lines: notes, descriptions, reasons. Line breaks are kept as ``\\n``."""
    return _clean(text.replace("\r\n", "\n").strip(), field, max_characters, _REFUSED_IN_TEXT)


def exact(text: str, field: str, max_characters: int) -> str:
    """A name that others gave, kept byte for byte because it is compared with what they say: issuer, subject."""
    _clean(text, field, max_characters, REFUSED_IN_LINE)
    return text


def optional_line(
    text: str | None, field: str, max_characters: int = limits.NAME_MAX_CHARACTERS
) -> str | None:
    """None stays None; an empty text is refused, so that there is one way to state nothing."""
    return None if text is None else line(text, field, max_characters)


def optional_passage(
    text: str | None, field: str, max_characters: int = limits.NOTE_MAX_CHARACTERS
) -> str | None:
    return None if text is None else passage(text, field, max_characters)


def _clean(text: str, field: str, max_characters: int, refused: re.Pattern[str]) -> str:
    if refused.search(text) and refused.search(_FLAG.sub("", text)):
        raise Refusal(
            "text_has_control_characters",
            f"{field} holds a control character or one that overrides the direction of writing.",
            field=field,
        )
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text or not (text.isascii() or any(map(_is_visible, text))):
        raise Refusal("text_empty", f"{field} is empty.", field=field)
    if len(text) > max_characters:
        raise Refusal(
            "text_too_long",
            f"{field} has {len(text)} characters; at most {max_characters} are accepted.",
            field=field,
            limit=max_characters,
        )
    return text


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cf", "Zs", "Mn")


def id_of(text: str, field: str) -> str:
    """An id that others choose for what is new: 1–64 of ``A–Z a–z 0–9 . _ -``, but not ``.`` or ``..``."""
    if ID.fullmatch(text) is None or text in _NO_SEGMENT:
        sentence = f"{field} is not 1–64 of A–Z a–z 0–9 . _ - (nor . or .. alone)."
        raise Refusal("id_malformed", sentence, field=field)
    return text


def narrow_id(text: str, field: str) -> str:
    """The id of a workspace or system, which is part of topic names: 1–40 of ``a–z 0–9 -``."""
    if WORKSPACE_ID.fullmatch(text) is None:
        raise Refusal("id_malformed", f"{field} is not 1–40 of a–z 0–9 -.", field=field)
    return text


def reference(text: str, field: str, *kinds: str) -> tuple[str, str]:
    """(kind, id) of ``<kind>/<id>``; the kind must be one of ``kinds``."""
    kind, slash, id = text.partition("/")
    if not slash or kind not in kinds or ID.fullmatch(id) is None:
        raise Refusal(
            "reference_malformed",
            f"{field} is written {' or '.join(f'{kind}/<id>' for kind in kinds)}.",
            field=field,
        )
    return kind, id


def choice(text: str, field: str, allowed: tuple[str, ...]) -> str:
    """One of the words that the field allows."""
    if text not in allowed:
        raise Refusal(
            "choice_unknown", f"{field} is one of {', '.join(allowed)}.", field=field, allowed=list(allowed)
        )
    return text


def at_most(items: tuple[object, ...], field: str, max_items: int) -> None:
    if len(items) > max_items:
        raise Refusal(
            "too_many",
            f"{field} has {len(items)} items; at most {max_items} are accepted.",
            field=field,
            limit=max_items,
        )
