"""The score of one key result: a simple measure, a compound of parts, or the mean of the objectives aligned with it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from goal_ledger_contracts.measures import VALUE, Aligned, Compound

from goal_ledger_scoring.inputs import NOTHING, KeyResultInput
from goal_ledger_scoring.measures import score_part
from goal_ledger_scoring.numbers import ONE, ZERO, beyond, weighted_mean
from goal_ledger_scoring.results import (
    MEASURED,
    NO_BASELINE,
    NOT_MEASURED,
    WAITING,
    Counted,
    KeyResultScore,
    LeftOut,
    PartScore,
)

ALL, ANY, AT_LEAST, WEIGHTED = "all", "any", "at_least", "weighted"


def score_key_result(
    key_result: KeyResultInput, counted: Sequence[Counted] = (), left_out: Sequence[LeftOut] = ()
) -> KeyResultScore:
    """The score from the values in force. ``counted`` and ``left_out``: the objectives aligned with it, if it is
    measured by them."""
    measure = key_result.measure
    if type(measure) is Compound:
        return _compound(key_result, measure)
    if type(measure) is Aligned:
        return _aligned(key_result, tuple(counted), tuple(left_out))
    part = score_part(measure, key_result.values.get(VALUE, NOTHING))  # type: ignore[arg-type]
    raw = part.raw
    if raw is None:
        return KeyResultScore(key_result.id, None, None, None, part.state, {VALUE: part})
    return KeyResultScore(key_result.id, raw, part.score, beyond(raw), MEASURED, {VALUE: part}, raw >= ONE)


def _aligned(
    key_result: KeyResultInput, counted: tuple[Counted, ...], left: tuple[LeftOut, ...]
) -> KeyResultScore:
    score = weighted_mean((child.weight, child.score) for child in counted)
    state = NOT_MEASURED if score is None else MEASURED
    over = None if score is None else ZERO
    reached = None if score is None else score >= ONE
    return KeyResultScore(
        key_result.id, score, score, over, state, {}, reached, counted=counted, left_out=left
    )


def _compound(key_result: KeyResultInput, measure: Compound) -> KeyResultScore:
    parts = {
        part.id: score_part(part.measure, key_result.values.get(part.id, NOTHING)) for part in measure.parts
    }
    measured = {name: part.score for name, part in parts.items() if part.score is not None}
    score = _combined(measure, measured)
    mean = weighted_mean((ONE, one) for one in measured.values())
    bottleneck = min(measured, key=lambda name: measured[name]) if measured else None
    if score is None:
        return KeyResultScore(key_result.id, None, None, None, _why_not(parts), parts, None, mean, bottleneck)
    return KeyResultScore(key_result.id, score, score, ZERO, MEASURED, parts, score >= ONE, mean, bottleneck)


def _combined(measure: Compound, measured: dict[str, Decimal]) -> Decimal | None:
    if measure.combine == ALL:
        return min(measured.values()) if len(measured) == len(measure.parts) else None
    if measure.combine == ANY:
        return max(measured.values(), default=None)
    if measure.combine == AT_LEAST:
        n = measure.n or 1
        return sorted(measured.values(), reverse=True)[n - 1] if len(measured) >= n else None
    weights = {part.id: part.weight for part in measure.parts}
    return weighted_mean((weights[name], score) for name, score in measured.items())


def _why_not(parts: dict[str, PartScore]) -> str:
    states = {part.state for part in parts.values()}
    return next((state for state in (WAITING, NO_BASELINE) if state in states), NOT_MEASURED)
