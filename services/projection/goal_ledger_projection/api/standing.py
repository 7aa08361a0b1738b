"""How goals stand at (T, K): both scores, expected score and status, for any number of objectives at once.

Definitions, values, readings and check-ins are each read by one statement for all goals; the arithmetic is the scoring
library's. A closed objective is computed at its closing, (closing instant, seq of the closing), and keeps that; the
rows it depends on never change, so what was computed once is kept in memory.

A whole tree is computed from the tree before it where that is sound: see :meth:`Standings.tree`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from goal_ledger_scoring.inputs import KEY_RESULTS, ChildLink, GoalInput, Kept
from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.results import GoalScore
from goal_ledger_scoring.roll_up import Memory, Scored, score_tree
from goal_ledger_scoring.windows import Span

from goal_ledger_projection.api.changes_since import touched_since
from goal_ledger_projection.api.commitment import complete_all
from goal_ledger_projection.api.context import Context, Contexts, Link
from goal_ledger_projection.api.database import Snapshot
from goal_ledger_projection.api.gathering import Gathering, Ground
from goal_ledger_projection.api.goals import Goal, KeyResult, KnownGoals
from goal_ledger_projection.api.plan import Plan
from goal_ledger_projection.api.statuses import Standing, Statuses, hearing, last_hearing
from goal_ledger_projection.api.values import last_readings
from goal_ledger_projection.api.versions import Moment, is_present, versions_at
from goal_ledger_projection.api.words import Words, last_words, words

IN_ITS_OWN_THREAD_FROM = 200
"""Objectives: from here on the arithmetic runs in a thread, so that small questions are answered meanwhile."""


@dataclass(frozen=True, slots=True)
class _KeptGoal:
    amended: GoalInput
    as_committed: GoalInput
    scores: tuple[GoalScore, GoalScore] | None
    """Set if other objectives count in it: then its children are not those of today."""


@dataclass(slots=True)
class Tree:
    """Every objective of a workspace at one moment, and what the next tree can take over."""

    moment: Moment
    seq: int
    """The newest fact that was seen."""
    present: bool
    standings: dict[str, Standing]
    plans: dict[str, Plan]
    said: Words
    amended: Memory = field(default_factory=dict)
    as_committed: Memory = field(default_factory=dict)
    written: dict[str, object] = field(default_factory=dict)
    """What answers wrote of its goals, for them to use again (`alignment.py`)."""


class Standings:
    """Computes standings; keeps what never changes."""

    def __init__(self, goals: KnownGoals, contexts: Contexts, kept_limit: int = 20_000) -> None:
        self.goals, self.contexts = goals, contexts
        self._kept: OrderedDict[tuple[str, int, str, int], _KeptGoal] = OrderedDict()
        self._kept_limit = kept_limit

    async def at(
        self,
        snapshot: Snapshot,
        moment: Moment,
        ids: Sequence[str],
        *,
        unclosed: str | None = None,
    ) -> dict[str, Standing]:
        """How these objectives stand, with the last check-ins however old; one that did not exist then is left out.

        `unclosed`: the objective that is computed at the moment although it is closed.
        """
        context = await self.contexts.at(snapshot)
        plans = await self._plans(snapshot, context, moment, ids, unclosed)
        gathering = Gathering(context)
        for plan in plans.values():
            await self._inputs(snapshot, context, gathering, plan)
        await gathering.fetch(snapshot)
        scored: Scored = {}
        amended = score_tree({id: plan.amended for id, plan in plans.items()}, scored)
        committed = score_tree({id: plan.as_committed for id, plan in plans.items()}, scored)
        self._keep(snapshot, plans, amended, committed)
        asked = {id: plans[id] for id in ids if id in plans}
        said = await last_words(snapshot, [last_hearing(plan) for plan in asked.values()])
        statuses = Statuses(context, gathering, said, await _feeds(snapshot, asked.values()))
        return {id: statuses.standing(plan, amended[id], committed[id]) for id, plan in asked.items()}

    async def tree(self, snapshot: Snapshot, moment: Moment, before: Tree | None = None) -> Tree:
        """How every objective stands.

        `before`: a tree of the same workspace and epoch. If it was of the present then, and this is of the present now,
        the facts in between tell which objectives have other definitions or values; all others keep theirs, save those
        with windows or feeds, whose values move with time. Their scores are then the same objects, and only expected
        scores and statuses are computed anew. If units, cycles, policies, moments, feeds or links changed, or too much
        else, all is computed.
        """
        context = await self.contexts.at(snapshot)
        present = is_present(snapshot, moment)
        touched = None
        if before is not None and before.present and present and before.moment.as_of <= moment.as_of:
            touched = await touched_since(snapshot, before.seq)
        if before is None or touched is None:
            before, plans, touched = None, await self._plans(snapshot, context, moment, None, None), None
            stale = set(plans)
        else:
            fresh = await self._plans(snapshot, context, moment, sorted(touched), None, with_counted=False)
            plans = {id: plan.moved_to(moment) for id, plan in before.plans.items()}
            plans.update(fresh)
            stale = {*fresh, *(id for id, plan in plans.items() if plan.moves_with_time)}
        assert snapshot.position is not None
        made = Tree(moment, snapshot.position.seq, present, {}, plans, {})
        await self._score(snapshot, context, made, before, stale, touched)
        return made

    async def _score(
        self,
        snapshot: Snapshot,
        context: Context,
        made: Tree,
        before: Tree | None,
        stale: set[str],
        touched: set[str] | None,
    ) -> None:
        plans = made.plans
        gathering = Gathering(context)
        made.said = await self._inputs_and_words(snapshot, context, gathering, made, stale, touched)
        await gathering.fetch(snapshot)
        if before is not None:
            made.amended, made.as_committed = dict(before.amended), dict(before.as_committed)
            made.written = before.written
        fed = await _feeds(snapshot, plans.values())

        def compute() -> None:
            scored: Scored = {}
            amended = score_tree({id: plan.amended for id, plan in plans.items()}, scored, made.amended)
            for id in stale:
                if plans[id].as_committed is plans[id].amended:
                    made.as_committed[id] = made.amended[id]
            committed = score_tree(
                {id: plan.as_committed for id, plan in plans.items()}, scored, made.as_committed
            )
            self._keep(snapshot, plans, amended, committed)
            unchanged: dict[str, Standing] = {}
            if before is not None and touched is not None:
                made.said.update((key, one) for key, one in before.said.items() if key[0] not in touched)
                unchanged = {id: one for id, one in before.standings.items() if id not in stale}
            statuses = Statuses(context, gathering, made.said, fed)
            made.standings = {
                id: statuses.standing(plan, amended[id], committed[id], unchanged.get(id))
                for id, plan in plans.items()
            }

        if len(plans) > IN_ITS_OWN_THREAD_FROM:
            await asyncio.to_thread(compute)
        else:
            compute()

    async def _inputs_and_words(
        self,
        snapshot: Snapshot,
        context: Context,
        gathering: Gathering,
        made: Tree,
        stale: set[str],
        touched: set[str] | None,
    ) -> Words:
        """The inputs of the stale goals, put together while the database looks for what was said of those touched
        (None: of all). Closed ones may ask the database themselves, so they come after."""
        plans = made.plans
        asked = plans.values() if touched is None else [plans[id] for id in touched if id in plans]
        listening = asyncio.create_task(words(snapshot, [hearing(plan) for plan in asked]))
        await asyncio.sleep(0)
        try:
            for id in stale:
                if not plans[id].is_closed:
                    await self._inputs(snapshot, context, gathering, plans[id])
        finally:
            said = await listening
        for id in stale:
            if plans[id].is_closed:
                await self._inputs(snapshot, context, gathering, plans[id])
        return said

    async def _plans(
        self,
        snapshot: Snapshot,
        context: Context,
        moment: Moment,
        ids: Sequence[str] | None,
        unclosed: str | None,
        *,
        with_counted: bool = True,
    ) -> dict[str, Plan]:
        assert snapshot.position is not None
        epoch = snapshot.position.epoch
        plans: dict[str, Plan] = {}
        ground = _CommonGround(context, moment)
        asked: Sequence[str] | None = ids
        while asked is None or asked:
            versions = await versions_at(snapshot, moment, asked)
            goals = list((await self.goals.get(snapshot, epoch, versions)).values())
            goals.sort(key=lambda goal: goal.id)
            others = await self.goals.get(snapshot, epoch, _other_versions(goals, unclosed))
            made = [_plan(goal, others, context, ground, moment, unclosed) for goal in goals]
            completed = await complete_all(
                snapshot, epoch, self.goals, [plan.defined for plan in made], others
            )
            for plan in made:
                plan.committed = completed.get(plan.goal.id, plan.committed)
                plans[plan.goal.id] = plan
            if ids is None or not with_counted:
                break
            counted = {child for goal in goals for child in _counted_children(context, plans[goal.id])}
            asked = sorted(counted - plans.keys())
        return plans

    async def _inputs(self, snapshot: Snapshot, context: Context, gathering: Gathering, plan: Plan) -> None:
        goal = plan.goal
        if plan.is_closed:
            kept = self._kept.get(_kept_key(snapshot, plan))
            if kept is None and _counted_children(context, plan):
                kept = await self._kept_with_children(snapshot, plan)
            if kept is not None:
                plan.amended = replace(kept.amended, state=goal.stage, outcome=goal.outcome)
                plan.as_committed = replace(kept.as_committed, state=goal.stage, outcome=goal.outcome)
                return
        ground = Ground(goal.id, plan.moment, plan.cycle, plan.rules.time_zone)
        plan.amended = GoalInput(
            goal.id,
            tuple(
                [gathering.key_result(one, ground, dropped=one.dropped) for one in plan.defined.key_results]
            ),
            _children(context, plan.defined, plan.moment.seq, plan.moment.as_of),
            plan.rules.roll_up,
            goal.stage,
            goal.outcome,
            activated_seq=goal.activated_seq or 0,
        )
        plan.as_committed = _committed_input(context, gathering, plan)

    async def _kept_with_children(self, snapshot: Snapshot, plan: Plan) -> _KeptGoal:
        """The score at the closing of an objective in which others count: theirs as they were then."""
        then = await self.at(snapshot, plan.moment, [plan.goal.id], unclosed=plan.goal.id)
        standing = then[plan.goal.id]
        scores = (standing.amended, standing.as_committed)
        kept_amended, kept_committed = (Kept(one.score, one.feeds) for one in scores)
        amended = GoalInput(plan.goal.id, kept=kept_amended)
        committed = GoalInput(plan.goal.id, kept=kept_committed, committed=plan.committed is not None)
        kept = self._kept[_kept_key(snapshot, plan)] = _KeptGoal(amended, committed, scores)
        return kept

    def _keep(
        self,
        snapshot: Snapshot,
        plans: dict[str, Plan],
        amended: dict[str, GoalScore],
        committed: dict[str, GoalScore],
    ) -> None:
        for id, plan in plans.items():
            if not plan.is_closed:
                continue
            key = _kept_key(snapshot, plan)
            kept = self._kept.get(key)
            if kept is None:
                self._kept[key] = _KeptGoal(plan.amended, plan.as_committed, None)
            elif kept.scores is not None:
                amended[id], committed[id] = kept.scores
            amended[id].kept = committed[id].kept = True
        while len(self._kept) > self._kept_limit:
            self._kept.popitem(last=False)


def _other_versions(goals: list[Goal], unclosed: str | None) -> list[tuple[str, int]]:
    """The definitions at the closing and at the activation, where these are not the goal's present one."""
    closings = [
        (goal.id, goal.closing.seq)
        for goal in goals
        if goal.closing is not None and goal.id != unclosed and goal.seq != goal.closing.seq
    ]
    return closings + [(goal.id, goal.activated_seq) for goal in goals if goal.activated_seq is not None]


