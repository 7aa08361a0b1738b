"""Codes that the deciders do not know: of HTTP, readings on their way, the ledger, the read side, and the client.

Each with its HTTP status and what it means, which is also the title of the problem document. The page of refusals is written
from here (``goal_ledger_domain.documents``); a test holds them against the source of every part. A code that a decider
uses too stands in its table there (``goal_ledger_domain.refusals``).
"""

from __future__ import annotations

HTTP: dict[str, tuple[int, str]] = {
    "bad_json": (400, "The body, message or line is not acceptable JSON: the sentence says why."),
    "bad_position": (400, "A position is not written <epoch>-<seq>, such as 1-151."),
    "bad_wait": (400, "wait_ms is not a whole number from 0 to 5000."),
    "malformed_request": (400, "The request cannot be read."),
    "unauthenticated": (401, "There is no credential, or none that counts."),
    "forbidden": (403, "Not allowed."),
    "identity_not_linked": (403, "The workspace that the token names has not linked this identity."),
    "not_found": (404, "There is nothing at this address, or of that id, at these clocks."),
    "method_not_allowed": (405, "The address does not take this method."),
    "position_lost": (410, "The position lies beyond the fork of an epoch that is over."),
    "request_timeout": (408, "The request's head or body did not come in time."),
    "address_too_long": (414, "Path and query string have more bytes than the limit."),
    "headers_too_large": (431, "The headers are too many, or have more bytes than the limit."),
    "body_too_large": (413, "The body has more bytes than its limit."),
    "media_type_not_supported": (415, "The Content-Type is not taken, the body is compressed or not UTF-8."),
    "invalid": (422, "A parameter has a wrong value."),
    "parameter_repeated": (422, "A query parameter is given twice."),
    "unknown_parameter": (422, "The address takes no such query parameter; those it takes are named."),
    "wrong_type": (422, "A member of the body has the wrong JSON type."),
    "internal_error": (500, "The server met an error of its own; the log has it under the correlation id."),
}
COMMANDS: dict[str, tuple[int, str]] = {
    "bad_idempotency_key": (400, "The Idempotency-Key is not 1–255 visible ASCII characters."),
    "bad_if_match": (400, 'If-Match is not one version in quotes, such as "3".'),
    "bad_csv": (400, "The table is not CSV in UTF-8."),
    "reading_unknown": (404, "No reading is recorded under this source and id: send it again."),
    "unknown_fact": (404, "There is no such fact in this workspace."),
    "heads_not_signed": (404, "This installation signs no heads: it has no key for them."),
    "pieces_missing": (409, "Not all pieces of the import are here; the first that is missing is named."),
    "pieces_left_out": (
        409,
        "More pieces of the import are here than are to be run; none is left out silently.",
    ),
    "given_twice": (409, "An import states the same thing in two places: both are named, neither is taken."),
    "fact_too_large": (413, "One fact of what is to be recorded has more than 65,535 bytes."),
    "too_many_items": (413, "A batch or an import has more items than its limit."),
    "date_malformed": (422, "A date is not written YYYY-MM-DD."),
    "field_unknown": (422, "There is a member that is not known here: nothing is dropped silently."),
    "instant_malformed": (422, "An instant is not RFC 3339 with an offset."),
    "key_not_for_bulk": (422, "A bulk request takes no Idempotency-Key: its items have identities."),
    "key_reused": (422, "The Idempotency-Key was used with another body."),
    "no_personal_text": (422, "The pointer names no personal text of the fact."),
    "wrong_format": (422, "The document does not name the format goal-ledger.organisation.v1."),
    "clock_skewed": (503, "This process's clock is too far from the database's: it records nothing."),
    "not_recorded": (503, "Nothing was recorded; the same request may be sent again."),
    "not_signed_yet": (503, "No head of the workspace, or none over the fact, has been signed yet."),
    "tiles_not_kept_yet": (503, "The tiles of a log that is older than they are being made."),
    "outcome_unknown": (503, "It may or may not be recorded: repeat it with the same Idempotency-Key."),
    "store_behind_log": (503, "The store lacks published facts; writing stops until it is recovered."),
    "log_forked": (503, "A witness has seen another log under this name; writing stops."),
    "unavailable": (503, "A database cannot be reached now."),
}
READINGS: dict[str, tuple[int, str]] = {
    "event_too_large": (413, "The event has more bytes than its limit."),
    "event_malformed": (422, "The message is not a CloudEvent 1.0 with the attributes that are needed."),
    "event_type_unknown": (422, "The event's type is not goal-ledger.reading.v1."),
    "reading_undecidable": (
        422,
        "It failed in a way of its own, again and again: the operator's log has it.",
    ),
}
QUARANTINE: dict[str, str] = {
    "wrong_unit": "The reading's unit is not its feed's.",
    "future": "Its time lies more than five minutes ahead.",
    "out_of_limits": "Its value lies beyond a limit set on the feed.",
    "counter_backwards": "A counter would go backwards, compared with its neighbours in time.",
}
"""Why a reading waits for a person: it is recorded, and counts when it is released."""


