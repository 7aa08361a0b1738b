"""A history that is not so: some facts left out, or another policy, told in memory from the facts behind a question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.workspace import Policy, PolicySet
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import PolicyRevision
from goal_ledger_history.definitions_in_facts import DefinitionsInFacts
from goal_ledger_history.goals import Goal, Version
from goal_ledger_history.needs import needing
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_history.values_in_facts import ReadingsInFacts, ValuesInFacts

from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.facts_behind import FactWithBytes
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.history.tree import Tree, whole_tree
from goal_ledger_projection.history.trees import FinishedBody, Trees
from goal_ledger_projection.read_models.definitions import CONTEXT_KINDS, DEFINING
from goal_ledger_projection.read_models.fact import FactRead, JsonObject

NOT_RECORDED = "what-if"
"""Instead of the event id of a policy that is supposed."""
_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SupposedPolicy:
    """In force in ``scope`` at all times; what is None there stays as it is set."""

    scope: str
    policy: Policy

    def over(self, set_: Policy) -> Policy:
        given = {one.name: getattr(self.policy, one.name) for one in fields(Policy)}
        return replace(set_, **{name: value for name, value in given.items() if value is not None})


class StillNeeded(Exception):
    """Facts that are not left out need one that is: by its seq theirs."""

    def __init__(self, by: dict[int, list[int]]) -> None:
        super().__init__(by)
        self.by = by


class SupposedDefinitions(DefinitionsInFacts):
    """Those of the facts taken, with what answers show of them, by the folds that the tables are made with."""

    def __init__(self, snapshot: Snapshot, context: Context, goals: KnownGoals) -> None:
        super().__init__()
        assert snapshot.position is not None
        self._workspace, self._epoch, self._known = snapshot.workspace, snapshot.position.epoch, goals
        self.background = self.context = Context(context.seq)
        self.context.share("leaver", context)
        self._latest: dict[tuple[str, str], JsonObject] = {}
        self._bodies: dict[Version, JsonObject] = {}
        self._parsed: dict[Version, Goal] = {}

    def take_stored(self, fact: Fact, stored: bytes) -> None:
        """One fact more, with its bytes."""
        self.take(fact)
        many = DEFINING.get(type(fact.data).__name__, ())
        if not many:
            return
        read = FactRead(fact.workspace, fact.seq, stored)
        for one in many:
            key = (one.kind, one.id_of(read))
            body = self._latest[key] = one.evolve(self._latest.get(key), read)
            if one.kind == "objective":
                self._bodies[key[1], fact.seq] = body
            elif one.kind in CONTEXT_KINDS and one.kind != "leaver":
                self.context.keep_body(one.kind, key[1], fact.seq, fact.effective_at, body)

    async def goals(self, versions: Iterable[Version]) -> dict[Version, Goal]:
        return {version: self._goal(version) for version in versions}

    def _goal(self, version: Version) -> Goal:
        found = self._parsed.get(version)
        if found is None:
            body = self._bodies[version]
            found = self._parsed[version] = self._known.parse(self._workspace, self._epoch, *version, body)
        return found


@dataclass(frozen=True, slots=True)
class SupposedHistory:
    """How goals would stand, and the context of that."""

    scores: ScoresAt
    context: Context
    trees: SupposedTrees


def supposed(
    snapshot: Snapshot,
    context: Context,
    goals: KnownGoals,
    facts: Sequence[FactWithBytes],
    leave_out: Collection[int],
    policy: SupposedPolicy | None,
) -> SupposedHistory:
    """``facts`` in seq order; ``leave_out``: seqs. Raises StillNeeded."""
    if needed := needing((fact for fact, _ in facts), leave_out):
        raise StillNeeded(needed)
    definitions = SupposedDefinitions(snapshot, context, goals)
    if policy is not None:
        revision = PolicyRevision(0, NOT_RECORDED, policy.policy)
        definitions.background.add(policy.scope, 0, _ALWAYS, revision)
    readings = ReadingsInFacts()
    values = ValuesInFacts(readings)
    for fact, stored in facts:
        if fact.seq in leave_out:
            continue
        definitions.take_stored(_under(policy, fact), stored)
        values.take(fact)
        readings.take(fact)
    scores = ScoresAt(definitions, values)
    return SupposedHistory(scores, definitions.context, SupposedTrees(scores))


def _under(policy: SupposedPolicy | None, fact: Fact) -> Fact:
    data = fact.data
    if policy is None or not isinstance(data, PolicySet) or data.scope != policy.scope:
        return fact
    return replace(fact, data=replace(data, policy=policy.over(data.policy)))


class SupposedTrees(Trees):
    """Whole trees of one such history; nothing is kept."""

    def __init__(self, history: ScoresAt) -> None:
        self._history = history

    async def whole(self, snapshot: Snapshot, moment: AsOf) -> Tree:
        return await whole_tree(snapshot, self._history, moment)

    async def body(
        self, snapshot: Snapshot, moment: AsOf, question: str, make: Callable[[], Awaitable[FinishedBody]]
    ) -> FinishedBody:
        return await make()
