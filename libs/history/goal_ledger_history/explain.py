"""Explains a number: from a standing to the tree of its derivation, down to the facts (SPEC 5 "Explain").

The numbers are those of the standing; nothing is computed anew, so an explanation is of what was answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from goal_ledger_contracts.measures import Compound
from goal_ledger_scoring import results
from goal_ledger_scoring.inputs import ChildLink
from goal_ledger_scoring.key_result import WEIGHTED
from goal_ledger_scoring.numbers import ZERO, add, multiply
from goal_ledger_scoring.results import KeyResultScore

from goal_ledger_history.children import children_of, counted_children
from goal_ledger_history.commitment import completing
from goal_ledger_history.explain_part import Fetching, part_node, quotient_of
from goal_ledger_history.explain_status import key_result_status, objective_status
from goal_ledger_history.explanation import (
    AMENDED,
    COMMITTED,
    WEIGHTED_MEAN,
    Cited,
    CountedIn,
    Explanation,
    KeyResultNode,
    NotCounted,
    ObjectiveNode,
    PolicyInForce,
    Quotient,
)
from goal_ledger_history.gathering import Gathering, Ground
from goal_ledger_history.goals import Goal, KeyResult
from goal_ledger_history.plan import Plan
from goal_ledger_history.scores_at import ScoresAt, committed_ground
from goal_ledger_history.statuses import ScoredTree, Standing

GOALS_MAX = 1_000
"""So many objectives are derived at most in one explanation."""


class TooManyGoals(Exception):
    """More than ``GOALS_MAX``."""


LinksByChild = Mapping[tuple[str, str | None], ChildLink]
"""By the child's reference and the key result that it is linked to."""


async def explain_objective(history: ScoresAt, standing: Standing, depth: int = GOALS_MAX) -> Explanation:
    """Both scores and the status of an objective as it stands. ``depth``: so many levels of the objectives beneath it are
    derived too. Raises TooManyGoals."""
    walk = _Walk(history)
    tree = standing.tree or _alone(standing)
    amended = walk.objective(tree, standing.goal.id, AMENDED, depth)
    committed = None
    if standing.committed is not None:
        committed = walk.objective(tree, standing.goal.id, COMMITTED, depth)
    assert amended is not None
    await walk.finish()
    scores = standing.amended.score, standing.as_committed.score
    return Explanation(*scores, amended, committed, objective_status(standing), walk.nodes)


async def explain_key_result(
    history: ScoresAt, standing: Standing, one: KeyResult, depth: int = GOALS_MAX
) -> Explanation:
    """Both scores and the status of a key result as it stands, also before it existed. ``depth``: as of an objective's.
    Raises TooManyGoals."""
    walk = _Walk(history)
    tree = await walk.opened(standing.tree or _alone(standing), standing.goal.id)
    amended, now = (
        standing.amended.key_results[one.id],
        _Side(history, tree.plans[standing.goal.id], AMENDED, depth),
    )
    first = walk.key_result(tree, now, one, amended)
    committed, second = standing.as_committed.key_results.get(one.id), None
    if committed is not None and standing.committed is not None:
        then = _Side(history, tree.plans[standing.goal.id], COMMITTED, depth)
        await then.look_up_baselines()
        defined = then.definition.key_result(one.id)
        second = None if defined is None else walk.key_result(tree, then, defined, committed)
    await walk.finish()
    scores = amended.score, None if committed is None else committed.score
    return Explanation(*scores, first, second, key_result_status(standing, one), walk.nodes)


def _alone(standing: Standing) -> ScoredTree:
    """Of an objective that did not exist yet."""
    id = standing.goal.id
    return ScoredTree({id: standing.plan}, {id: standing.amended}, {id: standing.as_committed})


class _Side:
    """One objective by one of its definitions. ``depth``: how many levels beneath it are told."""

    def __init__(self, history: ScoresAt, plan: Plan, side: str, depth: int = 0) -> None:
        self._history, self.plan, self.side, self.depth = history, plan, side, depth
        self.baselines: dict[str, list[int]] = {}
        background, moment = history.background, plan.moment
        self.definition: Goal = plan.defined
        self.ground = Ground(plan.goal.id, moment, plan.cycle, plan.rules.time_zone)
        known_to, true_at = moment.known_to, moment.true_at
        if side == COMMITTED and plan.committed is not None:
            self.definition = plan.committed
            self.ground = committed_ground(background, plan, plan.committed)
            known_to, true_at = plan.committed.activated_seq or 0, None  # type: ignore[assignment]
        self.upto = min(known_to, self.definition.seq)
        linked = children_of(background, self.definition, known_to, true_at)
        self.links: LinksByChild = {(f"objective/{link.child}", link.key_result): link for link in linked}

    async def look_up_baselines(self) -> None:
        """Of a commitment: which facts found the baselines that it lacked."""
        if self.side == COMMITTED:
            self.baselines = await completing(self._history.definitions, self.plan.defined)

    def policies(self) -> list[PolicyInForce]:
        """Those in force."""
        moment = self.plan.moment
        found = self._history.background.policy_seqs(
            self.plan.goal.id, self.plan.defined.owner, moment.known_to, moment.true_at
        )
        return [PolicyInForce(scope, Cited(seq)) for scope, seq in found.items()]


