"""What a measure must be like (SPEC 5): taken in one clean form, or refused with the field that is wrong.

A baseline still to be found (None) is fine. Weights that are all zero are fine in a draft only: the activation, and
every change after it, asks :func:`counts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from goal_ledger_contracts.measures import (
    Aligned,
    Checklist,
    Compound,
    Decrease,
    Increase,
    Measure,
    Part,
    Ranged,
    Reach,
    Simple,
    StayAbove,
    StayBelow,
    StayBetween,
    Step,
    Window,
    Zones,
)

from goal_ledger_domain import limits, text, times, values
from goal_ledger_domain.durations import duration
from goal_ledger_domain.refusals import Refusal

COMBINE = ("all", "any", "at_least", "weighted")


def clean(measure: Measure, field: str = "measure") -> Measure:
    """The measure in its clean form. Raises Refusal; ``field`` is the path that its fields are named under."""
    match measure:
        case Compound():
            return _compound(measure, field)
        case Aligned():
            return measure
    return _simple(measure, field)


def counts(measure: Measure) -> bool:
    """Whether some step or part has a weight: what a commitment needs."""
    match measure:
        case Checklist():
            return any(step.weight for step in measure.steps)
        case Compound():
            weighted = measure.combine != "weighted" or any(part.weight for part in measure.parts)
            return weighted and all(counts(part.measure) for part in measure.parts)
    return True


def _simple(measure: Simple, field: str) -> Simple:
    cleaned = replace(
        measure,
        **{one.name: _clean_field(getattr(measure, one.name), field, one.name) for one in fields(measure)},
    )
    _need_sense(cleaned, field)
    return cleaned


def _clean_field(given: Any, field: str, name: str) -> Any:
    path = f"{field}/{name}"
    match name, given:
        case _, None:
            return None
        case _, Decimal():
            return values.value(given, path)
        case "unit", _:
            return text.line(given, path, limits.MEASURE_UNIT_MAX_CHARACTERS)
        case "window", _:
            return _window(given, path)
        case "steps", _:
            return _steps(given, path)
        case "zones", _:
            return _zones(given, path)
        case "scores", _:
            return tuple(values.value(one, f"{path}/{number}") for number, one in enumerate(given))
    raise TypeError(f"{path} has no clean form")


def _need_sense(measure: Simple, field: str) -> None:
    match measure:
        case Increase(target, baseline) if baseline is not None and target <= baseline:
            _mismatch(f"An increase needs a target above its baseline {baseline}.", f"{field}/target")
        case Decrease(target, baseline) if baseline is not None and target >= baseline:
            _mismatch(f"A decrease needs a target below its baseline {baseline}.", f"{field}/target")
        case Reach(target, baseline) if target == baseline:
            _mismatch("The target to reach is the baseline.", f"{field}/target")
        case StayBelow(limit, risk) if risk is not None and risk <= limit:
            _mismatch("The risk value of stay below lies above the limit.", f"{field}/risk")
        case StayAbove(limit, risk) if risk is not None and risk >= limit:
            _mismatch("The risk value of stay above lies below the limit.", f"{field}/risk")
        case StayBetween():
            _band(measure, field)
        case Ranged():
            _ranged(measure, field)


def _mismatch(sentence: str, field: str) -> None:
    raise Refusal("direction_mismatch", sentence, field=field)


def _band(measure: StayBetween, field: str) -> None:
    if measure.low > measure.high:
        raise Refusal("band_reversed", "The band's low lies above its high.", field=f"{field}/low")
    if measure.tolerance is not None and measure.tolerance < 0:
        raise Refusal("tolerance_negative", "A tolerance is 0 or more.", field=f"{field}/tolerance")


def _ranged(measure: Ranged, field: str) -> None:
    edges = (measure.baseline, measure.commit, measure.target, measure.stretch)
    if not (_rises(edges) or _rises(edges[::-1])):
        sentence = "Baseline, commit, target and stretch rise or fall strictly."
        raise Refusal("not_monotone", sentence, field=f"{field}/commit")
    if measure.scores is not None and not (len(measure.scores) == 4 and _rises(measure.scores)):
        raise Refusal("not_monotone", "Scores are four values that rise strictly.", field=f"{field}/scores")


def _rises(numbers: Sequence[Decimal]) -> bool:
    return all(a < b for a, b in pairwise(numbers))


def _window(window: Window, field: str) -> Window:
    match window:
        case Window(datetime() as start, datetime() as end, None, None):
            times.instant(start, f"{field}/start")
            times.instant(end, f"{field}/end")
            if start >= end:
                raise Refusal("window_malformed", "The window ends after its start.", field=f"{field}/end")
            return window
        case Window(None, None, str() as moment, str() as length):
            name = text.id_of(moment, f"{field}/moment")
            return Window(moment=name, duration=duration(length, f"{field}/duration"))
    sentence = "A window is a start and an end, or a moment and a duration."
    raise Refusal("window_malformed", sentence, field=field)


def _zones(zones: Zones, field: str) -> Zones | None:
    """No text for any zone is no zones."""
    texts = {
        one.name: text.optional_passage(
            getattr(zones, one.name), f"{field}/{one.name}", limits.ZONE_MAX_CHARACTERS
        )
        for one in fields(zones)
    }
    return Zones(**texts) if any(texts.values()) else None


def _steps(steps: tuple[Step, ...], field: str) -> tuple[Step, ...]:
    _need_some(steps, field, "A checklist has at least one step.")
    text.at_most(steps, field, limits.STEPS_MAX_ITEMS)
    _need_unique((step.id for step in steps), field)
    return tuple(
        Step(
            text.id_of(step.id, f"{field}/{number}/id"),
            text.line(step.text, f"{field}/{number}/text", limits.TITLE_MAX_CHARACTERS),
            values.weight(step.weight, f"{field}/{number}/weight"),
        )
        for number, step in enumerate(steps)
    )


def _compound(measure: Compound, field: str) -> Compound:
    text.choice(measure.combine, f"{field}/combine", COMBINE)
    parts = measure.parts
    _need_some(parts, f"{field}/parts", "A compound measure has at least one part.")
    text.at_most(parts, f"{field}/parts", limits.PARTS_MAX_ITEMS)
    _need_unique((part.id for part in parts), f"{field}/parts")
    _need_n(measure, field)
    cleaned = (_part(part, f"{field}/parts/{number}") for number, part in enumerate(parts))
    return replace(measure, parts=tuple(cleaned))


def _part(part: Part, field: str) -> Part:
    id = text.id_of(part.id, f"{field}/id")
    if isinstance(part.measure, Compound | Aligned):
        sentence = "A part of a compound measure is a simple measure."
        raise Refusal("part_not_simple", sentence, field=f"{field}/measure")
    return Part(id, _simple(part.measure, f"{field}/measure"), values.weight(part.weight, f"{field}/weight"))


def _need_n(measure: Compound, field: str) -> None:
    if measure.combine != "at_least":
        fits = measure.n is None
    else:
        fits = measure.n is not None and 1 <= measure.n <= len(measure.parts)
    if not fits:
        sentence = "n is stated with at_least only, and lies between 1 and the number of parts."
        raise Refusal("n_out_of_range", sentence, field=f"{field}/n")


def _need_some(items: tuple[Any, ...], field: str, sentence: str) -> None:
    if not items:
        raise Refusal("field_required", sentence, field=field)


def _need_unique(ids: Iterable[str], field: str) -> None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise Refusal("ids_not_unique", f"The id {id} stands there twice.", field=field)
        seen.add(id)
