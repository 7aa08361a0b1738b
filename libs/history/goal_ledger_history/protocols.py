"""The two questions that the rules ask: what was defined, and what the values were. Facts or tables answer them."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from goal_ledger_scoring.aggregation import Stretch
from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.windows import Span

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Background
from goal_ledger_history.behind import Behind
from goal_ledger_history.goals import Goal, Version
from goal_ledger_history.last_check_ins import CheckInsBetween, CheckInsHoweverOld, LastCheckIns


@dataclass(slots=True)
class CheckedIn:
    """Asks for a part's checked-in value at (``at``, ``known``) between ``since`` and ``until``: the last one by
    (effective_at, seq) that was recorded under this unit and kind."""

    objective: str
    key_result: str
    part: str
    unit: str | None
    kind: str
    measure_seq: int
    at: datetime
    known: int
    since: datetime | None = None
    until: datetime | None = None


@dataclass(slots=True)
class Fed:
    """Asks for a part's value from its feed; ``stretches``: ``span`` as the scoring library cuts it."""

    feed: str
    aggregation: str
    unit: str | None
    stretches: tuple[Stretch, ...]
    span: Span
    at: datetime
    known: int


Wanted = CheckedIn | Fed
FeedAt = tuple[str, datetime, int]
"""A feed at (T, K)."""

KEY_RESULT_CHANGES = ("KeyResultAdded", "KeyResultWeightChanged", "KeyResultDropped", "KeyResultTakenUp")


class KeyResultChange(NamedTuple):
    """A fact that changed how a key result counts; ``type`` is one of ``KEY_RESULT_CHANGES``."""

    seq: int
    objective: str
    type: str
    key_result: str


class Definitions(Protocol):
    """What was defined. Of everything the definition in effect at (T, K) is the one of the greatest seq up to K that
    took effect by T."""

    @property
    def background(self) -> Background: ...

    @property
    def kept(self) -> MutableMapping[Version, Any]:
        """Where the scores of closings are kept: what they depend on never changes."""

    async def versions_at(self, at: AsOf, ids: Sequence[str] | None) -> list[Version]:
        """The versions in effect of these objectives, or of all; one that did not exist then is left out."""

    async def versions_after(self, id: str, seq: int, known_to: int) -> list[Version]:
        """All versions of an objective after ``seq`` up to ``known_to``, oldest first."""

    async def measured_since(self, spans: Iterable[tuple[str, int, int]]) -> list[Version]:
        """Of each objective those versions after a seq, up to another, in which a measure changed, oldest first."""

    async def goals(self, versions: Iterable[Version]) -> dict[Version, Goal]:
        """The definitions of these versions."""

    async def key_result_changes(self, ids: Iterable[str], known_to: int) -> list[KeyResultChange]:
        """The facts that added, weighed, dropped or took up again key results of these objectives, in seq order."""

    def is_newest(self, at: AsOf) -> bool:
        """True only if no fact lies after it, on either clock."""


class Values(Protocol):
    """What the values were."""

    async def in_force(self, wanted: Sequence[Wanted]) -> list[PartInput]:
        """The value of each, in the same order; evidence are the seqs of the facts it comes from, as text."""

    async def behind(self, wanted: Sequence[Fed]) -> list[Behind]:
        """The readings that each fed value comes from, by stretch, in the same order; event ids are the seqs of the facts
        that hold them, as text."""

    async def last_readings(self, wanted: Iterable[FeedAt]) -> dict[FeedAt, datetime]:
        """The time of each feed's last accepted reading; a feed without one is left out."""

    async def check_ins_between(self, wanted: Sequence[CheckInsBetween]) -> LastCheckIns:
        """What was said last, within these times, on each objective and each of its key results."""

    async def check_ins_however_old(self, wanted: Sequence[CheckInsHoweverOld]) -> LastCheckIns:
        """What was said last, however long ago."""
