"""How goals stand at (T, K): both scores, expected score and status, for any number of objectives at once.

Definitions, values, readings and check-ins are each read by one statement for all goals; the arithmetic is the scoring
library's. A closed objective is computed at its closing, (closing instant, seq of the closing), and keeps that; the
rows it depends on never change, so what was computed once is kept in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from goal_ledger_scoring.cadence import Rhythm, rhythm
from goal_ledger_scoring.expected import expected_score
from goal_ledger_scoring.inputs import KEY_RESULTS, ChildLink, GoalInput, Kept, KeyResultInput
from goal_ledger_scoring.policy import Rules
from goal_ledger_scoring.results import GoalScore
from goal_ledger_scoring.roll_up import Scored, score_tree
from goal_ledger_scoring.status import (
    FedPart,
    Status,
    computed_status,
    gap_points,
    key_result_status,
    objective_status,
)
from goal_ledger_scoring.windows import Span

from goal_ledger_projection.api.context import Context, Contexts, Link
from goal_ledger_projection.api.database import Snapshot
from goal_ledger_projection.api.gathering import Gathering, Ground
from goal_ledger_projection.api.goals import Goal, KeyResult, KnownGoals
from goal_ledger_projection.api.values import BEGINNING, last_readings
from goal_ledger_projection.api.versions import Moment, versions_at
from goal_ledger_projection.api.words import SILENCE, Hearing, Said, Words, words


@dataclass(slots=True)
class KeyResultStanding:
    expected: Decimal | None
    status: Status
    said: Said


@dataclass(slots=True)
class Standing:
    """One objective. `goal`: its definition at the moment; `defined`: the one it is scored by (of a closed one, that of
    the closing); `moment`: when it is scored at; `committed`: the definition folded up to its first activation."""

    goal: Goal
    defined: Goal
    committed: Goal | None
    moment: Moment
    rules: Rules
    cycle: Span | None
    expected: Decimal | None
    amended: GoalScore
    as_committed: GoalScore
    status: Status
    said: Said
    key_results: dict[str, KeyResultStanding]


@dataclass(slots=True)
class _Plan:
    """One objective on its way to a standing."""

    goal: Goal
    defined: Goal
    committed: Goal | None
    moment: Moment
    rules: Rules
    cycle: Span | None
    is_closed: bool
    amended: GoalInput = field(init=False)
    as_committed: GoalInput = field(init=False)


@dataclass(frozen=True, slots=True)
class _KeptGoal:
    amended: GoalInput
    as_committed: GoalInput
    scores: tuple[GoalScore, GoalScore] | None
    """Set if other objectives count in it: then its children are not those of today."""


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
        ids: Sequence[str] | None = None,
        *,
        all_words: bool = False,
        unclosed: str | None = None,
    ) -> dict[str, Standing]:
        """How these objectives stand, or all; also those that count in them.

        `all_words`: look for the last check-in however old (else as far back as statuses need). `unclosed`: the
        objective that is computed at the moment although it is closed.
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
        return await _Statuses(snapshot, context, gathering).of(plans, amended, committed, all_words)

    async def _plans(
        self,
        snapshot: Snapshot,
        context: Context,
        moment: Moment,
        ids: Sequence[str] | None,
        unclosed: str | None,
    ) -> dict[str, _Plan]:
        assert snapshot.position is not None
        epoch = snapshot.position.epoch
        plans: dict[str, _Plan] = {}
        rules = _RulesByOwner(context, moment)
        asked: Sequence[str] | None = ids
        while asked is None or asked:
            versions = await versions_at(snapshot, moment, asked)
            goals = list((await self.goals.get(snapshot, epoch, versions)).values())
            if asked is not None:
                goals.sort(key=lambda goal: goal.id)
            at_closing = [
                (g.id, g.closing.seq)
                for g in goals
                if g.closing is not None and g.id != unclosed and g.seq != g.closing.seq
            ]
            at_activation = [(g.id, g.activated_seq) for g in goals if g.activated_seq is not None]
            others = await self.goals.get(snapshot, epoch, [*at_closing, *at_activation])
            for goal in goals:
                plans[goal.id] = _plan(goal, others, context, rules, moment, unclosed)
            if ids is None:
                break
            counted = {child for goal in goals for child in _counted_children(context, plans[goal.id])}
            asked = sorted(counted - plans.keys())
        return plans

    async def _inputs(self, snapshot: Snapshot, context: Context, gathering: Gathering, plan: _Plan) -> None:
        goal = plan.goal
        if plan.is_closed:
            kept = self._kept.get(_kept_key(snapshot, plan))
            if kept is None and _counted_children(context, plan):
                kept = await self._kept_with_children(snapshot, plan)
            if kept is not None:
                plan.amended = replace(kept.amended, state=goal.stage, outcome=_outcome(goal))
                plan.as_committed = replace(kept.as_committed, state=goal.stage, outcome=_outcome(goal))
                return
        ground = Ground(goal.id, plan.moment, plan.cycle, plan.rules.time_zone)
        plan.amended = GoalInput(
            goal.id,
            tuple(gathering.key_result(one, ground, dropped=one.dropped) for one in plan.defined.key_results),
            _children(context, plan.defined, plan.moment.seq, plan.moment.as_of),
            plan.rules.roll_up,
            goal.stage,
            _outcome(goal),
        )
        plan.as_committed = _committed_input(context, gathering, plan)

    async def _kept_with_children(self, snapshot: Snapshot, plan: _Plan) -> _KeptGoal:
        """The score at the closing of an objective in which others count: theirs as they were then."""
        then = await self.at(snapshot, plan.moment, [plan.goal.id], unclosed=plan.goal.id)
        standing = then[plan.goal.id]
        scores = (standing.amended, standing.as_committed)
        amended = GoalInput(plan.goal.id, kept=Kept(scores[0].score))
        committed = GoalInput(plan.goal.id, kept=Kept(scores[1].score), committed=plan.committed is not None)
        kept = self._kept[_kept_key(snapshot, plan)] = _KeptGoal(amended, committed, scores)
        return kept

    def _keep(
        self,
        snapshot: Snapshot,
        plans: dict[str, _Plan],
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


def _plan(
    goal: Goal,
    others: dict[tuple[str, int], Goal],
    context: Context,
    rules: _RulesByOwner,
    moment: Moment,
    unclosed: str | None,
) -> _Plan:
    committed = None if goal.activated_seq is None else others[goal.id, goal.activated_seq]
    closing = goal.closing if goal.id != unclosed else None
    if closing is None:
        in_force = rules.of(goal)
        cycle = context.cycle_span(goal.cycle, moment.seq, moment.as_of, in_force.time_zone)
        return _Plan(goal, goal, committed, moment, in_force, cycle, False)
    then = Moment(closing.at, closing.seq)
    defined = goal if goal.seq == closing.seq else others[goal.id, closing.seq]
    in_force = context.rules(goal.id, defined.owner, then.seq, then.as_of)
    cycle = context.cycle_span(defined.cycle, then.seq, then.as_of, in_force.time_zone)
    return _Plan(goal, defined, committed, then, in_force, cycle, True)


class _RulesByOwner:
    """The policy in force of goals at one moment; looked up once per owner, save for goals with a policy of their own."""

    def __init__(self, context: Context, moment: Moment) -> None:
        self._context, self._moment = context, moment
        self._known: dict[str, Rules] = {}

    def of(self, goal: Goal) -> Rules:
        seq, as_of = self._moment.seq, self._moment.as_of
        if self._context.body("policy", f"objective/{goal.id}", seq, as_of) is not None:
            return self._context.rules(goal.id, goal.owner, seq, as_of)
        known = self._known.get(goal.owner)
        if known is None:
            known = self._known[goal.owner] = self._context.rules(goal.id, goal.owner, seq, as_of)
        return known


def _kept_key(snapshot: Snapshot, plan: _Plan) -> tuple[str, int, str, int]:
    assert snapshot.position is not None
    return snapshot.workspace, snapshot.position.epoch, plan.goal.id, plan.moment.seq


def _outcome(goal: Goal) -> str | None:
    return None if goal.closing is None else goal.closing.outcome


def _committed_input(context: Context, gathering: Gathering, plan: _Plan) -> GoalInput:
    """By the definition folded up to the seq of the first activation; lifecycle and values as they are."""
    goal, committed = plan.goal, plan.committed
    if committed is None or committed.activated_seq is None:
        return GoalInput(goal.id, state=goal.stage, outcome=_outcome(goal), committed=False)
    seq = committed.activated_seq
    zone = plan.rules.time_zone
    cycle = plan.cycle
    span = context.cycle_span(committed.cycle, seq, None, zone)
    ground = Ground(goal.id, plan.moment, cycle if span == cycle else span, zone)
    return GoalInput(
        goal.id,
        tuple(gathering.key_result(one, ground, dropped=one.dropped) for one in committed.key_results),
        _children(context, committed, seq, None),
        plan.rules.roll_up,
        goal.stage,
        _outcome(goal),
    )


def _links(
    context: Context, goal: Goal, seq: int, as_of: datetime | None
) -> Iterable[tuple[Link, KeyResult | None]]:
    """What is aligned with a goal and with its key results."""
    for link in context.links_to(f"objective/{goal.id}", seq, as_of):
        yield link, None
    for one in goal.key_results:
        for link in context.links_to(f"key-result/{one.id}", seq, as_of):
            yield link, one


def _children(context: Context, goal: Goal, seq: int, as_of: datetime | None) -> tuple[ChildLink, ...]:
    return tuple(
        ChildLink(link.child, link.contributes, link.weight, None if one is None else one.id)
        for link, one in _links(context, goal, seq, as_of)
    )


def _counted_children(context: Context, plan: _Plan) -> set[str]:
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


class _Statuses:
    """The last step: what was said, how fresh the feeds are, what status is shown."""

    def __init__(self, snapshot: Snapshot, context: Context, gathering: Gathering) -> None:
        self._snapshot, self._context, self._gathering = snapshot, context, gathering
        self._rhythms: dict[tuple[Rules, datetime], Rhythm] = {}
        self._spans: dict[tuple[Span, datetime], Decimal | None] = {}

    async def of(
        self,
        plans: dict[str, _Plan],
        amended: dict[str, GoalScore],
        committed: dict[str, GoalScore],
        all_words: bool,
    ) -> dict[str, Standing]:
        said = await words(self._snapshot, [self._hearing(plan, all_words) for plan in plans.values()])
        fed = await self._feeds(plans.values())
        return {id: self._standing(plan, amended[id], committed[id], said, fed) for id, plan in plans.items()}

    def _rhythm(self, plan: _Plan) -> Rhythm:
        key = (plan.rules, plan.moment.as_of)
        known = self._rhythms.get(key)
        if known is None:
            known = self._rhythms[key] = rhythm(*key)
        return known

    def _hearing(self, plan: _Plan, all_words: bool) -> Hearing:
        moment = plan.moment
        since = (
            BEGINNING if all_words else min(self._rhythm(plan).owed_since, self._rhythm(plan).last_due_ends)
        )
        return Hearing(plan.goal.id, since, moment.as_of, moment.seq)

    async def _feeds(self, plans: Iterable[_Plan]) -> dict[tuple[str, datetime, int], datetime]:
        return await last_readings(
            self._snapshot,
            (
                (feed, plan.moment.as_of, plan.moment.seq)
                for plan in plans
                for one in plan.defined.key_results
                if one.bindings
                for feed, _ in one.bindings.values()
            ),
        )

    def _standing(
        self,
        plan: _Plan,
        amended: GoalScore,
        committed: GoalScore,
        said: Words,
        fed: dict[tuple[str, datetime, int], datetime],
    ) -> Standing:
        goal, moment, rules = plan.goal, plan.moment, plan.rules
        rhythm_now = self._rhythm(plan)
        closed = _outcome(goal) if plan.is_closed else None
        expected = self._expected(plan.cycle, moment.as_of)
        key_results: dict[str, KeyResultStanding] = {}
        shown: list[str] = []
        for one in plan.defined.key_results:
            score = amended.key_results.get(one.id)
            of_key_result = self._expected_of(plan, one, expected)
            heard = said.get((goal.id, one.id), SILENCE)
            value = None if score is None else score.score
            within = score is not None and score.score is not None and score.score < 1 and score.within_risk
            status = key_result_status(
                heard.word,
                self._fed_parts(one, moment, fed),
                computed_status(of_key_result, value, rules, within_risk=within),
                gap_points(of_key_result, value),
                rhythm_now,
                goal.activated_at,
                closed,
            )
            key_results[one.id] = KeyResultStanding(of_key_result, status, heard)
            if not one.dropped:
                shown.append(status.shown)
        heard = said.get((goal.id, None), SILENCE)
        status = objective_status(
            heard.word,
            shown,
            computed_status(expected, amended.score, rules),
            gap_points(expected, amended.score),
            rhythm_now,
            goal.activated_at,
            closed,
        )
        return Standing(
            goal,
            plan.defined,
            plan.committed,
            moment,
            rules,
            plan.cycle,
            expected,
            amended,
            committed,
            status,
            heard,
            key_results,
        )

    def _expected(self, span: Span | None, at: datetime) -> Decimal | None:
        if span is None:
            return None
        key = (span, at)
        if key not in self._spans:
            self._spans[key] = expected_score(span, at)
        return self._spans[key]

    def _expected_of(self, plan: _Plan, one: KeyResult, of_goal: Decimal | None) -> Decimal | None:
        """By the windows of its parts if every part has one, from the first start to the last end; else by the cycle."""
        if not one.parts or any(part.window is None for part in one.parts.values()):
            return of_goal
        ground = Ground(plan.goal.id, plan.moment, plan.cycle, plan.rules.time_zone)
        spans = [self._gathering.span(part, ground) for part in one.parts.values()]
        starts, ends = [s.start for s in spans if s.start], [s.end for s in spans if s.end]
        if len(starts) < len(spans) or len(ends) < len(spans):
            return None
        return self._expected(Span(min(starts), max(ends)), plan.moment.as_of)

    def _fed_parts(
        self, one: KeyResult, moment: Moment, fed: dict[tuple[str, datetime, int], datetime]
    ) -> tuple[FedPart, ...]:
        if not one.bindings:
            return ()
        found = []
        for feed, _ in one.bindings.values():
            body = self._context.body("feed", feed, moment.seq, None)
            interval = body.get("interval") if body else None
            found.append(FedPart(fed.get((feed, moment.as_of, moment.seq)), interval))
        return tuple(found)


__all__ = ["KeyResultInput", "KeyResultStanding", "Standing", "Standings"]