def why_quarantined(code: str) -> dict[str, str]:
    """``reason`` and ``detail`` of a receipt; a code of a later release has no sentence here."""
    return {"reason": code, "detail": QUARANTINE.get(code, code)}


QUERIES: dict[str, tuple[int, str]] = {
    "bad_cursor": (422, "The cursor is not one of this question's, or has other clocks."),
    "bad_date": (422, "A day is not a local day, YYYY-MM-DD."),
    "bad_period": (422, "every is not a number of weeks, P1W to P99W."),
    "too_many_periods": (422, "The question has more periods than an answer holds: the limit is named."),
    "bad_instant": (422, "A time is not an RFC 3339 instant with an offset, nor a position."),
    "bad_token": (422, "The token is not one of our answers'."),
    "calculation_differs": (422, "A token of another calculation version has no diff: both are named."),
    "fact_not_behind": (422, "A fact to be left out is not among those that the answer rests on."),
    "known_at_too_recent": (422, "A known_at given as a time lies at least 10 seconds back."),
    "position_unknown": (422, "The position is of an epoch that the workspace does not have."),
    "sides_reversed": (422, "Of two answers the earlier one lies after the later, on one of the clocks."),
    "too_many_facts": (422, "What is asked about rests on more facts than are replayed."),
    "too_many_goals": (422, "An explanation rests on more objectives than it tells of: state a depth."),
    "too_many_changes": (
        422,
        "There are more changes than are sorted by effect at once; the limit is given.",
    ),
    "needed_by_others": (422, "A fact cannot be left out alone: others need it; both are named."),
    "not_yet": (503, "The read side has not passed the position yet; how far it is behind is given."),
    "proofs_out_of_reach": (
        503,
        "The command service, which keeps the log, gives no proofs now: nothing is given without.",
    ),
    "read_side_unavailable": (503, "The read database cannot be reached now."),
    "rebuilding": (503, "The read side is folding a new epoch of the workspace."),
    "too_many_cells": (
        422,
        "A grid has more cells, or more dates, than are answered at once; the limit is given.",
    ),
    "view_unknown": (
        422,
        "What is to be compared, or asked otherwise, is none of the questions that can be; they are named.",
    ),
    "took_too_long": (503, "The answer took longer than it may: ask for less."),
}
STANDING_STILL: dict[str, str] = {
    "log_contradicted": "What was folded is not the command service's log: `retry` folds it anew from there.",
    "store_behind_reader": "The store was set back behind what was folded: it goes on under the next epoch.",
}
"""What `Goal-Ledger-Parked` begins with, the header of an answer about a workspace whose facts are not folded any further."""
CLIENT: dict[str, str] = {
    "unreachable": "The service cannot be reached.",
    "broken_off": "An import broke off; send it again: only what is missing is recorded.",
}
"""Said by the Python client and the command line, not by a service."""

PAGES: dict[str, tuple[int, str]] = {
    "foreign_form": (403, "The form was not made for this session, or the session is over."),
}

SHARED: dict[str, tuple[str, str]] = {
    "bands_reversed": ("invalid", "The band of *behind* ends below the band of *on track*."),
    "field_required": ("invalid", "Something that must be stated is not."),
    "choice_unknown": ("invalid", "A value is not one of those that the field allows; they are listed."),
    "dates_reversed": ("invalid", "The end lies before the start."),
    "not_allowed": ("forbidden", "None of the actor's roles allows this here."),
}
"""Codes of the deciders (kind and meaning) that the read side refuses with too: they mean the same."""

ELSEWHERE: tuple[tuple[str, dict[str, tuple[int, str]]], ...] = (
    ("Every HTTP request", HTTP),
    ("Commands, the log, imports", COMMANDS),
    ("Readings on their way (receipts, and over HTTP)", READINGS),
    ("Questions to the read side", QUERIES),
    ("Forms of the pages", PAGES),
)