async def _feeds(snapshot: Snapshot, plans: Iterable[Plan]) -> dict[tuple[str, datetime, int], datetime]:
    return await last_readings(
        snapshot,
        (
            (bound.feed, plan.moment.as_of, plan.moment.seq)
            for plan in plans
            if plan.is_fed
            for one in plan.defined.key_results
            for bound in one.bindings.values()
        ),
    )


def _plan(
    goal: Goal,
    others: dict[tuple[str, int], Goal],
    context: Context,
    common: _CommonGround,
    moment: Moment,
    unclosed: str | None,
) -> Plan:
    committed = None if goal.activated_seq is None else others[goal.id, goal.activated_seq]
    closing = goal.closing if goal.id != unclosed else None
    if closing is None:
        rules = common.rules(goal)
        return Plan(goal, goal, committed, moment, rules, common.cycle(goal, rules), False)
    then = Moment(closing.at, closing.seq)
    defined = goal if goal.seq == closing.seq else others[goal.id, closing.seq]
    rules = context.rules(goal.id, defined.owner, then.seq, then.as_of)
    cycle = context.cycle_span(defined.cycle, then.seq, then.as_of, rules.time_zone)
    return Plan(goal, defined, committed, then, rules, cycle, True)


class _CommonGround:
    """Policies and cycles of goals at one moment: looked up once per owner (save for goals with a policy of their own)
    and once per cycle."""

    def __init__(self, context: Context, moment: Moment) -> None:
        self._context, self._moment = context, moment
        self._rules: dict[str, Rules] = {}
        self._cycles: dict[tuple[str | None, str], Span | None] = {}

    def rules(self, goal: Goal) -> Rules:
        """The policy in force."""
        seq, as_of = self._moment.seq, self._moment.as_of
        if self._context.body("policy", f"objective/{goal.id}", seq, as_of) is not None:
            return self._context.rules(goal.id, goal.owner, seq, as_of)
        known = self._rules.get(goal.owner)
        if known is None:
            known = self._rules[goal.owner] = self._context.rules(goal.id, goal.owner, seq, as_of)
        return known

    def cycle(self, goal: Goal, rules: Rules) -> Span | None:
        """The instants of its cycle."""
        key = (goal.cycle, rules.time_zone)
        if key not in self._cycles:
            self._cycles[key] = self._context.cycle_span(
                goal.cycle, self._moment.seq, self._moment.as_of, rules.time_zone
            )
        return self._cycles[key]


