"""What the scores must be, counted from what was sent and from nothing else.

The rounding is SPEC 5's: the exact quotient, rounded once, half-even, to 12 decimal places; :mod:`fractions` is exact.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from goal_ledger_demo.days import sales_since_launch, visitors_since_launch
from goal_ledger_demo.organisation import CHECK_INS, KEY_RESULTS, LINKS, OBJECTIVES, ROLLED_UP_FROM_BOTH

CORRECTED = {("hours", 9): "58"}


def rounded(exact: Fraction) -> Fraction:
    """Half-even to 12 decimal places."""
    scaled = exact * 10**12
    return Fraction(round(scaled), 10**12)


def text(exact: Fraction) -> str:
    """The decimal as the answers write it."""
    written = Decimal(exact.numerator) / Decimal(exact.denominator)
    return f"{written.quantize(Decimal(10) ** -12, ROUND_HALF_EVEN).normalize():f}"


def clamp(score: Fraction) -> Fraction:
    return max(Fraction(0), min(Fraction(1), score))


def part_values(start: date, until: datetime) -> dict[str, Decimal]:
    """The values of the two fed parts of the running example."""
    return {"visitors": visitors_since_launch(start, until), "sales": sales_since_launch(start, until)}


def _last_said(key_result: str) -> dict[str, Any] | None:
    said = [
        (day, body["values"][0])
        for _, name, day, body in CHECK_INS
        if name == key_result and "values" in body
    ]
    if not said:
        return None
    day, value = max(said, key=lambda one: one[0])
    last: dict[str, Any] = value | (
        {"value": CORRECTED[key_result, day]} if (key_result, day) in CORRECTED else {}
    )
    return last


def _raw(measure: dict[str, Any], said: dict[str, Any], fed: dict[str, Decimal]) -> Fraction:
    kind = measure["kind"]
    if kind == "checklist":
        return Fraction(len(said["done"]), len(measure["steps"]))
    if kind == "compound":
        return min(
            clamp(rounded(_linear(part["measure"], Fraction(fed[part["id"]])))) for part in measure["parts"]
        )
    if kind == "stay_below":
        return Fraction(Fraction(said["value"]) <= Fraction(measure["limit"]))
    return _linear(measure, Fraction(said["value"]))


def _linear(measure: dict[str, Any], value: Fraction) -> Fraction:
    baseline, target = Fraction(measure["baseline"]), Fraction(measure["target"])
    return (value - baseline) / (target - baseline)


def key_result_scores(start: date, until: datetime) -> dict[str, Fraction]:
    """The score of every key result."""
    fed = part_values(start, until)
    return {
        name: clamp(rounded(_raw(measure, _last_said(name) or {}, fed)))
        for key_results in KEY_RESULTS.values()
        for name, _, measure in key_results
    }


def objective_scores(start: date, until: datetime) -> dict[str, Fraction]:
    """The score of every objective: its key results, and where the policy says both, what contributes to it."""
    of_key_results = key_result_scores(start, until)
    found: dict[str, Fraction] = {}

    def score(objective: str) -> Fraction:
        if objective not in found:
            children = [(of_key_results[name], Fraction(1)) for name, _, _ in KEY_RESULTS[objective]]
            if objective in ROLLED_UP_FROM_BOTH:
                children += [
                    (score(child), Fraction(weight))
                    for child, parent, mode, weight in LINKS
                    if (parent, mode) == (f"objective/{objective}", "contributes")
                ]
            weighed = sum((value * weight for value, weight in children), Fraction(0))
            found[objective] = rounded(weighed / sum((weight for _, weight in children), Fraction(0)))
        return found[objective]

    return {objective: score(objective) for objective in OBJECTIVES}
