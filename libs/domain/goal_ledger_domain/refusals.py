"""A refusal: a command that is not allowed, in domain words, with a code that never changes its meaning.

It becomes a problem document in exactly one HTTP file. Every code is in :data:`CODES`; the list in
``docs/refusals.md`` is written from it by ``python -m goal_ledger_domain.documents``.
"""

from __future__ import annotations

from typing import Any

from goal_ledger_contracts.refusal_codes import SHARED

from goal_ledger_domain.refusals_of_goals import GOALS
from goal_ledger_domain.refusals_of_organisation import ORGANISATION

GENERAL: dict[str, tuple[str, str]] = {
    "field_required": SHARED["field_required"],
    "id_malformed": (
        "invalid",
        "An id is not 1–64 of A–Z a–z 0–9 . _ -, or is . or .. (workspaces, systems: 1–40 of a–z 0–9 -).",
    ),
    "reference_malformed": (
        "invalid",
        "A reference is not written <kind>/<id>, or is of a kind not allowed here.",
    ),
    "text_empty": ("invalid", "A text has no visible character."),
    "text_too_long": ("invalid", "A text has more characters than its limit."),
    "text_has_control_characters": (
        "invalid",
        "A text holds control, bidirectional override or tag characters (docs/limits.md).",
    ),
    "value_not_decimal": (
        "invalid",
        "A value is not finite, or has over 18 digits before or 6 after the point.",
    ),
    "weight_not_allowed": (
        "invalid",
        "A weight is negative, or has over 6 digits before or after the point.",
    ),
    "choice_unknown": SHARED["choice_unknown"],
    "too_many": ("invalid", "A list has more items than its limit."),
    "duration_malformed": ("invalid", "A duration is not an ISO 8601 duration such as P1M or PT15M."),
    "time_out_of_range": ("invalid", "An instant or a date lies outside the years that are reckoned with."),
    "time_zone_unknown": ("invalid", "A time zone is not in the IANA database."),
    "reason_required": ("invalid", "This change needs a reason."),
    "effective_at_ahead": ("invalid", "The stated time lies more than five minutes ahead."),
    "effective_at_differs": (
        "invalid",
        "A moment is effective at its at, a reading at its time: another effective_at is stated.",
    ),
    "effective_at_past": ("forbidden", "Only the role importer may state a past time for this fact."),
    "effective_at_goes_back": ("conflict", "The stated time lies before the stream's last fact."),
    "id_taken": (
        "conflict",
        "Something else is recorded under this id (of a moment: this name; correct it).",
    ),
    "not_allowed": SHARED["not_allowed"],
    "version_stale": (
        "stale",
        "The stream has moved on since the version in If-Match; the present one is given.",
    ),
}

CODES: dict[str, tuple[str, str]] = {**GENERAL, **ORGANISATION, **GOALS}
"""Code → (kind, what it means). Kinds: invalid 422, not_found 404, conflict 409, forbidden 403, stale 412."""


class Refusal(Exception):
    """Nothing is recorded. ``sentence`` is for people, ``code`` for programs, ``details`` are extra members.

    ``field``: the command's field that it is about, what lies within it after slashes: ``measure/steps/0/id``.
    """

    def __init__(self, code: str, sentence: str, *, field: str | None = None, **details: Any) -> None:
        super().__init__(sentence)
        self.kind = CODES[code][0]
        self.code = code
        self.sentence = sentence
        self.field = field
        self.details = details

    def __repr__(self) -> str:
        return f"Refusal({self.code}: {self.sentence})"


STATUS = {"invalid": 422, "not_found": 404, "conflict": 409, "forbidden": 403, "stale": 412}
"""HTTP status by kind of refusal."""
