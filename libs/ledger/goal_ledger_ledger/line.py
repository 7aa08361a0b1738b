"""One workspace's commands in line: two queues, and what of them goes into the next batch.

Single commands go first; bulk fills the rest of each batch. So a single command waits for the batch under way and for
the one that is decided meanwhile (``ahead.py``) at most, however many readings wait; and bulk keeps at least half of each
batch.

A batch takes as many as can be decided in its time: what is looked up for a submission that does not fit any more has
to be looked up again, so the number of places follows what the batches before it managed.
"""

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

from goal_ledger_ledger.append import Appender
from goal_ledger_ledger.batch import BATCH_MAX_FACTS, Settled
from goal_ledger_ledger.submission import CommandAnswer, Submission

LEAST_PLACES = 32
"""A batch takes this many submissions at least, however long the last ones took to decide."""


class HandedIn(ABC):
    """Submissions that were handed in together; settled in their order, by one batch or by several."""

    __slots__ = ("outcomes", "submissions")

    def __init__(self, submissions: Sequence[Submission]) -> None:
        self.submissions = submissions
        self.outcomes: list[Settled] = []

    @property
    def left(self) -> int:
        return len(self.submissions) - len(self.outcomes)

    def next(self, places: int, after: int = 0) -> Sequence[Submission]:
        """The next ones after so many, at most ``places``, none that must be alone."""
        at = len(self.outcomes) + after
        some = self.submissions[at : at + places]
        return list(itertools.takewhile(_goes_with_others, some))

    @property
    def next_alone(self) -> Submission | None:
        """The next one if it must be alone in its batch."""
        one = self.submissions[len(self.outcomes)]
        return None if _goes_with_others(one) else one

    def settle(self, outcomes: Sequence[Settled]) -> None:
        self.outcomes += outcomes
        if not self.left:
            self.complete()

    @abstractmethod
    def complete(self) -> None:
        """Nothing is left: answer."""


class Single(HandedIn):
    """One command."""

    __slots__ = ("future",)

    def __init__(self, submission: Submission, future: asyncio.Future[CommandAnswer]) -> None:
        super().__init__((submission,))
        self.future = future

    def complete(self) -> None:
        (outcome,) = self.outcomes
        if self.future.done():
            return
        if isinstance(outcome, CommandAnswer):
            self.future.set_result(outcome)
        else:
            self.future.set_exception(outcome)


class Bulk(HandedIn):
    """Many commands."""

    __slots__ = ("future",)

    def __init__(self, submissions: Sequence[Submission], future: asyncio.Future[list[Settled]]) -> None:
        super().__init__(submissions)
        self.future = future

    def complete(self) -> None:
        if not self.future.done():
            self.future.set_result(self.outcomes)


def _goes_with_others(submission: Submission) -> bool:
    return not (submission.exclusive or submission.creates_workspace)


class Line:
    """The queues of one workspace, the task that empties them, and what it writes with.

    What a batch takes stays in its queue until it is settled: what the batch did not manage is simply still there.
    """

    def __init__(self, appender: Appender) -> None:
        self.appender = appender
        self.singles: deque[HandedIn] = deque()
        self.bulk: deque[HandedIn] = deque()
        self.places = BATCH_MAX_FACTS
        self.task: asyncio.Task[None] | None = None
        self.lock = asyncio.Lock()
        self.erased: set[str] = set()
        self.snapshot_runs = False
        self._shares: list[tuple[deque[HandedIn], int]] = []
        """What the batch under way has taken: from the first request of a queue, so many submissions."""
        self._following: tuple[int, list[Submission], list[tuple[deque[HandedIn], int]]] | None = None
        """Of the batch under way: how many are decided; and what of bulk follows them, as it was told."""

    @property
    def idle(self) -> bool:
        return self.task is None and not self.lock.locked() and not self.snapshot_runs

    @property
    def waiting(self) -> int:
        """Submissions in line."""
        return sum(request.left for queue in (self.singles, self.bulk) for request in queue)

    def take(self) -> list[Submission]:
        """The next batch's submissions: singles first, bulk in what they leave; one that must be alone, alone."""
        if self._following is not None:
            (_, taken, self._shares), self._following = self._following, None
            return taken
        first = self.singles or self.bulk
        if first and (alone := first[0].next_alone) is not None:
            self._shares = [(first, 1)]
            return [alone]
        self._shares = []
        taken = []
        self._take(self.singles, self.places // 2 if self.bulk else self.places, taken)
        self._take(self.bulk, self.places, taken)
        return taken

    def _take(self, queue: deque[HandedIn], places: int, taken: list[Submission]) -> None:
        for request in queue:
            some = request.next(places - len(taken))
            if some:
                taken += some
                self._shares.append((queue, len(some)))
            if len(some) < request.left:
                return

    def following(self, decided: int) -> Sequence[Submission]:
        """What the next batch takes if so many of this one's are settled: bulk behind bulk, at least half a batch.

        While single commands wait it is nothing: they go first.
        """
        taken: list[Submission] = []
        shares: list[tuple[deque[HandedIn], int]] = []
        skipped = decided
        for request in () if self.singles else self.bulk:
            if skipped >= request.left:
                skipped -= request.left
                continue
            some = request.next(self.places - len(taken), skipped)
            if some:
                taken += some
                shares.append((self.bulk, len(some)))
            if skipped + len(some) < request.left:
                break
            skipped = 0
        if 2 * len(taken) < self.places:
            return ()
        self._following = (decided, taken, shares)
        return taken

    def settle(self, outcomes: Sequence[Settled]) -> None:
        """The first of what was taken came to this; the rest stays first in line."""
        if self._following is not None and self._following[0] != len(outcomes):
            self._following = None
        taken, at = 0, 0
        for queue, count in self._shares:
            taken += count
            some = outcomes[at : at + count]
            if some:
                at += len(some)
                queue[0].settle(some)
                if not queue[0].left:
                    queue.popleft()
        if len(outcomes) < taken:
            self.places = max(len(outcomes), LEAST_PLACES)
        elif len(outcomes) >= self.places:
            self.places = min(self.places + self.places // 4, BATCH_MAX_FACTS)
