"""What is asked of at a moment before it existed: it has values but no score (SPEC 7).

Values slot in anywhere, definitions do not: a check-in may be effective before the fact that added its key result.
Asked about such a moment, a key result is shown by its first definition, with the values in force then, and is not
scored, also while its objective was closed; an objective that was drafted only later is shown by its first definition
too. What counts is what is known at K: before it was recorded, a thing is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from goal_ledger_scoring.inputs import KeyResultInput
from goal_ledger_scoring.results import GoalScore, KeyResultScore, PartScore

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.gathering import Gathering, Ground
from goal_ledger_history.goals import Goal, KeyResult
from goal_ledger_history.plan import Plan
from goal_ledger_history.protocols import Values
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_history.statuses import Standing, Statuses, check_ins_however_old

NOT_DEFINED_YET = "not_defined_yet"
"""The state of a key result, and of its parts, before it existed."""


async def standing_at(history: ScoresAt, id: str, at: AsOf) -> Standing | None:
    """How an objective stands, with the key results that were added to it later; None: it is not known."""
    found = (await history.at(at, [id])).get(id)
    definitions = history.definitions
    if definitions.is_newest(at):
        return found
    versions = await definitions.versions_after(id, 0 if found is None else found.goal.seq, at.known_to)
    known = await definitions.goals(versions)
    later = [known[version] for version in versions]
    if found is None:
        if not later:
            return None
        found = await _before_it_existed(history, later[0], at)
    added = _added(found.defined, later)
    return await _with_values(history.values, found, added, at) if added else found


async def is_known(history: ScoresAt, id: str, known_to: int) -> bool:
    """Whether an objective stands at all (:func:`standing_at`): once it was drafted, at any moment."""
    return bool(await history.definitions.versions_after(id, 0, known_to))


def unscored(given: KeyResultInput) -> KeyResultScore:
    """Values without a score."""
    parts = {name: PartScore(None, None, NOT_DEFINED_YET, value) for name, value in given.values.items()}
    return KeyResultScore(given.id, None, None, None, NOT_DEFINED_YET, parts)


def _added(defined: Goal, later: Iterable[Goal]) -> tuple[KeyResult, ...]:
    """The key results that the definition lacks, each by its first definition."""
    seen = {one.id for one in defined.key_results}
    found: dict[str, KeyResult] = {}
    for goal in later:
        for one in goal.key_results:
            if one.id not in seen:
                found.setdefault(one.id, one)
    return tuple(found.values())


async def _before_it_existed(history: ScoresAt, first: Goal, at: AsOf) -> Standing:
    background = history.background
    rules = background.rules(first.id, first.owner, at.known_to, at.true_at)
    plan = Plan(first, first, None, at, rules, None, False)
    said = await history.values.check_ins_however_old([check_ins_however_old(plan)])
    nothing = GoalScore(first.id, None)
    return Statuses(background, Gathering(background), said, {}).standing(plan, nothing, nothing)


async def _with_values(
    values: Values, standing: Standing, added: tuple[KeyResult, ...], at: AsOf
) -> Standing:
    gathering = Gathering(standing.statuses.background)
    ground = Ground(standing.goal.id, at, standing.cycle, standing.rules.time_zone)
    given = [gathering.key_result(one, ground, dropped=False) for one in added]
    await gathering.fetch(values)
    asked = replace(
        check_ins_however_old(standing.plan),
        key_results=tuple(one.id for one in added),
        at=at.true_at,
        known=at.known_to,
    )
    standing.statuses.hear(await values.check_ins_however_old([asked]))
    scores = standing.amended.key_results | {one.id: unscored(one) for one in given}
    return replace(standing, amended=replace(standing.amended, key_results=scores), added_later=added)
