"""Validated ISO 8601 durations of whole numbers: ``P1M``, ``P2W``, ``P1DT12H``, ``PT15M``."""

from __future__ import annotations

import re

from goal_ledger_domain import limits
from goal_ledger_domain.refusals import Refusal

_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)
_SECONDS = (366 * 86400, 31 * 86400, 7 * 86400, 86400, 3600, 60, 1)
"""Of a year, month, week, day, hour, minute and second at their longest."""


def duration(text: str, field: str) -> str:
    """The duration as given: longer than nothing, at most ``limits.DURATION_MAX_YEARS``."""
    found = _DURATION.fullmatch(text)
    seconds = sum(int(n or 0) * s for n, s in zip(found.groups(), _SECONDS, strict=True)) if found else 0
    if not 0 < seconds <= limits.DURATION_MAX_YEARS * _SECONDS[0]:
        raise Refusal(
            "duration_malformed",
            f"{field} is not an ISO 8601 duration of whole numbers such as P1M or PT15M, longer than nothing and "
            f"at most {limits.DURATION_MAX_YEARS} years.",
            field=field,
        )
    return text
