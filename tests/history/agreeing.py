"""What two histories answer about one moment, field by field."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from goal_ledger_history.as_of import AsOf
from goal_ledger_history.before_it_existed import standing_at
from goal_ledger_history.explain import explain_key_result, explain_objective
from goal_ledger_history.explanation import Explanation
from goal_ledger_history.goals import Goal, KeyResult
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_history.statuses import Standing


async def answers(history: ScoresAt, at: AsOf, ids: list[str]) -> dict[str, Any]:
    """Everything that it says of these objectives, of those that existed and of those drafted later."""
    versions = sorted(await history.definitions.versions_at(at, None))
    found: dict[str, Any] = {
        f"{id}@{seq}": _goal(one) for (id, seq), one in (await history.definitions.goals(versions)).items()
    }
    at_once = await history.at(at, [id for id, _ in versions])
    for id, standing in at_once.items():
        found[id] = _standing(standing)
        closing = standing.goal.closing
        if closing is not None:
            again = await history.at(AsOf(closing.at, at.known_to), [id], unclosed=id)
            found[f"{id} restated"] = _standing(again[id])
    for id in ids:
        alone = await standing_at(history, id, at)
        found[f"{id} alone"] = None if alone is None else _standing(alone)
    return found


async def explanations(history: ScoresAt, at: AsOf, ids: list[str]) -> dict[str, Explanation]:
    """How it explains these objectives and their key results."""
    found = {}
    for id in ids:
        standing = await standing_at(history, id, at)
        if standing is None:
            continue
        found[id] = await explain_objective(history, standing)
        for one in (*standing.defined.key_results, *standing.added_later):
            found[one.id] = await explain_key_result(history, standing, one)
    return found


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "goal": _goal(one.goal),
        "defined": _goal(one.defined),
        "committed": None if one.committed is None else _goal(one.committed),
        **{
            name: getattr(one, name)
            for name in (
                "moment",
                "rules",
                "cycle",
                "expected",
                "amended",
                "as_committed",
                "status",
                "said",
                "shown",
            )
        },
        "key_results": {
            each.id: (one.key_result(each), {part: one.unit_of(each, part) for part in each.parts})
            for each in (*one.defined.key_results, *one.added_later)
        },
    }


def _goal(one: Goal) -> dict[str, Any]:
    plain = {field.name: getattr(one, field.name) for field in fields(one) if field.name != "body"}
    return {**plain, "key_results": [_key_result(each) for each in one.key_results]}


def _key_result(one: KeyResult) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one) if field.name != "body"}
