"""One workspace's commands in line: two queues, and what of them goes into the next batch.

Single commands go first; bulk fills the rest of each batch. So a single command waits for one batch at most, however
many readings wait, and bulk keeps at least half of each batch.

A batch takes as many as can be decided in its time: what is looked up for a submission that does not fit any more has
to be looked up again, so the number of places follows what the batches before it managed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from goal_ledger_ledger.append import Appender
from goal_ledger_ledger.batch import BATCH_MAX_FACTS, Outcome
from goal_ledger_ledger.submission import Answer, NotRecorded, Submission

LEAST_PLACES = 32
"""A batch takes this many submissions at least, however long the last ones took to decide."""


class Group:
    """A bulk request: its outcomes, complete when none is left."""

    __slots__ = ("future", "left", "outcomes")

    def __init__(self, size: int, future: asyncio.Future[list[Outcome]]) -> None:
        self.outcomes: list[Outcome] = [NotRecorded("not decided")] * size
        self.left = size
        self.future = future


class Waiting:
    """A submission in line, and where its outcome goes: a caller's future, or a place in a group."""

    __slots__ = ("future", "group", "index", "submission")

    def __init__(
        self,
        submission: Submission,
        future: asyncio.Future[Answer] | None = None,
        group: Group | None = None,
        index: int = 0,
    ) -> None:
        self.submission, self.future, self.group, self.index = submission, future, group, index

    def settle(self, outcome: Outcome) -> None:
        if self.group is not None:
            self.group.outcomes[self.index] = outcome
            self.group.left -= 1
            if not self.group.left and not self.group.future.done():
                self.group.future.set_result(self.group.outcomes)
        elif self.future is not None and not self.future.done():
            if isinstance(outcome, Answer):
                self.future.set_result(outcome)
            else:
                self.future.set_exception(outcome)

    @property
    def alone(self) -> bool:
        return self.submission.exclusive or self.submission.creates_workspace


class Line:
    """The queues of one workspace, the task that empties them, and what it writes with."""

    def __init__(self, appender: Appender) -> None:
        self.appender = appender
        self.singles: deque[Waiting] = deque()
        self.bulk: deque[Waiting] = deque()
        self.places = BATCH_MAX_FACTS
        self.task: asyncio.Task[None] | None = None
        self.lock = asyncio.Lock()
        self.erased: set[str] = set()
        self.snapshot_runs = False

    @property
    def idle(self) -> bool:
        return self.task is None and not self.lock.locked() and not self.snapshot_runs

    def take(self) -> list[Waiting]:
        """The next batch's submissions: singles first, bulk in what they leave; one that must be alone, alone."""
        for queue in (self.singles, self.bulk):
            if queue and queue[0].alone:
                return [queue.popleft()]
            if queue:
                break
        taken: list[Waiting] = []
        for queue, places in (
            (self.singles, self.places // 2 if self.bulk else self.places),
            (self.bulk, self.places),
        ):
            while queue and len(taken) < places and not queue[0].alone:
                taken.append(queue.popleft())
        return taken

    def put_back(self, undecided: Sequence[Waiting], decided: int) -> None:
        """What the batch did not take stays first in line."""
        if undecided:
            self.places = max(decided, LEAST_PLACES)
        elif decided >= self.places:
            self.places = min(self.places + self.places // 4, BATCH_MAX_FACTS)
        for waiting in reversed(undecided):
            (self.singles if waiting.group is None else self.bulk).appendleft(waiting)
