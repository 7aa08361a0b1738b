"""What is asked of at a moment before it existed: it has values but no score (SPEC 7).

Values slot in anywhere, definitions do not: a check-in may be effective before the fact that added its key result.
Asked about such a moment, a key result is shown by its first definition, with the values in force then, and is not
scored, also while its objective was closed; an objective that was drafted only later is shown by its first definition
too. What counts is what is known at `known_at`: before it was recorded, a thing is unknown. Lists and trees hold the
goals that existed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from goal_ledger_scoring.inputs import KeyResultInput
from goal_ledger_scoring.results import GoalScore, KeyResultScore, PartScore

from goal_ledger_projection.api.desk import View
from goal_ledger_projection.api.gathering import Gathering, Ground
from goal_ledger_projection.api.goals import Goal, KeyResult
from goal_ledger_projection.api.plan import Plan
from goal_ledger_projection.api.statuses import Standing, Statuses, last_hearing
from goal_ledger_projection.api.versions import is_present, versions_of
from goal_ledger_projection.api.words import last_words

NOT_DEFINED_YET = "not_defined_yet"
"""The state of a key result, and of its parts, before it existed."""


async def standing_at(view: View, id: str) -> Standing | None:
    """How an objective stands, with the key results that were added to it later; None: it is not known."""
    found = (await view.standings.at(view.snapshot, view.moment, [id])).get(id)
    if is_present(view.snapshot, view.moment):
        return found
    later = await _later_definitions(view, id, 0 if found is None else found.goal.seq)
    if found is None:
        if not later:
            return None
        found = await _before_it_existed(view, later[0])
    added = _added(found.defined, later)
    return await _with_values(view, found, added) if added else found


def unscored(given: KeyResultInput) -> KeyResultScore:
    """Values without a score."""
    parts = {name: PartScore(None, None, NOT_DEFINED_YET, value) for name, value in given.values.items()}
    return KeyResultScore(given.id, None, None, None, NOT_DEFINED_YET, parts)


async def _later_definitions(view: View, id: str, after: int) -> list[Goal]:
    versions = [one for one in await versions_of(view.snapshot, id, view.moment.seq) if one[1] > after]
    assert view.snapshot.position is not None
    known = await view.standings.goals.get(view.snapshot, view.snapshot.position.epoch, versions)
    return [known[version] for version in versions]


def _added(defined: Goal, later: Iterable[Goal]) -> tuple[KeyResult, ...]:
    """The key results that the definition lacks, each by its first definition."""
    seen = {one.id for one in defined.key_results}
    found: dict[str, KeyResult] = {}
    for goal in later:
        for one in goal.key_results:
            if one.id not in seen:
                found.setdefault(one.id, one)
    return tuple(found.values())


async def _before_it_existed(view: View, first: Goal) -> Standing:
    context, moment = await view.context(), view.moment
    rules = context.rules(first.id, first.owner, moment.seq, moment.as_of)
    plan = Plan(first, first, None, moment, rules, None, False)
    said = await last_words(view.snapshot, [last_hearing(plan)])
    nothing = GoalScore(first.id, None)
    return Statuses(context, Gathering(context), said, {}).standing(plan, nothing, nothing)


async def _with_values(view: View, standing: Standing, added: tuple[KeyResult, ...]) -> Standing:
    gathering = Gathering(await view.context())
    ground = Ground(standing.goal.id, view.moment, standing.cycle, standing.rules.time_zone)
    given = [gathering.key_result(one, ground, dropped=False) for one in added]
    await gathering.fetch(view.snapshot)
    hearing = replace(
        last_hearing(standing.plan),
        key_results=tuple(one.id for one in added),
        at=view.moment.as_of,
        known=view.moment.seq,
    )
    standing.statuses.hear(await last_words(view.snapshot, [hearing]))
    scores = standing.amended.key_results | {one.id: unscored(one) for one in given}
    return replace(standing, amended=replace(standing.amended, key_results=scores), added_later=added)
