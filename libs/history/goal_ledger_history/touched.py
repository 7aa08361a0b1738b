"""Which goals' inputs a fact can change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from goal_ledger_contracts import objective
from goal_ledger_contracts.envelope import Fact

_COUNTED_WHENEVER = (
    *("MomentRecorded", "MomentCorrected", "MomentRetracted", "WorkspaceCreated"),
    *("FeedRegistered", "FeedRedefined", "CounterRestarted", "CounterRestartRetracted"),
    *("ReadingReleased", "ReadingRejected", "ReadingCorrected", "ReadingRetracted"),
    *("CheckInCorrected", "CheckInRetracted"),
)


def counts_at_once(fact: Fact) -> bool:
    """Once it is known it counts also for a time before it took effect: it ends or moves something earlier."""
    return type(fact.data).__name__ in _COUNTED_WHENEVER


class Touched:
    """By the facts at hand: which goals were ever fed by a feed or put in a cycle."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._of_thing: defaultdict[str, set[str]] = defaultdict(set)
        self._objective_of: dict[str, str] = {}
        for fact in facts:
            match data := fact.data:
                case objective.PartBound():
                    self._of_thing[f"feed/{data.feed}"].add(fact.stream_id)
                case objective.ObjectiveDrafted() | objective.PutInCycle() | objective.MovedToCycle():
                    self._of_thing[f"cycle/{data.cycle}"].add(fact.stream_id)
                case objective.KeyResultAdded():
                    self._objective_of[data.key_result] = fact.stream_id

    def by(self, fact: Fact) -> set[str] | None:
        """The goals; None: perhaps all."""
        kind, _, id = fact.stream.partition("/")
        if kind in ("feed", "cycle"):
            return self._of_thing.get(fact.stream, set())
        if kind != "objective":
            return None
        if isinstance(fact.data, objective.ObjectiveAligned | objective.ObjectiveUnaligned):
            what, _, parent = fact.data.parent.partition("/")
            return {id, parent if what == "objective" else self._objective_of.get(parent, "")}
        is_of_none = isinstance(fact.data, objective.CheckInRecorded) and fact.data.key_result is None
        return set() if is_of_none else {id}