def _kept_key(snapshot: Snapshot, plan: Plan) -> tuple[str, int, str, int]:
    assert snapshot.position is not None
    return snapshot.workspace, snapshot.position.epoch, plan.goal.id, plan.moment.seq


def _committed_input(context: Context, gathering: Gathering, plan: Plan) -> GoalInput:
    """By the definition folded up to the seq of the first activation; lifecycle and values as they are.

    The same object as the amended input where nothing differs, so that its score need not be computed twice.
    """
    goal, committed = plan.goal, plan.committed
    if committed is None or committed.activated_seq is None:
        return GoalInput(goal.id, state=goal.stage, outcome=goal.outcome, committed=False)
    seq = committed.activated_seq
    zone = plan.rules.time_zone
    span = plan.cycle
    if plan.is_fed:
        span = context.cycle_span(committed.cycle, seq, None, zone)
    children = _children(context, committed, seq, None)
    amended = plan.amended
    if span == plan.cycle and committed.counts_as(plan.defined) and children == amended.children:
        return amended
    ground = Ground(goal.id, plan.moment, plan.cycle if span == plan.cycle else span, zone)
    return GoalInput(
        goal.id,
        tuple([gathering.key_result(one, ground, dropped=one.dropped) for one in committed.key_results]),
        children,
        plan.rules.roll_up,
        goal.stage,
        goal.outcome,
        activated_seq=seq,
    )


