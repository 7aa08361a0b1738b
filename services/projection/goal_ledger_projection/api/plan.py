"""One objective on its way to a standing: which definitions it is scored by, at which moment, under which policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from goal_ledger_scoring.inputs import GoalInput
from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.windows import Span

from goal_ledger_projection.api.goals import Goal
from goal_ledger_projection.api.versions import Moment


@dataclass(slots=True)
class Plan:
    """`goal`: its definition at the moment; `defined`: the one it is scored by (of a closed one, that of the closing);
    `moment`: when it is scored at; `committed`: the definition folded up to its first activation, with baselines found since."""

    goal: Goal
    defined: Goal
    committed: Goal | None
    moment: Moment
    rules: Rules
    cycle: Span | None
    is_closed: bool
    amended: GoalInput = field(init=False)
    as_committed: GoalInput = field(init=False)

    @property
    def is_fed(self) -> bool:
        """A part of it takes its value from a feed."""
        return self.defined.is_fed or (self.committed is not None and self.committed.is_fed)

    @property
    def moves_with_time(self) -> bool:
        """Its values may change without a fact of its own: by a window, or by a feed's readings."""
        if self.is_closed:
            return False
        return (
            self.is_fed
            or self.defined.has_windows
            or (self.committed is not None and self.committed.has_windows)
        )

    def moved_to(self, moment: Moment) -> Plan:
        """The same at a later moment; a closed one stays at its closing."""
        if self.is_closed:
            return self
        moved = Plan(self.goal, self.defined, self.committed, moment, self.rules, self.cycle, False)
        moved.amended, moved.as_committed = self.amended, self.as_committed
        return moved
