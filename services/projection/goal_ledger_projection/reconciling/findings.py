"""What a pass found: rows and records that differ, and what could not be looked at, which is never called intact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

STORE, KAFKA, READ = COPIES = ("store", "kafka", "read")

NAMED_MAX = 20
"""Keys named of one table and workspace in one pass; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A row or record that is not what it should be. `table`: or topic; `key`: in the workspace; `what`: in words."""

    copy: str
    table: str
    workspace: str
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class Unread:
    """What of a copy could not be compared, and why. `workspace` empty: all of it."""

    copy: str
    workspace: str
    why: str


@dataclass(slots=True)
class PassReport:
    """Of one pass. Intact is a copy without findings and without anything unread."""

    found: list[Mismatch] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    facts: int = 0
    """Compared, over all workspaces."""

    def add(self, found: Iterable[Mismatch]) -> None:
        self.found += found

    @property
    def is_intact(self) -> bool:
        return not self.found and not self.unread

    def found_in(self, copy: str, workspace: str) -> bool:
        return any((one.copy, one.workspace) == (copy, workspace) for one in self.found)
