"""What a batch needs to know of earlier facts: the latest definitions, ends of chains, and readings in quarantine.

Definitions and ends of chains are kept in memory between batches. What is kept of a workspace is good exactly as long as
its position, read under lock, is the one this process left it at: every change of a workspace's rows moves its position,
whoever makes it. Else it is forgotten and loaded anew.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

from goal_ledger_contracts.canonical import decimal_text, instant_text

from goal_ledger_projection.folding.consumer_rule import FoldedUpTo
from goal_ledger_projection.folding.writing import Connection
from goal_ledger_projection.read_models import definitions, readings
from goal_ledger_projection.read_models.changes import (
    Changes,
    DefinitionKey,
    Loaded,
    QuarantinedReading,
    ReadingKey,
    text,
)
from goal_ledger_projection.read_models.fact import JsonObject

Key = TypeVar("Key")
Value = TypeVar("Value")


class KeptAtPosition(Generic[Key, Value]):
    """Values by workspace, at most `limit` of them; the workspaces longest unused go first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, tuple[FoldedUpTo, dict[Key, Value]]] = OrderedDict()
        self._count = 0

    def at(self, workspace: str, position: FoldedUpTo) -> dict[Key, Value]:
        """What is kept of a workspace that stands at `position`."""
        kept = self._kept.get(workspace)
        if kept is None:
            return {}
        if kept[0] != position:
            self.forget(workspace)
            return {}
        self._kept.move_to_end(workspace)
        return kept[1]

    def keep(self, workspace: str, position: FoldedUpTo, latest: dict[Key, Value]) -> None:
        """The workspace now stands at `position`; `latest` are the values loaded or made on the way there."""
        before = self._kept.pop(workspace, None)
        kept = {} if before is None else before[1]
        self._count -= len(kept)
        kept.update(latest)
        if len(kept) > self._limit:
            kept = {}
        self._kept[workspace] = (position, kept)
        self._count += len(kept)
        while self._count > self._limit:
            self.forget(next(iter(self._kept)))

    def forget(self, workspace: str) -> None:
        """Drop what is kept of a workspace."""
        kept = self._kept.pop(workspace, None)
        if kept is not None:
            self._count -= len(kept[1])

    def forget_all(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._count = 0


async def load(
    connection: Connection,
    wanted: Iterable[DefinitionKey],
    in_quarantine: Iterable[ReadingKey],
    known: dict[DefinitionKey, tuple[int, JsonObject]],
) -> Loaded:
    """The definitions wanted that are not in `known` are read from the database; a thing that is not there is left out."""
    loaded = Loaded({key: known[key] for key in wanted if key in known})
    missing = [key for key in wanted if key not in known]
    if missing:
        for row in await connection.fetch(definitions.LATEST, *_columns(missing)):
            loaded.definitions[row[0], row[1], row[2]] = (row[3], json.loads(row[4]))
    keys = list(in_quarantine)
    if keys:
        for row in await connection.fetch(readings.IN_QUARANTINE, *_columns(keys)):
            content = QuarantinedReading(
                instant_text(row["time"]),
                decimal_text(row["value"]),
                text(row["unit"]),
                text(row["mode"]),
                row["recorded_seq"],
            )
            loaded.quarantined[row[0], row[1], row[2], row[3]] = content
    return loaded


def latest_by_workspace(changes: Changes) -> dict[str, dict[DefinitionKey, tuple[int, JsonObject]]]:
    """By workspace, the latest definitions after a batch."""
    grouped: dict[str, dict[DefinitionKey, tuple[int, JsonObject]]] = {}
    for key, latest in changes.latest.items():
        grouped.setdefault(key[0], {})[key] = latest
    return grouped


def _columns(keys: list[DefinitionKey] | list[ReadingKey]) -> list[list[str]]:
    return [list(column) for column in zip(*keys, strict=True)]
