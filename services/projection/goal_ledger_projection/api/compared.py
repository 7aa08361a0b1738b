"""How an objective stands on two sides of a comparison: which of its numbers and statuses differ, and by how much."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from goal_ledger_contracts.canonical import EXACT
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring.results import KeyResultScore
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import Number, Shape, number

Json = dict[str, Any]


class NumberChange(Shape):
    before: Number
    after: Number
    change: Number = Field(description="After minus before; null: one of them is not measured")


class WordChange(Shape):
    before: str | None
    after: str | None


class ValueChange(Shape):
    part: str
    before: str | list[str] | None = Field(description="A number, or the steps done")
    after: str | list[str] | None


class Differing(Shape):
    score: NumberChange = Field(description="As amended")
    score_committed: NumberChange
    status: WordChange = Field(description="As shown")


class KeyResultCompared(Differing):
    key_result: str
    text: str
    values: list[ValueChange] = Field(description="Those that differ")


class ObjectiveCompared(Differing):
    objective: str
    title: str
    owner: str
    cycle: str | None
    key_results: list[KeyResultCompared] = Field(description="Those of which something differs")


def compared(before: Standing | None, after: Standing) -> Json:
    """The members of :class:`ObjectiveCompared`. ``before`` None: it did not exist then."""
    key_results = [_key_result(before, after, one) for one in after.defined.key_results]
    return {
        "objective": after.goal.id,
        "title": after.goal.body["title"],
        "owner": after.goal.owner,
        "cycle": after.goal.cycle,
        "score": numbers(None if before is None else before.amended.score, after.amended.score),
        "score_committed": numbers(
            None if before is None else before.as_committed.score, after.as_committed.score
        ),
        "status": words(None if before is None else before.status.shown, after.status.shown),
        "key_results": [one for one in key_results if differs(one)],
    }


def differs(one: Json) -> bool:
    """Whether a comparison of an objective or key result found anything."""
    both = (one["score"], one["score_committed"], one["status"])
    return any(each["before"] != each["after"] for each in both) or bool(
        one.get("values") or one.get("key_results")
    )


def by_change(one: Json) -> Decimal:
    """The order of objectives compared: by the change of the score, the largest first."""
    return -abs(Decimal(one["score"]["change"] or 0))


def numbers(before: Decimal | None, after: Decimal | None) -> Json:
    """The members of :class:`NumberChange`."""
    change = None if before is None or after is None else EXACT.subtract(after, before)
    return {"before": number(before), "after": number(after), "change": number(change)}


def words(before: str | None, after: str | None) -> Json:
    """The members of :class:`WordChange`."""
    return {"before": before, "after": after}


def _key_result(before: Standing | None, after: Standing, one: KeyResult) -> Json:
    old, new = _scores(before, one.id), _scores(after, one.id)
    return {
        "key_result": one.id,
        "text": one.text,
        "score": numbers(*(_score(side[0]) for side in (old, new))),
        "score_committed": numbers(*(_score(side[1]) for side in (old, new))),
        "status": words(None if before is None else before.shown.get(one.id), after.shown.get(one.id)),
        "values": _values(old[0], new[0]),
    }


def _scores(of: Standing | None, id: str) -> tuple[KeyResultScore | None, KeyResultScore | None]:
    if of is None:
        return None, None
    return of.amended.key_results.get(id), of.as_committed.key_results.get(id)


def _score(one: KeyResultScore | None) -> Decimal | None:
    return None if one is None else one.score


def _values(before: KeyResultScore | None, after: KeyResultScore | None) -> list[Json]:
    old, new = (
        {} if one is None else {name: shown.value(part.input) for name, part in one.parts.items()}
        for one in (before, after)
    )
    return [
        {"part": part, "before": old.get(part), "after": new.get(part)}
        for part in sorted(old.keys() | new.keys())
        if old.get(part) != new.get(part)
    ]
