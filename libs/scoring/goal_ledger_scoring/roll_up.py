"""The scores of a whole alignment tree (SPEC 5 "Roll-up"), children before parents.

An objective's score is the weighted mean of the scores of its contributing children: its key results, the objectives
aligned with it, or both in one pool. Sums are exact and the mean is rounded once, so neither the order of children nor
the order of arrival can matter. A parent's children come from one set of definitions; the caller gives the set *as
committed* and the set *as amended* in two calls, which may share the key result inputs (and then their scores).

The links in force at one position never close a loop, but those of different moments can: as committed, each goal has
the links of its own activation. Then goals take their links in the order in which they were activated, and a link by
which its parent would count in itself is left out. So no later activation moves what a goal was committed to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from goal_ledger_contracts.measures import Aligned

from goal_ledger_scoring.inputs import (
    ALIGNED,
    DRAFT,
    KEY_RESULTS,
    LEFT_OUT_OUTCOMES,
    ChildLink,
    GoalInput,
    KeyResultInput,
)
from goal_ledger_scoring.key_result import score_key_result
from goal_ledger_scoring.numbers import weighted_mean
from goal_ledger_scoring.results import Counted, GoalScore, KeyResultScore, LeftOut

Scored = dict[int, KeyResultScore]
"""Scores by the identity of the key result input they were computed from."""


@dataclass(slots=True)
class Remembered:
    """A goal's score, and all that it was computed from, by identity."""

    goal: GoalInput
    children: tuple[GoalScore | None, ...]
    score: GoalScore


Memory = dict[str, Remembered]
"""By goal: what one call of :func:`score_tree` leaves for the next, in which little has changed."""


def score_tree(
    goals: Mapping[str, GoalInput], scored: Scored | None = None, memory: Memory | None = None
) -> dict[str, GoalScore]:
    """The score of every goal, from one set of definitions. A child that is not among ``goals`` is left out as unknown.

    ``scored``: share one dict between two calls over the same key result inputs, so that each is scored once.
    ``memory``: of an earlier call over other goals, or over the same: a goal whose input is the same object, with the
    same scores beneath it, is not computed again. It is brought up to date.
    """
    shared: Scored = {} if scored is None else scored
    kept: Memory = {} if memory is None else memory
    scores: dict[str, GoalScore] = {}
    order = children_first(goals)
    if len(order) < len(goals):
        goals = _without_loops(goals, goals.keys() - {goal.id for goal in order})
        order = children_first(goals)
    for goal in order:
        beneath = tuple([scores.get(link.child) for link in counting(goal)]) if goal.children else ()
        known = kept.get(goal.id)
        if known is None or known.goal is not goal or not _same(known.children, beneath):
            score = score_goal(goal, goals, scores, shared)
            counts = _feeds_beneath(goal, score, scores)
            if counts:
                score.feeds = counts
                score.feeds_twice = tuple(sorted(feed for feed, times in counts.items() if times > 1))
            known = kept[goal.id] = Remembered(goal, beneath, score)
        scores[goal.id] = known.score
    return scores


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def counting(goal: GoalInput) -> list[ChildLink]:
    """The links by which other objectives count in the goal or in its key results."""
    direct = goal.roll_up != KEY_RESULTS
    aligned = {one.id for one in goal.key_results if type(one.measure) is Aligned}
    return [
        link
        for link in goal.children
        if link.contributes
        and link.weight
        and not link.in_loop
        and (direct if link.key_result is None else link.key_result in aligned)
    ]


def children_first(goals: Mapping[str, GoalInput]) -> list[GoalInput]:
    """Every goal after all that count in it, whatever the order given; without those on a loop or above one."""
    waiting: dict[str, int] = {}
    parents: defaultdict[str, list[str]] = defaultdict(list)
    for goal in goals.values():
        below = {link.child for link in counting(goal) if link.child in goals} if goal.children else ()
        waiting[goal.id] = len(below)
        for child in below:
            parents[child].append(goal.id)
    ready = [name for name, left in waiting.items() if not left]
    found: list[GoalInput] = []
    while ready:
        name = ready.pop()
        found.append(goals[name])
        for parent in parents.get(name, ()):
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    return found


def _without_loops(goals: Mapping[str, GoalInput], tangled: Set[str]) -> dict[str, GoalInput]:
    """The goals, those links marked that close a loop with the links of goals activated earlier."""
    links = sorted(
        ((goals[id], link) for id in tangled for link in counting(goals[id]) if link.child in tangled),
        key=lambda one: (one[0].activated_seq, one[1].seq, one[0].id, one[1].child, one[1].key_result or ""),
    )
    below: defaultdict[str, set[str]] = defaultdict(set)
    closing: defaultdict[str, list[ChildLink]] = defaultdict(list)
    for goal, link in links:
        if _is_beneath(goal.id, link.child, below):
            closing[goal.id].append(link)
        else:
            below[goal.id].add(link.child)
    return {**goals, **{id: _marked(goals[id], many) for id, many in closing.items()}}


