"""Owners that nobody listed: units and people that rows name are made, if the import asks for it (``create_owners``).

A sheet has names where the ledger has ids: ``unit/Sales & Marketing`` becomes the unit ``sales-marketing`` of that name.
What is there already is left as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.ids import ID
from goal_ledger_domain import person, unit
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import lookups
from goal_ledger_domain.decider import Command
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import OwnerRow, at_of
from goal_ledger_command.importing.rows import ImportRow, Read
from goal_ledger_command.importing.steps import ImportStep, Phase

_FIELDS = ("owner", "contributors")
_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ß": "ss", "ł": "l", "Ł": "L", "đ": "d", "&": " "}
)


def with_owners(reads: Iterable[Read]) -> Iterator[Read]:
    """The rows, with owners' names made ids; then a row for each owner that no row lists."""
    named: dict[str, tuple[str, str, datetime | None]] = {}
    listed: set[str] = set()
    for one in reads:
        if not isinstance(one, ImportRow):
            yield one
            continue
        listed |= {name for name in one.names if one.section in ("units", "people")}
        yield _with_ids(one, named)
    for name, (place, text, since) in named.items():
        if name not in listed:
            kind, _, id = name.partition("/")
            yield ImportRow(
                f"{place}/owner/{id}", "owners", OwnerRow(kind=kind, id=id, name=text, since=since)
            )


def _with_ids(row: ImportRow, named: dict[str, tuple[str, str, datetime | None]]) -> ImportRow:
    item: Any = row.item
    since = at_of(getattr(item, "drafted", None)) or at_of(getattr(item, "activated", None))
    changed: dict[str, Any] = {}
    for field in _FIELDS:
        found = getattr(item, field, None)
        texts = (found,) if isinstance(found, str) else tuple(found or ())
        made = tuple(_noted(text, row.place, since, named) for text in texts)
        if made != texts:
            changed[field] = made[0] if isinstance(found, str) else made
    return replace(row, item=item.model_copy(update=changed)) if changed else row


def _noted(
    text: str, place: str, since: datetime | None, named: dict[str, tuple[str, str, datetime | None]]
) -> str:
    kind, sign, name = text.partition("/")
    if kind not in ("unit", "person") or not sign or not name.strip():
        return text
    id = name if ID.fullmatch(name) else slug(name)
    if not id:
        return text
    first, written, before = named.get(f"{kind}/{id}", (place, name.strip(), since))
    earliest = min((at for at in (before, since) if at is not None), default=None)
    named[f"{kind}/{id}"] = (first, written, earliest)
    return f"{kind}/{id}"


def slug(name: str) -> str:
    """An id for a name, always the same: ``Büro Köln/3`` is ``buro-koln-3``. Empty if no letter of it has a Latin form."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64]


def owner_steps(row: OwnerRow) -> Iterator[ImportStep]:
    def created(world: World, _: Situation, meta: Meta) -> Command | None:
        if world.get(row.kind, row.id) is not None:
            return None
        if row.kind == "unit":
            return unit.CreateUnit(meta, row.id, row.name)
        return person.AddPerson(meta, row.id, row.name)

    asked = () if row.kind == "unit" else lookups(person.AddPerson(_NOBODY, row.id, row.name))
    yield ImportStep(
        Phase.UNITS if row.kind == "unit" else Phase.ORGANISATION, created, row.since, lookups=asked
    )


_NOBODY = Meta(actor="", correlation_id="", causation_id="")
