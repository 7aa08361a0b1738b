"""A step: one thing that a row says, as the command that is missing for it, found when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any

from goal_ledger_contracts.decision import Identity, Situation
from goal_ledger_domain.command import Meta
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import Happened, at_of, reason_of

Command = Any
Missing = Callable[[World, Situation, Meta], Command | Sequence[Command] | None]
"""The command, or commands, that the state still lacks; None: it is as the row says."""


class Phase(IntEnum):
    """What is taken before what, whatever the times. Within TIMED the order is that of the record, or of time."""

    WORKSPACE = 1
    UNITS = 2
    ORGANISATION = 3
    DRAFTS = 4
    KEY_RESULTS = 5
    BINDINGS = 6
    LINKS = 7
    POLICIES = 8
    TIMED = 9
    ENDINGS = 10


class Rank(IntEnum):
    """What comes first among things of the same time."""

    MOMENT, READING, LINK, ACTIVATION, CHANGE, CHECK_IN, CLOSING, REOPENING, ARCHIVING, CYCLE = range(10)


@dataclass(slots=True)
class Step:
    """``place`` is the row's JSON pointer (or line); ``at`` the time that its fact takes effect, None: now."""

    place: str
    kind: str
    id: str
    phase: Phase
    missing: Missing
    at: datetime | None = None
    reason: str | None = None
    order: int | None = None
    comes_at: datetime | None = None
    """By which it takes its turn among timed steps; None: ``at``."""
    rank: Rank = Rank.CHANGE
    depth: int = 0
    """What lies under others of its kind comes after them."""
    lookups: tuple[Identity, ...] = ()
    neighbours: tuple[tuple[str, datetime], ...] = ()


def timed(
    place: str,
    kind: str,
    id: str,
    rank: Rank,
    missing: Missing,
    happened: Happened | None,
    *,
    default_at: datetime | None = None,
    lookups: tuple[Identity, ...] = (),
) -> Step:
    """A step of the phase TIMED; without a time of its own it comes at ``default_at``, None: last."""
    at = at_of(happened)
    return Step(
        place,
        kind,
        id,
        Phase.TIMED,
        missing,
        at=at,
        reason=reason_of(happened),
        order=None if happened is None else happened.order,
        comes_at=at or default_at,
        rank=rank,
        lookups=lookups,
    )


def not_before(meta: Meta, last: datetime | None) -> Meta:
    """A stated time that lies before the stream's last fact becomes that fact's: as early as the stream allows."""
    stated = meta.effective_at
    if stated is None or last is None or stated >= last:
        return meta
    return replace(meta, effective_at=last)


def now_if_before(meta: Meta, last: datetime) -> Meta:
    """A change that was stated for a time that the stream has passed is news: it takes effect now."""
    stated = meta.effective_at
    return meta if stated is None or stated >= last else replace(meta, effective_at=None)