@dataclass(slots=True)
class _OfKeyResult:
    """Where a fact of a key result is wanted: the last of these types up to a seq."""

    place: CountedIn | NotCounted
    key_result: str
    types: tuple[str, ...]
    upto: int


@dataclass(slots=True)
class _Queued:
    node: int
    tree: ScoredTree
    id: str
    side: str
    depth: int


class _Walk:
    """Makes the nodes, those asked for first."""

    def __init__(self, history: ScoresAt) -> None:
        self.nodes: list[ObjectiveNode | KeyResultNode] = []
        self._history = history
        self._gathering, self._fetching = Gathering(history.background), Fetching()
        self._objectives: dict[tuple[object, ...], int] = {}
        self._key_results: dict[int, tuple[int, KeyResultScore]] = {}
        self._queue: deque[_Queued] = deque()
        self._of_key_results: list[_OfKeyResult] = []
        self._goals: set[str] = set()

    def objective(self, tree: ScoredTree, id: str, side: str, depth: int) -> int | None:
        """The node of an objective; None: it is not in the tree, or deeper than is asked for."""
        plan = tree.plans.get(id) if depth >= 0 else None
        if plan is None:
            return None
        key = (id, side, plan.moment.true_at, plan.moment.known_to)
        if key not in self._objectives:
            node = self._objectives[key] = len(self.nodes)
            self.nodes.append(_objective_node(self._history, plan, tree, side))
            self._queue.append(_Queued(node, tree, id, side, depth))
        return self._objectives[key]

    def key_result(self, tree: ScoredTree, of: _Side, one: KeyResult, scored: KeyResultScore) -> int:
        """The node of a key result; what is the same on both sides is one node."""
        known = self._key_results.get(id(scored))
        if known is not None:
            return known[0]
        node = _key_result_node(of, one, scored)
        self._key_results[id(scored)] = (len(self.nodes), scored)
        self.nodes.append(node)
        node.parts = [
            part_node(self._gathering, one, name, part, of.ground, self._fetching)
            for name, part in scored.parts.items()
        ]
        self._children(tree, of, node, one.id, scored.counted, scored.left_out)
        return self._key_results[id(scored)][0]

    async def opened(self, tree: ScoredTree, id: str) -> ScoredTree:
        """The tree that an objective's score comes from: of a closed one with others beneath it, that of its closing."""
        plan = tree.plans[id]
        if not plan.is_closed or not counted_children(self._history.background, plan):
            return tree
        then = await self._history.at(plan.moment, [id], unclosed=id)
        found = then[id].tree
        assert found is not None
        return found

    async def finish(self) -> None:
        """All that the nodes asked for depend on."""
        while self._queue:
            await self._fill(self._queue.popleft())
        await self._fetching.fetch(self._history.values)
        if self._of_key_results:
            await self._name_facts()

    async def _fill(self, queued: _Queued) -> None:
        tree, id = await self.opened(queued.tree, queued.id), queued.id
        of = _Side(self._history, tree.plans[id], queued.side, queued.depth)
        await of.look_up_baselines()
        scored = (tree.amended if queued.side == AMENDED else tree.committed)[id]
        node = self.nodes[queued.node]
        assert isinstance(node, ObjectiveNode)
        self._goals.add(id)
        if len(self._goals) > GOALS_MAX:
            raise TooManyGoals
        key_results = {
            f"key-result/{one.id}": self.key_result(tree, of, one, scored.key_results[one.id])
            for one in of.definition.key_results
            if one.id in scored.key_results
        }
        for counted in scored.counted:
            if counted.ref in key_results:
                made = CountedIn(counted.ref, key_results[counted.ref], counted.weight, None, counted.score)
                self._want(made, of, "KeyResultAdded", "KeyResultWeightChanged")
                node.counted.append(made)
        for left in scored.left_out:
            if left.ref in key_results:
                node.left_out.append(self._left_out_key_result(of, key_results[left.ref], left))
        others = [one for one in scored.counted if one.ref not in key_results]
        self._children(
            tree, of, node, None, others, [one for one in scored.left_out if one.ref not in key_results]
        )
        node.quotient = _mean(scored.counted, scored.score)

    def _left_out_key_result(self, of: _Side, node: int, left: results.LeftOut) -> NotCounted:
        because = _roll_up_by(self._history, of) if left.why == "by_policy" else None
        made = NotCounted(left.ref, node, left.why, because)
        if left.why == "dropped":
            self._want(made, of, "KeyResultDropped")
        elif left.why == "weight_zero":
            self._want(made, of, "KeyResultAdded", "KeyResultWeightChanged")
        return made

    def _want(self, place: CountedIn | NotCounted, of: _Side, *types: str) -> None:
        self._of_key_results.append(_OfKeyResult(place, place.ref.partition("/")[2], types, of.upto))

    def _children(
        self,
        tree: ScoredTree,
        of: _Side,
        node: ObjectiveNode | KeyResultNode,
        key_result: str | None,
        counted: Iterable[results.Counted],
        left_out: Iterable[results.LeftOut],
    ) -> None:
        """The objectives aligned with the node."""
        for one in counted:
            link, beneath = of.links[one.ref, key_result], one.ref.partition("/")[2]
            found = self.objective(tree, beneath, of.side, of.depth - 1)
            node.counted.append(CountedIn(one.ref, found, one.weight, Cited(link.seq), one.score))
        for left in left_out:
            beneath = left.ref.partition("/")[2]
            measured = left.why == "not_measured"
            found = self.objective(tree, beneath, of.side, of.depth - 1) if measured else None
            because = self._because(tree, of, left, of.links[left.ref, key_result])
            node.left_out.append(NotCounted(left.ref, found, left.why, because))

    def _because(self, tree: ScoredTree, of: _Side, left: results.LeftOut, link: ChildLink) -> Cited | None:
        """The fact by which an objective aligned with another is left out."""
        child = tree.plans.get(link.child)
        match left.why:
            case "by_policy":
                return _roll_up_by(self._history, of)
            case "supports" | "weight_zero" | "loop" | "unknown":
                return Cited(link.seq)
            case "dropped" | "postponed" if child is not None and child.goal.closing is not None:
                return Cited(child.goal.closing.seq)
        return None

    async def _name_facts(self) -> None:
        upto = max(one.upto for one in self._of_key_results)
        changes = await self._history.definitions.key_result_changes(self._goals, upto)
        for one in self._of_key_results:
            seqs = [
                change.seq
                for change in changes
                if change.key_result == one.key_result and change.type in one.types and change.seq <= one.upto
            ]
            _name(one.place, max(seqs, default=None))


