"""Validated times: instants and local dates of years that calendars and time zones can reckon with."""

from __future__ import annotations

from datetime import date, datetime

from goal_ledger_domain import limits
from goal_ledger_domain.refusals import Refusal


def instant(at: datetime, field: str) -> datetime:
    """Refuses ``time_out_of_range``. The instant is aware."""
    _need_year(at.year, field)
    return at


def day(stated: date, field: str) -> date:
    """Refuses ``time_out_of_range``."""
    _need_year(stated.year, field)
    return stated


def _need_year(year: int, field: str) -> None:
    if not limits.TIME_MIN_YEAR <= year <= limits.TIME_MAX_YEAR:
        raise Refusal(
            "time_out_of_range",
            f"{field} is in the years {limits.TIME_MIN_YEAR} to {limits.TIME_MAX_YEAR}.",
            field=field,
        )
