"""Numbers as tables have them: with a decimal comma, thousands in groups, a percent sign.

What a number means is never guessed: ``1.234`` is one and a bit unless the table, or the request, says that its numbers
are written ``1.234,5``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

from goal_ledger_edge.problems import Problem

NUMBERS = frozenset(["grade", "weight", "baseline", "target", "low", "high", "value", "confidence"])
"""Columns of numbers."""
_OF_ONE = frozenset(["grade", "confidence"])
"""From 0 to 1: with a percent sign it is hundredths."""
FORMS = {
    "1234.5": (".", ""),
    "1,234.5": (".", ","),
    "1.234,5": (",", "."),
    "1 234,5": (",", " "),
    "1234,5": (",", ""),
}
"""How a number is written: its decimal sign, and what stands between thousands."""
_SPACES = re.compile(r"[\s\u00a0\u202f']")
_LIKE_A_NUMBER = re.compile(r"-?[0-9][0-9 .,'\u00a0\u202f]*[0-9]")


@dataclass(frozen=True, slots=True)
class Style:
    """``numbers``: one of :data:`FORMS`, None: not said; ``percent``: whether a percent sign may stand behind a number."""

    numbers: str | None = None
    percent: bool = False
    decimal_comma: bool = False
    """Cells are separated by semicolons: one comma in a number is its decimal sign."""

    def with_(self, other: Self) -> Style:
        return Style(
            self.numbers or other.numbers,
            self.percent or other.percent,
            self.decimal_comma or other.decimal_comma,
        )


def style_of(options: dict[str, str], *, percent: bool = False, decimal_comma: bool = False) -> Style:
    """Problem 422 for a form that is not known."""
    numbers, said = options.get("numbers"), options.get("percent", "yes" if percent else "no").lower()
    if numbers is not None and numbers not in FORMS:
        raise Problem(422, "choice_unknown", f"numbers is one of {'; '.join(FORMS)}.", field="numbers")
    if said not in ("yes", "no"):
        raise Problem(422, "choice_unknown", "percent is yes or no.", field="percent")
    return Style(numbers, said == "yes", decimal_comma)


def number(cell: str, column: str, style: Style) -> str:
    """The number as the document has it; what cannot be read stays as it is, for the row's own refusal. Problem 422."""
    text = cell
    if text.endswith("%"):
        if not style.percent:
            sentence = "A percent sign is read if the table says so: percent=yes on a line before the header, or as a parameter."
            raise Problem(422, "value_not_decimal", sentence, field=column)
        text = text[:-1].strip()
        plain = _plain(text, column, style)
        return _hundredth(plain) if column in _OF_ONE else plain
    return _plain(text, column, style)


def _plain(text: str, column: str, style: Style) -> str:
    if style.numbers is not None:
        return _as_stated(text, column, style.numbers)
    if style.decimal_comma and text.count(",") == 1 and "." not in text:
        return text.replace(",", ".")
    if _LIKE_A_NUMBER.fullmatch(text) and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        sentence = (
            "A number with a comma or with thousands in groups is read if the table says how its numbers are written:"
            " numbers=1.234,5 (or 1,234.5; 1 234,5) on a line before the header, or as a parameter."
        )
        raise Problem(422, "value_not_decimal", sentence, field=column)
    return text


def _as_stated(text: str, column: str, form: str) -> str:
    """Thousands stand in threes: what looks like a number of another form is refused, not read as one of this."""
    point, between = FORMS[form]
    plain = _SPACES.sub(" ", text)
    if re.fullmatch(_pattern(point, between), plain):
        return (plain.replace(between, "") if between else plain).replace(point, ".")
    if _LIKE_A_NUMBER.fullmatch(text):
        sentence = f"The table says that its numbers are written {form}: this one is not."
        raise Problem(422, "value_not_decimal", sentence, field=column)
    return text


def _pattern(point: str, between: str) -> str:
    groups = f"|[0-9]{{1,3}}({re.escape(between)}[0-9]{{3}})+" if between else ""
    return rf"-?([0-9]+{groups})({re.escape(point)}[0-9]+)?"


def _hundredth(text: str) -> str:
    try:
        return format(Decimal(text).scaleb(-2), "f")
    except InvalidOperation:
        return text