def _is_beneath(id: str, start: str, below: Mapping[str, set[str]]) -> bool:
    """Whether the goal ``id`` is ``start`` or counts in it."""
    seen, waiting = {start}, [start]
    while waiting:
        at = waiting.pop()
        if at == id:
            return True
        waiting.extend(below.get(at, set()) - seen)
        seen |= below.get(at, set())
    return False


def _marked(goal: GoalInput, closing: Sequence[ChildLink]) -> GoalInput:
    children = tuple(replace(link, in_loop=any(link is one for one in closing)) for link in goal.children)
    return replace(goal, children=children)


def score_goal(
    goal: GoalInput, goals: Mapping[str, GoalInput], scores: Mapping[str, GoalScore], scored: Scored
) -> GoalScore:
    """One goal's score from those beneath it, without the feeds counted there."""
    if not goal.committed:
        return GoalScore(goal.id, None)
    counted: list[Counted] = []
    left_out: list[LeftOut] = []
    key_results = {one.id: _score_key_result(one, goal, goals, scores, scored) for one in goal.key_results}
    for one in goal.key_results:
        if goal.roll_up == ALIGNED:
            left_out.append(LeftOut(f"key-result/{one.id}", "dropped" if one.dropped else "by_policy"))
        else:
            _count_key_result(one, key_results[one.id], counted, left_out)
    for link in goal.children:
        if link.key_result is None:
            if goal.roll_up == KEY_RESULTS:
                left_out.append(LeftOut(f"objective/{link.child}", _why_shown_only(link)))
            else:
                _count_objective(link, goals, scores, counted, left_out)
    if goal.kept is not None:
        score, kept = goal.kept.score, True
    else:
        score, kept = weighted_mean([(one.weight, one.score) for one in counted]), False
    return GoalScore(goal.id, score, key_results, tuple(counted), tuple(left_out), kept=kept)


def _why_shown_only(link: ChildLink) -> str:
    return "by_policy" if link.contributes else "supports"


def _score_key_result(
    one: KeyResultInput,
    goal: GoalInput,
    goals: Mapping[str, GoalInput],
    scores: Mapping[str, GoalScore],
    scored: Scored,
) -> KeyResultScore:
    if type(one.measure) is Aligned:
        counted: list[Counted] = []
        left_out: list[LeftOut] = []
        for link in goal.children:
            if link.key_result == one.id:
                _count_objective(link, goals, scores, counted, left_out)
        return score_key_result(one, counted, left_out)
    known = scored.get(id(one))
    if known is None:
        known = scored[id(one)] = score_key_result(one)
    return known


def _count_key_result(
    one: KeyResultInput, score: KeyResultScore, counted: list[Counted], left_out: list[LeftOut]
) -> None:
    ref = f"key-result/{one.id}"
    if one.dropped:
        left_out.append(LeftOut(ref, "dropped"))
    elif not one.weight:
        left_out.append(LeftOut(ref, "weight_zero"))
    elif score.score is None:
        left_out.append(LeftOut(ref, score.state))
    else:
        counted.append(Counted(ref, one.weight, score.score))


def _count_objective(
    link: ChildLink,
    goals: Mapping[str, GoalInput],
    scores: Mapping[str, GoalScore],
    counted: list[Counted],
    left_out: list[LeftOut],
) -> None:
    ref = f"objective/{link.child}"
    why = _why_left_out(link, goals.get(link.child))
    score = None if why else scores[link.child].score
    if why:
        left_out.append(LeftOut(ref, why))
    elif score is None:
        left_out.append(LeftOut(ref, "not_measured"))
    else:
        counted.append(Counted(ref, link.weight, score))


def _why_left_out(link: ChildLink, child: GoalInput | None) -> str | None:
    if not link.contributes:
        return "supports"
    if link.in_loop:
        return "loop"
    if child is None:
        return "unknown"
    if not child.committed:
        return "not_committed"
    if child.state == DRAFT:
        return "draft"
    if child.outcome in LEFT_OUT_OUTCOMES:
        return child.outcome
    return None if link.weight else "weight_zero"


def _feeds_beneath(goal: GoalInput, score: GoalScore, scores: Mapping[str, GoalScore]) -> Counter[str]:
    """How often each feed is counted under this goal: by its own key results and through each counted child. A part
    without a score counts nothing of its feed."""
    found: Counter[str] = Counter(goal.kept.feeds if goal.kept is not None else None)
    for child in score.counted:
        kind, _, id = child.ref.partition("/")
        if kind == "objective":
            found.update(scores[id].feeds)
            continue
        one = score.key_results[id]
        found.update(
            part.input.feed for part in one.parts.values() if part.input.feed and part.score is not None
        )
        for aligned in one.counted:
            found.update(scores[aligned.ref.removeprefix("objective/")].feeds)
    return found
