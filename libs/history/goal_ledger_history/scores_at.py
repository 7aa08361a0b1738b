"""How goals stand at (T, K): both scores, expected score and status, for any number of objectives at once.

Definitions, values, readings and check-ins are each asked for once for all goals; the arithmetic is the scoring
library's. A closed objective is computed at its closing, (closing instant, seq of the closing), and keeps that; what it
depends on never changes, so what was computed once is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from goal_ledger_scoring.inputs import GoalInput, ScoreAtClosing
from goal_ledger_scoring.results import GoalScore
from goal_ledger_scoring.roll_up import Scored, score_tree

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Background
from goal_ledger_history.children import children_of, counted_children
from goal_ledger_history.commitment import complete_all
from goal_ledger_history.gathering import Gathering, Ground
from goal_ledger_history.goals import Goal, Version
from goal_ledger_history.plan import CommonGround, Plan, planned
from goal_ledger_history.protocols import Definitions, FeedAt, Values
from goal_ledger_history.statuses import ScoredTree, Standing, Statuses, check_ins_however_old

ScoresByGoal = dict[str, GoalScore]


@dataclass(frozen=True, slots=True)
class KeptGoal:
    """What a closed objective keeps. ``scores``: set if other objectives count in it, for then its children are not
    those of today."""

    amended: GoalInput
    as_committed: GoalInput
    scores: tuple[GoalScore, GoalScore] | None


class ScoresAt:
    """Asks one history how its goals stand."""

    def __init__(self, definitions: Definitions, values: Values) -> None:
        self.definitions, self.values = definitions, values

    @property
    def background(self) -> Background:
        return self.definitions.background

    async def at(self, at: AsOf, ids: Sequence[str], *, unclosed: str | None = None) -> dict[str, Standing]:
        """How these objectives stand, with the last check-ins however old; one that did not exist then is left out.

        ``unclosed``: the objective that is computed at the moment although it is closed.
        """
        gathering = Gathering(self.background)
        tree = await self._scored(gathering, at, ids, unclosed)
        asked = {id: tree.plans[id] for id in ids if id in tree.plans}
        said = await self.values.check_ins_however_old([check_ins_however_old(one) for one in asked.values()])
        fed = await self.values.last_readings(feeds_of(asked.values()))
        statuses = Statuses(self.background, gathering, said, fed)
        found = {
            id: statuses.standing(plan, tree.amended[id], tree.committed[id]) for id, plan in asked.items()
        }
        for standing in found.values():
            standing.tree = tree
        return found

    async def score(self, at: AsOf, id: str) -> GoalScore | None:
        """The objective's score as amended at the moment, although it may be closed; None: it did not exist then."""
        tree = await self._scored(Gathering(self.background), at, [id], id)
        return tree.amended.get(id)

    async def scored(self, at: AsOf, id: str) -> ScoredTree:
        """The scores of an objective and of all that counts in it; without them if it did not exist then."""
        return await self._scored(Gathering(self.background), at, [id], None)

    async def _scored(
        self, gathering: Gathering, at: AsOf, ids: Sequence[str], unclosed: str | None
    ) -> ScoredTree:
        plans = await self.plans(at, ids, unclosed)
        await self._give_all(gathering, plans)
        scored: Scored = {}
        amended = score_tree({id: plan.amended for id, plan in plans.items()}, scored)
        committed = score_tree({id: plan.as_committed for id, plan in plans.items()}, scored)
        self.keep(plans, amended, committed)
        return ScoredTree(plans, amended, committed)

    async def ready(self, at: AsOf, ids: Sequence[str]) -> dict[str, Plan]:
        """The plans of these objectives alone, with their inputs."""
        plans = await self.plans(at, ids, with_counted=False)
        await self._give_all(Gathering(self.background), plans)
        return plans

    async def _give_all(self, gathering: Gathering, plans: Mapping[str, Plan]) -> None:
        for plan in plans.values():
            await self.give_inputs(gathering, plan)
        await gathering.fetch(self.values)

    def kept_scores(self, plan: Plan) -> tuple[GoalScore, GoalScore] | None:
        """What a closed objective keeps (as amended, as committed), if others count in it."""
        kept = self.definitions.kept.get(_closing_of(plan)) if plan.is_closed else None
        return None if kept is None else kept.scores

    async def plans(
        self, at: AsOf, ids: Sequence[str] | None, unclosed: str | None = None, *, with_counted: bool = True
    ) -> dict[str, Plan]:
        """The plans of these objectives and of those that count in them, or of all (``ids`` None)."""
        plans: dict[str, Plan] = {}
        ground = CommonGround(self.background, at)
        asked: Sequence[str] | None = ids
        while asked is None or asked:
            versions = await self.definitions.versions_at(at, asked)
            goals = list((await self.definitions.goals(versions)).values())
            goals.sort(key=lambda goal: goal.id)
            others = await self.definitions.goals(_other_versions(goals, unclosed))
            made = [planned(goal, others, self.background, ground, at, unclosed) for goal in goals]
            completed = await complete_all(self.definitions, [plan.defined for plan in made], others)
            for plan in made:
                plan.committed = completed.get(plan.goal.id, plan.committed)
                plans[plan.goal.id] = plan
            if ids is None or not with_counted:
                break
            counted = {child for goal in goals for child in counted_children(self.background, plans[goal.id])}
            asked = sorted(counted - plans.keys())
        return plans

    async def give_inputs(self, gathering: Gathering, plan: Plan) -> None:
        """Give a plan its inputs; their values come with the gathering's."""
        goal = plan.goal
        if plan.is_closed:
            kept = self.definitions.kept.get(_closing_of(plan))
            if kept is None and counted_children(self.background, plan):
                kept = await self._kept_with_children(plan)
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
            children_of(self.background, plan.defined, plan.moment.known_to, plan.moment.true_at),
            plan.rules.roll_up,
            goal.stage,
            goal.outcome,
            activated_seq=goal.activated_seq or 0,
        )
        plan.as_committed = _committed_input(self.background, gathering, plan)

    async def _kept_with_children(self, plan: Plan) -> KeptGoal:
        """The score at the closing of an objective in which others count: theirs as they were then."""
        then = await self.at(plan.moment, [plan.goal.id], unclosed=plan.goal.id)
        standing = then[plan.goal.id]
        scores = (standing.amended, standing.as_committed)
        kept_amended, kept_committed = (ScoreAtClosing(one.score, one.feeds) for one in scores)
        amended = GoalInput(plan.goal.id, kept=kept_amended)
        committed = GoalInput(plan.goal.id, kept=kept_committed, committed=plan.committed is not None)
        kept = self.definitions.kept[_closing_of(plan)] = KeptGoal(amended, committed, scores)
        return kept

    def keep(self, plans: Mapping[str, Plan], amended: ScoresByGoal, committed: ScoresByGoal) -> None:
        """Keep what closed objectives came to, and put in place what they kept."""
        for id, plan in plans.items():
            if not plan.is_closed:
                continue
            closing = _closing_of(plan)
            kept = self.definitions.kept.get(closing)
            if kept is None:
                self.definitions.kept[closing] = KeptGoal(plan.amended, plan.as_committed, None)
            elif kept.scores is not None:
                amended[id], committed[id] = kept.scores
            amended[id].kept = committed[id].kept = True


