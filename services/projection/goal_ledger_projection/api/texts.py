"""Opening personal texts in an answer: `[erased]`, `[withheld]` and `[sealed]` stand where there is nothing to open.

Whether a text is erased or withheld is looked at now, by the newest facts, for old tokens too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.facts import FACTS, PERSONAL_FIELDS
from goal_ledger_contracts.personal import Sealed
from goal_ledger_ledger.sealing import ERASED, SEALED_AWAY, SealBroken, TextKeys, associated_data

from goal_ledger_projection.api.text_keys import KeyShelf
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.read_models.definitions import WITHHELD_TEXTS

WITHHELD = "[withheld]"


@dataclass(frozen=True, slots=True)
class Text:
    """A sealed text (or a list of them) and where it stands: the fact's event id and the pointer within `data`."""

    sealed: Any
    event_id: str
    pointer: str


class Texts:
    """Opens the texts of one answer, after :meth:`look_up` was told all of them."""

    def __init__(self, shelf: KeyShelf, snapshot: Snapshot) -> None:
        self._shelf, self._snapshot = shelf, snapshot
        self._keys: TextKeys = {}
        self._withheld: dict[str, set[str]] = {}

    async def look_up(self, texts: Iterable[Text]) -> None:
        """Fetch what is needed to open these."""
        many = [text for text in texts if text.sealed]
        if not many:
            return
        owners = {one["k"] for text in many for one in _pieces(text.sealed) if isinstance(one, dict)}
        self._keys = await self._shelf.keys(self._snapshot, owners)
        events = sorted({text.event_id for text in many})
        for row in await self._snapshot.fetch(WITHHELD_TEXTS, events):
            self._withheld[row["id"]] = set(json.loads(row["pointers"]))

    def open(self, text: Text) -> Any:
        """The text in clear, a list of texts, or None if there is none."""
        if not text.sealed:
            return [] if isinstance(text.sealed, list) else None
        if isinstance(text.sealed, list):
            return [self._one(one, text.event_id, f"{text.pointer}/{i}") for i, one in enumerate(text.sealed)]
        return self._one(text.sealed, text.event_id, text.pointer)

    def _one(self, sealed: Any, event_id: str, pointer: str) -> str:
        pointers = self._withheld.get(event_id, ())
        if pointer in pointers or pointer.rpartition("/")[0] in pointers:
            return WITHHELD
        if isinstance(sealed, str):
            return sealed
        if sealed["k"] not in self._keys:
            return SEALED_AWAY
        key = self._keys[sealed["k"]]
        if key is None:
            return ERASED
        place = associated_data(self._snapshot.workspace, event_id, pointer)
        try:
            return key.open(Sealed(sealed["k"], sealed["n"], sealed["c"]), place)
        except SealBroken:
            return SEALED_AWAY


def texts_of(type: str, event_id: str, data: dict[str, Any]) -> dict[str, Text]:
    """The personal texts of a fact's data, by field."""
    return {
        field: Text(data[field], event_id, f"/{field}")
        for field, _ in PERSONAL_FIELDS[FACTS[type]]
        if field in data
    }


def _pieces(sealed: Any) -> list[Any]:
    return sealed if isinstance(sealed, list) else [sealed]
