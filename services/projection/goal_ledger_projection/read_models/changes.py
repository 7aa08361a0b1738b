"""What a batch of facts comes to: rows in PostgreSQL's COPY text form, and rows of earlier batches that it ends.

The folds are pure: they see the facts in order and what was loaded, and add here. Rows are written as text because
instants, decimals and canonical bytes are already in the form that PostgreSQL reads: nothing is parsed and formatted
again. `ended_seq` is the last column of every table that has it, so that a row ended within its own batch is ended
by changing the tail of its line.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from goal_ledger_projection.read_models.fact import FactRead, JsonObject
from goal_ledger_projection.read_models.reading_sums import SumsOfBatch

NULL = "\\N"
_OPEN = "\t\\N\n"
_ESCAPED = re.compile(r"\\(.)")
_PLAIN = {"t": "\t", "n": "\n", "r": "\r"}

DefinitionKey = tuple[str, str, str]
"""(workspace, kind, id)"""
ReadingKey = tuple[str, str, str, str]
"""(workspace, feed, source, id)"""


def text(value: str | None) -> str:
    """A text in COPY's form."""
    if value is None:
        return NULL
    if value.isalnum():
        return value
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def plain(value: str) -> str | None:
    """The text that :func:`text` gave this form."""
    if "\\" not in value:
        return value
    if value == NULL:
        return None
    return _ESCAPED.sub(lambda found: _PLAIN.get(found[1], found[1]), value)


def texts(values: list[str] | None) -> str:
    """An array of texts in COPY's form."""
    if values is None:
        return NULL
    quoted = ('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in values)
    return text("{" + ",".join(quoted) + "}")


Key = TypeVar("Key", bound=Hashable)


class Ending(Generic[Key]):
    """The rows of one table in a batch, and the ends of rows: those of the batch, and of batches before."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ends: dict[Key, int] = {}
        """Rows of earlier batches: the key, and the seq that ends them."""
        self._open: dict[Key, list[int]] = {}

    def add(self, key: Key, columns: str) -> None:
        """A row, its columns joined by tabs but for `ended_seq`."""
        if key in self._open:
            self._open[key].append(len(self.lines))
        else:
            self._open[key] = [len(self.lines)]
        self.lines.append(columns + _OPEN)

    def end(self, key: Key, seq: int) -> list[str]:
        """The open rows of `key` are ended by the fact `seq`. Returns those of this batch, without `ended_seq`."""
        of_this_batch = self._open.pop(key, None)
        if of_this_batch is None:
            self.ends.setdefault(key, seq)
            return []
        ended = [self.lines[number][: -len(_OPEN)] for number in of_this_batch]
        for number, line in zip(of_this_batch, ended, strict=True):
            self.lines[number] = f"{line}\t{seq}\n"
        return ended


@dataclass(frozen=True, slots=True)
class QuarantinedReading:
    """The content of a reading that waits to be released or rejected, in COPY's form."""

    time: str
    value: str
    unit: str
    mode: str
    recorded_seq: int


@dataclass(slots=True)
class Loaded:
    """What the read database holds of the things that a batch touches."""

    definitions: dict[DefinitionKey, tuple[int, JsonObject]] = field(default_factory=dict)
    """The latest definition of each, with its seq."""
    quarantined: dict[ReadingKey, QuarantinedReading] = field(default_factory=dict)


class Changes:
    """Collects what the read models make of a batch's facts."""

    def __init__(self, loaded: Loaded) -> None:
        self.latest = loaded.definitions
        """By key; the folds put the new ones in."""
        self.quarantined = loaded.quarantined
        self.facts: list[str] = []
        self.sequences: list[str] = []
        self.definitions: Ending[tuple[str, str, str, int]] = Ending()
        self.value_rows: Ending[tuple[str, str]] = Ending()
        self.check_ins: Ending[tuple[str, str]] = Ending()
        self.readings: Ending[ReadingKey] = Ending()
        self.reading_sums = SumsOfBatch()

    def definition(self, fact: FactRead, kind: str, id: str) -> Any | None:
        """The latest body of a thing in the fact's workspace, or None."""
        found = self.latest.get((fact.workspace, kind, id))
        return None if found is None else found[1]