def _other_versions(goals: list[Goal], unclosed: str | None) -> list[Version]:
    """The definitions at the closing and at the activation, where these are not the goal's present one."""
    closings = [
        (goal.id, goal.closing.seq)
        for goal in goals
        if goal.closing is not None and goal.id != unclosed and goal.seq != goal.closing.seq
    ]
    return closings + [(goal.id, goal.activated_seq) for goal in goals if goal.activated_seq is not None]


def feeds_of(plans: Iterable[Plan]) -> Iterable[FeedAt]:
    """The feeds that these goals are fed by, each at the goal's moment."""
    for plan in plans:
        if plan.is_fed:
            for one in plan.defined.key_results:
                for bound in one.bindings.values():
                    yield bound.feed, plan.moment.true_at, plan.moment.known_to


def _closing_of(plan: Plan) -> Version:
    return plan.goal.id, plan.moment.known_to


def committed_ground(background: Background, plan: Plan, committed: Goal) -> Ground:
    """What the parts of the commitment are looked up by: as the goal's, with the cycle's dates as committed."""
    span, zone = plan.cycle, plan.rules.time_zone
    if plan.is_fed:
        span = background.cycle_span(committed.cycle, committed.activated_seq or 0, None, zone)
    return Ground(plan.goal.id, plan.moment, plan.cycle if span == plan.cycle else span, zone)


def _committed_input(background: Background, gathering: Gathering, plan: Plan) -> GoalInput:
    """By the definition folded up to the seq of the first activation; lifecycle and values as they are.

    The same object as the amended input where nothing differs, so that its score need not be computed twice.
    """
    goal, committed = plan.goal, plan.committed
    if committed is None or committed.activated_seq is None:
        return GoalInput(goal.id, state=goal.stage, outcome=goal.outcome, committed=False)
    seq = committed.activated_seq
    ground = committed_ground(background, plan, committed)
    children = children_of(background, committed, seq, None)
    amended = plan.amended
    if ground.cycle is plan.cycle and committed.counts_as(plan.defined) and children == amended.children:
        return amended
    return GoalInput(
        goal.id,
        tuple([gathering.key_result(one, ground, dropped=one.dropped) for one in committed.key_results]),
        children,
        plan.rules.roll_up,
        goal.stage,
        goal.outcome,
        activated_seq=seq,
    )
