"""Facts of the stream ``workspace/<id>``: the organisation, its policy, moments, access and systems.

These names and fields are stored for ever and published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.taking_effect import counts_when_recorded


@counts_when_recorded
@dataclass(frozen=True, slots=True)
class WorkspaceCreated:
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What is set; what is None here is inherited: a unit's objective from the unit, unit from its parent, else workspace."""

    time_zone: str | None = None
    on_track_points: Decimal | None = None
    behind_points: Decimal | None = None
    roll_up: str | None = None
    cadence_weeks: int | None = None
    anchor_weekday: int | None = None
    grace_days: int | None = None
    feeds_count_as_word: bool | None = None
    max_key_results: int | None = None
    max_active_objectives: int | None = None


@dataclass(frozen=True, slots=True)
class PolicySet:
    """``scope`` is ``workspace``, ``unit/<id>`` or ``objective/<id>``; ``revision`` counts from 1 within the scope."""

    scope: str
    revision: int
    policy: Policy


@counts_when_recorded
@dataclass(frozen=True, slots=True)
class MomentRecorded:
    name: str
    at: datetime


@counts_when_recorded
@dataclass(frozen=True, slots=True)
class MomentCorrected:
    name: str
    at: datetime


@counts_when_recorded
@dataclass(frozen=True, slots=True)
class MomentRetracted:
    name: str


@dataclass(frozen=True, slots=True)
class IdentityLinked:
    issuer: str
    subject: str
    person: str


@dataclass(frozen=True, slots=True)
class IdentityUnlinked:
    """Whoever signs in with it is nobody here from now on."""

    issuer: str
    subject: str
    person: str


@dataclass(frozen=True, slots=True)
class RoleGranted:
    """``holder`` is ``person/<id>`` or ``system/<id>``."""

    holder: str
    role: str


@dataclass(frozen=True, slots=True)
class RoleRevoked:
    holder: str
    role: str


@dataclass(frozen=True, slots=True)
class KeyIssued:
    """``digest`` is the SHA-256 of the whole key, in hex; the key itself is only in the first answer."""

    key: str
    holder: str
    digest: str


@dataclass(frozen=True, slots=True)
class KeyRotated:
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    key: str


@dataclass(frozen=True, slots=True)
class SystemRegistered:
    system: str
    name: str


@dataclass(frozen=True, slots=True)
class SystemRetired:
    system: str


@dataclass(frozen=True, slots=True)
class TextWithheld:
    """One personal text that every answer shows as ``[withheld]``: the fact it is in and the JSON pointer in its data."""

    fact: str
    pointer: str


@dataclass(frozen=True, slots=True)
class LostHead:
    seq: int
    root: str


@dataclass(frozen=True, slots=True)
class StoreRestored:
    """The first own fact of a new epoch: the last fact kept, and the heads signed beyond it that are lost."""

    fork_seq: int
    epoch: int
    lost_heads: tuple[LostHead, ...] = ()
