"""What a run of the campaign says: wrong is what was lost or doubled or did not hold; slow is late, and whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from goal_ledger_local.processes import NotReadyInTime, PartFailed

from faults.waiting import NotInTime

HELD, WRONG, SLOW = 0, 1, 4


@dataclass
class Verdict:
    """Sentences, by kind."""

    wrong: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    """What ended the run before it could compare everything."""

    def add(self, other: Verdict) -> None:
        """Take over what another says."""
        self.wrong += other.wrong
        self.slow += other.slow
        self.stopped += other.stopped

    def ended_by(self, problem: Exception) -> None:
        """The run ended early. Not ready in time is slow: nothing was seen to be lost. All else is wrong."""
        late = isinstance(problem, NotReadyInTime | NotInTime)
        (self.slow if late else self.wrong).append(str(problem))
        self.stopped.append("the run ended there: what came before it was compared, what came after was not")

    @property
    def exit_code(self) -> int:
        """0 held, 1 something is wrong, 4 slow and nothing wrong."""
        return WRONG if self.wrong else SLOW if self.slow else HELD

    def lines(self) -> Iterator[str]:
        """For people; the last one sums up."""
        yield from (f"WRONG {one}" for one in self.wrong)
        yield from (f"SLOW {one}" for one in self.slow)
        yield from self.stopped
        if self.wrong:
            yield "Something was lost, doubled or wrong."
        elif self.slow:
            yield "Nothing was seen lost, doubled or wrong; something was slow."
        else:
            yield "Nothing was lost, doubled or wrong."


ENDS_A_RUN = (PartFailed, NotInTime)
