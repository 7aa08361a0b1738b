"""A step: one thing that a row says, as the command that is missing for it, found when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from goal_ledger_contracts.decision import Identity, Situation
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decider import Command
from goal_ledger_domain.world import World

from goal_ledger_command.importing.document import Happened, at_of, reason_of
from goal_ledger_command.importing.when import Day, within_day

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

    MOMENT, READING, LINK, ACTIVATION, CHANGE, CHECK_IN, DROP, CLOSING, REOPENING, ARCHIVING, CYCLE = range(
        11
    )


@dataclass(slots=True)
class ImportStep:
    """``at``: the time that its fact takes effect, None: now; ``within``: what of the row it is, empty: the row itself."""

    phase: Phase
    missing: Missing
    at: datetime | None = None
    reason: str | None = None
    order: int | None = None
    comes_at: datetime | None = None
    """By which it takes its turn among timed steps; None: last."""
    rank: Rank = Rank.CHANGE
    sort: int = 0
    """Within ORGANISATION: which kinds of things come first."""
    after: tuple[str, ...] = ()
    """What must have been opened before, if the import opens it (:class:`goal_ledger_command.importing.order.Openings`)."""
    is_stated: bool = False
    """Whether ``at`` was stated for this very thing: then it is told if it could not be kept."""
    within: str = ""
    lookups: tuple[Identity, ...] = ()
    neighbours: tuple[tuple[str, datetime], ...] = ()


def timed(
    rank: Rank,
    missing: Missing,
    happened: Happened | None,
    *,
    default_at: datetime | None = None,
    within: str = "",
    after: tuple[str, ...] = (),
    lookups: tuple[Identity, ...] = (),
) -> ImportStep:
    """A step of the phase TIMED; without a time of its own it comes at ``default_at``, None: last."""
    at = at_of(happened)
    return ImportStep(
        Phase.TIMED,
        missing,
        at=at,
        reason=reason_of(happened),
        order=None if happened is None else happened.order,
        comes_at=at or default_at,
        rank=rank,
        within=within,
        after=after,
        lookups=lookups,
    )


def not_before(meta: Meta, last: datetime | None) -> Meta:
    """A time that lies before the stream's last fact becomes that fact's: as early as the stream allows."""
    stated = meta.effective_at
    if stated is None or last is None or stated >= last:
        return meta
    return replace(meta, effective_at=last)


def kept(meta: Meta, last: datetime) -> Meta:
    """A stated time is kept, of a day the earliest that the stream allows; what lies before is for the decider to refuse."""
    stated = meta.effective_at
    if not isinstance(stated, Day):
        return meta
    return replace(meta, effective_at=within_day(stated, last))