def _links(
    context: Context, goal: Goal, seq: int, as_of: datetime | None
) -> Iterable[tuple[Link, KeyResult | None]]:
    """What is aligned with a goal and with its key results."""
    if not context.may_have_children(goal.id, goal.key_results):
        return
    for link in context.links_to(f"objective/{goal.id}", seq, as_of):
        yield link, None
    for one in goal.key_results:
        for link in context.links_to(f"key-result/{one.id}", seq, as_of):
            yield link, one


def _children(context: Context, goal: Goal, seq: int, as_of: datetime | None) -> tuple[ChildLink, ...]:
    return tuple(
        [
            ChildLink(link.child, link.contributes, link.weight, None if one is None else one.id, link.seq)
            for link, one in _links(context, goal, seq, as_of)
        ]
    )


def _counted_children(context: Context, plan: Plan) -> set[str]:
    """The objectives that count in the goal's score, by its present definition or by its commitment."""
    sides: list[tuple[Goal, int, datetime | None]] = [(plan.defined, plan.moment.seq, plan.moment.as_of)]
    if plan.committed is not None and plan.committed.activated_seq is not None:
        sides.append((plan.committed, plan.committed.activated_seq, None))
    return {
        link.child
        for goal, seq, as_of in sides
        for link, one in _links(context, goal, seq, as_of)
        if link.contributes and (one.is_aligned if one is not None else plan.rules.roll_up != KEY_RESULTS)
    }
