"""The language between deciders and the ledger: what a decider is told, and what it decides.

The ledger knows streams, identities and points of series; what they mean is the deciders' business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from goal_ledger_contracts.envelope import CommandMark, Fact, Origin
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.unguarded import unguarded_dataclass


class Identity(NamedTuple):
    """Something whose content is not held in memory: ``check-in``, ``comment``, ``kudos``, ``link``, ``moment``,
    ``person`` (the name), ``reading``, ``reading-correction``.

    ``names`` are compared as bytes: (id,) or, of a reading, (source, id).
    """

    kind: str
    names: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of kind and names, each preceded by its length: the key it is stored under."""
        texts = [text.encode() for text in (self.kind, *self.names)]
        return hashlib.sha256(b"".join([len(text).to_bytes(4, "big") + text for text in texts])).digest()


LIVE, QUARANTINED, ENDED = 0, 1, 2


@unguarded_dataclass
class Found:
    """What is recorded under an identity: the fact that holds its present content, and its state.

    ``fact`` has its personal text in clear (or ``[erased]``); ``subject`` is what the decider noted with the claim.
    """

    fact: Fact
    state: int
    subject: str


@unguarded_dataclass
class Claim:
    """Recorded with the decision's draft number ``draft``: that fact holds the identity's content from now on."""

    identity: Identity
    draft: int
    subject: str
    state: int = LIVE
    keeps_content: bool = False
    """True: only the state changes (released, rejected, retracted); the content stays that of the earlier fact."""


@unguarded_dataclass
class Point:
    """A value of a series by time, kept so that a counter's reading can be compared with its neighbours."""

    series: str
    at: datetime
    value: Decimal
    draft: int
    identity: Identity
    gone: bool = False
    """True: the identity's point is taken out of the series (and nothing is put in its place)."""


@unguarded_dataclass
class Neighbours:
    """The accepted points of a series next before (or at) and next after a time: values, and when they were true."""

    before: Decimal | None = None
    after: Decimal | None = None
    before_at: datetime | None = None
    after_at: datetime | None = None


@unguarded_dataclass
class Draft:
    """A fact decided, not yet numbered. Personal text in it is clear; it is sealed just before the append."""

    stream: str
    data: FactData
    event_id: str
    effective_at: datetime
    actor: str
    correlation_id: str
    causation_id: str
    reason: str | None = None
    stated_at: datetime | None = None
    origin: Origin | None = None

    def as_fact(self, recorded_at: datetime) -> Fact:
        """As it would be recorded then, but for its numbers and its chain: to be folded, not to be kept."""
        return Fact(
            event_id=self.event_id,
            workspace="",
            seq=0,
            stream=self.stream,
            version=0,
            data=self.data,
            effective_at=self.effective_at,
            recorded_at=recorded_at,
            actor=self.actor,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            previous=None,
            reason=self.reason,
            stated_at=self.stated_at,
            origin=self.origin,
        )


@unguarded_dataclass
class Decision:
    """What a command comes to. No drafts: nothing new, the answer is the present version of ``stream``."""

    id: str
    stream: str
    drafts: tuple[Draft, ...] = ()
    claims: tuple[Claim, ...] = ()
    points: tuple[Point, ...] = ()
    same_as: Fact | None = None
    """Set when the same thing was recorded before: the answer names that fact again (same answer, no new fact)."""
    if_match: str | None = None
    """The stream whose version the asker knows (``If-Match``), where it is not ``stream``."""


@unguarded_dataclass
class Situation:
    """What a decider is told beside the folded state.

    ``now`` is the batch's ``recorded_at``; ``found`` and ``neighbours`` answer the submission's look-ups, facts of
    earlier commands of the same batch included; ``versions`` gives the version of a stream (0: none).
    ``remembered`` is for what was found out about this very state: it is empty again as soon as a fact changes the state.
    """

    now: datetime
    position: Position
    found: Mapping[Identity, Found] = field(default_factory=dict)
    neighbours: Mapping[tuple[str, datetime], Neighbours] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    mark: CommandMark | None = None
    remembered: dict[Any, Any] = field(default_factory=dict)
