"""Personal texts in facts: sealed, under the key of whose text it is, and none after that person was shredded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from goal_ledger_contracts.facts import FACTS, PERSONAL_FIELDS
from goal_ledger_contracts.personal import STREAM_PERSON

Json = dict[str, Any]

PERSONAL: dict[str, tuple[tuple[str, str], ...]] = {
    name: fields for name, cls in FACTS.items() if (fields := PERSONAL_FIELDS[cls])
}
"""By type of fact: (field, whose key)."""


class TextFound(NamedTuple):
    """``text``: as it stands in the fact. ``owner``: the subject whose key must seal it."""

    pointer: str
    text: Any
    owner: str


def texts_of(fact: Json) -> Iterator[TextFound]:
    """All personal texts of a fact."""
    data = fact["data"]
    for field, by in PERSONAL.get(fact["type"], ()):
        value = data.get(field)
        if value is None:
            continue
        owner = fact["stream"] if by == STREAM_PERSON else data.get("author") or fact["actor"]
        if isinstance(value, list):
            for index, one in enumerate(value):
                yield TextFound(f"/{field}/{index}", one, owner)
        else:
            yield TextFound(f"/{field}", value, owner)


def is_sealed(text: Any) -> bool:
    """Whether it is ``{k, n, c}``."""
    return (
        type(text) is dict
        and text.keys() == {"k", "n", "c"}
        and all(type(one) is str for one in text.values())
    )
