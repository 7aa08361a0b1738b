"""A history from facts in memory."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Set
from typing import Any, TypeVar

from goal_ledger_contracts.envelope import Fact

from goal_ledger_history.background import NONE_LATER
from goal_ledger_history.definitions_in_facts import DefinitionsInFacts
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_history.values_in_facts import Readings, ReadingsInFacts, ValuesInFacts

T = TypeVar("T")

NEEDED: dict[str, tuple[str, ...]] = {
    "workspace": ("WorkspaceCreated", "PolicySet", "MomentRecorded", "MomentCorrected", "MomentRetracted"),
    "unit": ("UnitCreated", "UnitMoved"),
    "person": ("LeaveBegun", "LeaveEnded"),
    "cycle": ("CyclePlanned", "CycleDatesMoved"),
    "feed": ("FeedRegistered", "FeedRedefined", "CounterRestarted", "CounterRestartRetracted"),
}
"""By kind of stream the types of facts that a history needs, save readings; of objectives it needs all."""


def history_of(
    facts: Iterable[Fact], readings: Readings | None = None, later: Set[int] = NONE_LATER
) -> ScoresAt:
    """The history that these facts tell, which come in seq order. ``readings``: where those of feeds are kept, if not
    among the facts. ``later``: as of :class:`goal_ledger_history.background.Background`."""
    definitions, told = DefinitionsInFacts(later), ReadingsInFacts(later)
    values = ValuesInFacts(told if readings is None else readings, later)
    for fact in facts:
        definitions.take(fact)
        values.take(fact)
        told.take(fact)
    return ScoresAt(definitions, values)


def answered(question: Coroutine[Any, Any, T]) -> T:
    """The answer of a history that holds everything in memory: nothing in it ever waits."""
    try:
        question.send(None)
    except StopIteration as answer:
        found: T = answer.value
        return found
    question.close()
    raise RuntimeError("this history waits for something outside memory")