def _name(place: CountedIn | NotCounted, seq: int | None) -> None:
    cited = None if seq is None else Cited(seq)
    if isinstance(place, CountedIn):
        place.weight_by = cited
    else:
        place.because = cited


def _roll_up_by(history: ScoresAt, of: _Side) -> Cited | None:
    """The fact that set what counts in the roll-up; None: nobody did."""
    background, moment = history.background, of.plan.moment
    for one in of.policies():
        set_ = background.policy(one.scope, moment.known_to, moment.true_at)
        if set_ is not None and set_.policy.roll_up is not None:
            return one.set_by
    return None


def _objective_node(history: ScoresAt, plan: Plan, tree: ScoredTree, side: str) -> ObjectiveNode:
    closing, moment = plan.goal.closing, plan.moment
    of = _Side(history, plan, side)
    scored = (tree.amended if side == AMENDED else tree.committed)[plan.goal.id]
    return ObjectiveNode(
        objective=plan.goal.id,
        side=side,
        true_at=moment.true_at,
        known_to=moment.known_to,
        score=scored.score,
        defined_by=Cited(of.definition.seq),
        kept_by=Cited(closing.seq) if plan.is_closed and closing is not None else None,
        roll_up=plan.rules.roll_up,
        policies=of.policies(),
    )


def _key_result_node(of: _Side, one: KeyResult, scored: KeyResultScore) -> KeyResultNode:
    return KeyResultNode(
        key_result=one.id,
        objective=of.plan.goal.id,
        formula=_formula(one),
        measure=one.measure,
        measure_by=Cited(one.measure_seq),
        baseline_by=[Cited(seq) for seq in of.baselines.get(one.id, ())],
        raw=scored.raw,
        score=scored.score,
        beyond=scored.beyond,
        clamped=scored.raw is not None and scored.raw != scored.score,
        reached=scored.reached,
        mean=scored.mean,
        bottleneck=scored.bottleneck,
        state=scored.state,
        quotient=_quotient(one, scored),
    )


def _formula(one: KeyResult) -> str:
    if isinstance(one.measure, Compound):
        return f"compound_{one.measure.combine}"
    return WEIGHTED_MEAN if one.is_aligned else one.measure.kind


def _quotient(one: KeyResult, scored: KeyResultScore) -> Quotient | None:
    """Of a mean of parts or objectives."""
    if one.is_aligned:
        return _mean(scored.counted, scored.score)
    if not isinstance(one.measure, Compound) or one.measure.combine != WEIGHTED:
        return None
    parts = [(part.weight, scored.parts[part.id].score) for part in one.measure.parts]
    measured = [(weight, score) for weight, score in parts if score is not None]
    return _mean([results.Counted("", weight, score) for weight, score in measured], scored.raw)


def _mean(counted: Sequence[results.Counted], result: Decimal | None) -> Quotient | None:
    if result is None:
        return None
    total = weights = ZERO
    for one in counted:
        total, weights = add(total, multiply(one.weight, one.score)), add(weights, one.weight)
    return quotient_of(total, weights, result)
