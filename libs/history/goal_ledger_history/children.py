"""What is aligned with a goal, and what of it counts in its score."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from goal_ledger_scoring.inputs import KEY_RESULTS, ChildLink

from goal_ledger_history.background import Background, Link
from goal_ledger_history.goals import Goal, KeyResult
from goal_ledger_history.plan import Plan


def children_of(
    background: Background, goal: Goal, known_to: int, true_at: datetime | None
) -> tuple[ChildLink, ...]:
    """The links to the goal and to its key results."""
    return tuple(
        [
            ChildLink(link.child, link.contributes, link.weight, None if one is None else one.id, link.seq)
            for link, one in _links(background, goal, known_to, true_at)
        ]
    )


def counted_children(background: Background, plan: Plan) -> set[str]:
    """The objectives that count in the goal's score, by its present definition or by its commitment."""
    sides: list[tuple[Goal, int, datetime | None]] = [
        (plan.defined, plan.moment.known_to, plan.moment.true_at)
    ]
    if plan.committed is not None and plan.committed.activated_seq is not None:
        sides.append((plan.committed, plan.committed.activated_seq, None))
    return {
        link.child
        for goal, known_to, true_at in sides
        for link, one in _links(background, goal, known_to, true_at)
        if link.contributes and (one.is_aligned if one is not None else plan.rules.roll_up != KEY_RESULTS)
    }


def _links(
    background: Background, goal: Goal, known_to: int, true_at: datetime | None
) -> Iterable[tuple[Link, KeyResult | None]]:
    if not background.may_have_children(goal.id, goal.key_results):
        return
    for link in background.links_to(f"objective/{goal.id}", known_to, true_at):
        yield link, None
    for one in goal.key_results:
        for link in background.links_to(f"key-result/{one.id}", known_to, true_at):
            yield link, one
