"""The values of a check-in: each fits the part it is for, and none is for a part that a feed speaks for (SPEC 3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from goal_ledger_contracts.measures import Checklist, DoneOrNot, Simple
from goal_ledger_contracts.objective import PartValue

from goal_ledger_domain import limits, text, values
from goal_ledger_domain.binding import part_of
from goal_ledger_domain.goal import KeyResult
from goal_ledger_domain.refusals import Refusal


def clean(given: tuple[PartValue, ...]) -> tuple[PartValue, ...]:
    """One value for a part, in order of parts; the steps done in order of their ids."""
    text.at_most(given, "values", limits.PARTS_MAX_ITEMS)
    cleaned = {one.part: _clean_one(one, f"values/{number}") for number, one in enumerate(given)}
    if len(cleaned) != len(given):
        raise Refusal("ids_not_unique", "A part has two values.", field="values")
    return tuple(cleaned[part] for part in sorted(cleaned))


def places(given: tuple[PartValue, ...]) -> dict[str, str]:
    """Where the value of each part stands."""
    return {one.part: f"values/{number}" for number, one in enumerate(given)}


def _clean_one(one: PartValue, field: str) -> PartValue:
    text.id_of(one.part, f"{field}/part")
    if (one.value is None) == (one.done is None):
        raise Refusal("value_does_not_fit", "State a value, or of a checklist the steps done.", field=field)
    if one.done is None:
        return PartValue(one.part, values.optional_value(one.value, f"{field}/value"))
    text.at_most(one.done, f"{field}/done", limits.STEPS_MAX_ITEMS)
    if len(set(one.done)) != len(one.done):
        raise Refusal("ids_not_unique", "A step is named twice.", field=f"{field}/done")
    return PartValue(one.part, done=tuple(sorted(one.done)))


def need_fit(
    key_result: KeyResult | None,
    cleaned: tuple[PartValue, ...],
    places: Mapping[str, str],
    kept: tuple[PartValue, ...] = (),
) -> None:
    """Each value but the ``kept`` ones fits its part as it is measured now. None: a check-in on an objective."""
    for one in cleaned:
        if one in kept:
            continue
        if key_result is None:
            sentence = "A check-in on an objective carries no values; its key results do."
            raise Refusal("values_on_objective", sentence, field="values")
        field = places[one.part]
        _need_fits(one, part_of(key_result, one.part, f"{field}/part"), field)
        if one.part in key_result.bindings:
            sentence = f"The part {one.part} is bound to {key_result.bindings[one.part].feed}: its value comes from there."
            raise Refusal("value_comes_from_feed", sentence, field=f"{field}/value")


def _need_fits(one: PartValue, part: Simple, field: str) -> None:
    if isinstance(part, Checklist):
        if one.done is None:
            raise Refusal("value_does_not_fit", "A checklist takes the steps done.", field=field)
        unknown = sorted(set(one.done) - {step.id for step in part.steps})
        if unknown:
            raise Refusal(
                "unknown_step", f"The checklist has no step {unknown[0][:64]}.", field=f"{field}/done"
            )
    elif one.value is None:
        raise Refusal("value_does_not_fit", "Only a checklist takes steps done.", field=field)
    elif isinstance(part, DoneOrNot) and one.value not in (Decimal(0), Decimal(1)):
        raise Refusal("value_does_not_fit", "Done or not is 1 or 0.", field=f"{field}/value")
