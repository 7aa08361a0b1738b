"""One objective on its way to a standing: which definitions it is scored by, at which moment, under which policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from goal_ledger_scoring.inputs import GoalInput
from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.windows import Span

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Background
from goal_ledger_history.goals import Goal, Version


@dataclass(slots=True)
class Plan:
    """``goal``: its definition at the moment; ``defined``: the one it is scored by (of a closed one, that of the closing);
    ``moment``: when it is scored at; ``committed``: the definition folded up to its first activation, with baselines found since."""

    goal: Goal
    defined: Goal
    committed: Goal | None
    moment: AsOf
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

    def moved_to(self, moment: AsOf) -> Plan:
        """The same at a later moment; a closed one stays at its closing."""
        if self.is_closed:
            return self
        moved = Plan(self.goal, self.defined, self.committed, moment, self.rules, self.cycle, False)
        moved.amended, moved.as_committed = self.amended, self.as_committed
        return moved


def planned(
    goal: Goal,
    others: Mapping[Version, Goal],
    background: Background,
    common: CommonGround,
    moment: AsOf,
    unclosed: str | None,
) -> Plan:
    """The plan of one: of a closed one at its closing, unless it is ``unclosed``. ``others``: its definitions there and
    at its activation."""
    committed = None if goal.activated_seq is None else others[goal.id, goal.activated_seq]
    closing = goal.closing if goal.id != unclosed else None
    if closing is None:
        rules = common.rules(goal)
        return Plan(goal, goal, committed, moment, rules, common.cycle(goal, rules), False)
    then = AsOf(closing.at, closing.seq)
    defined = goal if goal.seq == closing.seq else others[goal.id, closing.seq]
    rules = background.rules(goal.id, defined.owner, then.known_to, then.true_at)
    cycle = background.cycle_span(defined.cycle, then.known_to, then.true_at, rules.time_zone)
    return Plan(goal, defined, committed, then, rules, cycle, True)


class CommonGround:
    """Policies and cycles of goals at one moment: looked up once per owner (save for goals with a policy of their own)
    and once per cycle."""

    def __init__(self, background: Background, at: AsOf) -> None:
        self._background, self._at = background, at
        self._rules: dict[str, Rules] = {}
        self._cycles: dict[tuple[str | None, str], Span | None] = {}

    def rules(self, goal: Goal) -> Rules:
        """The policy in force."""
        known_to, true_at = self._at.known_to, self._at.true_at
        if self._background.policy(f"objective/{goal.id}", known_to, true_at) is not None:
            return self._background.rules(goal.id, goal.owner, known_to, true_at)
        known = self._rules.get(goal.owner)
        if known is None:
            known = self._rules[goal.owner] = self._background.rules(goal.id, goal.owner, known_to, true_at)
        return known

    def cycle(self, goal: Goal, rules: Rules) -> Span | None:
        """The instants of its cycle."""
        key = (goal.cycle, rules.time_zone)
        if key not in self._cycles:
            self._cycles[key] = self._background.cycle_span(
                goal.cycle, self._at.known_to, self._at.true_at, rules.time_zone
            )
        return self._cycles[key]
