"""Facts of the stream ``unit/<id>``. These names and fields are stored for ever and published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnitCreated:
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class UnitRenamed:
    name: str


@dataclass(frozen=True, slots=True)
class UnitMoved:
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class UnitClosed:
    pass


@dataclass(frozen=True, slots=True)
class LeadNamed:
    """None: the unit has no lead from now on."""

    person: str | None = None


@dataclass(frozen=True, slots=True)
class PilotWaveJoined:
    wave: str


@dataclass(frozen=True, slots=True)
class PilotWaveLeft:
    wave: str
