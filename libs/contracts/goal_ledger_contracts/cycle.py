"""Facts of the stream ``cycle/<id>``. These names and fields are stored for ever and published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class CyclePlanned:
    """Local dates of the workspace's time zone, the end inclusive."""

    name: str
    start: date
    end: date
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class CycleOpened:
    pass


@dataclass(frozen=True, slots=True)
class CycleLocked:
    """Locked for grading."""


@dataclass(frozen=True, slots=True)
class CycleClosed:
    pass


@dataclass(frozen=True, slots=True)
class CycleReopened:
    pass


@dataclass(frozen=True, slots=True)
class CycleDatesMoved:
    start: date
    end: date
