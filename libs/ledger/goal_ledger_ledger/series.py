"""The points of series as a batch goes on: those the look-up found next to a time, and those the batch itself put.

A counter's reading is compared with its neighbours in time, whether these were recorded long ago or by the command
before it in the same batch. When the batch moves or removes a recorded point, the look-up cannot tell any more what is
next to it: the series is *unsettled*, and whoever asks for it waits for the next batch.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from goal_ledger_contracts.decision import Identity, Neighbours, Point

from goal_ledger_ledger.lookup import Looked, Near, asked_neighbours
from goal_ledger_ledger.submission import Submission

LAST_SEQ, ZERO = 2**63 - 1, Decimal(0)

Placed = tuple[datetime, int, Decimal]
"""Time, seq and value of a point of the batch."""


class Unsettled(Exception):
    """Not decidable within this batch; it goes into the next."""


class Series:
    """The points put and removed by one batch."""

    def __init__(self, looked: Looked) -> None:
        self.put: dict[Identity, tuple[str, datetime, int, Decimal]] = {}
        """(series, time, seq, value)."""
        self.gone: set[Identity] = set()
        self._looked = looked
        self._placed: dict[str, list[Placed]] = {}
        self._unsettled: set[str] = set()

    def neighbours(self, submission: Submission) -> dict[tuple[str, datetime], Neighbours]:
        """What the submission asks for. Raises :class:`Unsettled`."""
        asked = asked_neighbours(submission, self._looked.digests)
        if any(series in self._unsettled for series, _, _ in asked):
            raise Unsettled
        return {
            (series, at): nearest(self._looked.near[series, at, own], self._placed.get(series, ()), at)
            for series, at, own in asked
        }

    def take(self, point: Point, seq: int) -> None:
        """The point was decided, with the fact ``seq``."""
        identity, series = point.identity, point.series
        is_new = (
            identity in self._looked.digests
            and identity not in self._looked.found
            and identity not in self.put
            and identity not in self.gone
        )
        if point.gone:
            self.put.pop(identity, None)
            self.gone.add(identity)
        else:
            self.gone.discard(identity)
            self.put[identity] = (series, point.at, seq, point.value)
        if is_new and not point.gone:
            insort(self._placed.setdefault(series, []), (point.at, seq, point.value))
        else:
            self._unsettled.add(series)


def nearest(
    stored: tuple[Near, Near],
    here: Sequence[Placed],
    at: datetime,
) -> Neighbours:
    """The neighbours of ``at`` among the stored points and those of the batch, of equal times the later recorded."""
    before, after = stored
    index = bisect_right(here, (at, LAST_SEQ, ZERO))
    if index and (before is None or here[index - 1][0] >= before[0]):
        before = (here[index - 1][0], here[index - 1][2])
    if index < len(here) and (after is None or here[index][0] < after[0]):
        after = (here[index][0], here[index][2])
    before_at, value_before = before or (None, None)
    after_at, value_after = after or (None, None)
    return Neighbours(value_before, value_after, before_at, after_at)
