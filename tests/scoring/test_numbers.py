"""One rounding, half-even, to 12 places, of the exact quotient; compared with integers of any size."""

from __future__ import annotations

import ast
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import goal_ledger_scoring
from goal_ledger_contracts.canonical import EXACT
from goal_ledger_contracts.measures import Decrease, Increase, Reach
from goal_ledger_scoring import KeyResultInput, PartInput, score_key_result
from goal_ledger_scoring.numbers import quotient, weighted_mean
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.decimals(min_value=-(10**18), max_value=10**18, places=6, allow_nan=False, allow_infinity=False)
SCORES = st.decimals(min_value=0, max_value=1, places=12)
WEIGHTS = st.decimals(min_value=0, max_value=999_999, places=6)


def rounded_half_even(exact: Fraction) -> Decimal:
    """Python's round() of a Fraction is exact and half-even."""
    return Decimal(round(exact * 10**12)).scaleb(-12, EXACT)


@given(VALUES, VALUES.filter(bool))
def test_the_quotient_is_the_exact_one_rounded_once(numerator: Decimal, denominator: Decimal) -> None:
    assert quotient(numerator, denominator) == rounded_half_even(Fraction(numerator) / Fraction(denominator))


@given(st.integers(0, 10**14), st.integers(-1, 1))
def test_ties_go_to_the_even_neighbour(k: int, nudge: int) -> None:
    """Half-way between two results, and a hair beside it, 40 digits further out."""
    exact = Fraction(2 * k + 1, 2 * 10**12) + Fraction(nudge, 10**42)
    scale = 10**42 * 2
    got = quotient(Decimal(int(exact * scale)), Decimal(scale))
    assert got == rounded_half_even(exact)


@given(st.lists(st.tuples(WEIGHTS, SCORES), max_size=8), st.randoms())
def test_a_weighted_mean_is_exact_and_has_no_order(
    pairs: list[tuple[Decimal, Decimal]], random: object
) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    weights = sum((Fraction(w) for w, _ in pairs), Fraction(0))
    expected = (
        rounded_half_even(sum((Fraction(w) * Fraction(s) for w, s in pairs), Fraction(0)) / weights)
        if weights
        else None
    )
    assert weighted_mean(pairs) == weighted_mean(shuffled) == expected


@given(VALUES, VALUES, VALUES, VALUES)
def test_a_score_is_clamped_goes_with_the_value_and_is_one_at_the_target(
    baseline: Decimal, target: Decimal, value: Decimal, other: Decimal
) -> None:
    if baseline == target:
        return
    measure = Increase(target, baseline) if target > baseline else Decrease(target, baseline)

    def scored(v: Decimal) -> Decimal:
        got = score_key_result(KeyResultInput("kr", measure, values={"value": PartInput(v)}))
        assert got.raw is not None and got.score is not None and got.beyond is not None
        assert 0 <= got.score <= 1
        assert got.beyond == max(EXACT.subtract(got.raw, Decimal(1)), 0)
        return got.raw

    low, high = sorted((value, other), reverse=target < baseline)
    assert scored(low) <= scored(high)
    assert (scored(baseline), scored(target)) == (0, 1)
    reach = KeyResultInput("kr", Reach(target, baseline), values={"value": PartInput(value)})
    assert score_key_result(reach).raw == scored(value)


def test_the_source_holds_no_binary_float() -> None:
    for path in Path(goal_ledger_scoring.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), path
            assert not (isinstance(node, ast.Name) and node.id == "float"), path
            assert not isinstance(getattr(node, "op", None), ast.Div), f"{path}: use quotient()"
