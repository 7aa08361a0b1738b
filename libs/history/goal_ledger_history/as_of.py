"""The two clocks of a question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AsOf:
    """True at ``true_at``, by the facts up to the seq ``known_to``."""

    true_at: datetime
    known_to: int
