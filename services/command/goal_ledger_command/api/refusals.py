"""From refusals to problem documents: the one place where domain and ledger meet HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goal_ledger_contracts.envelope import MAX_FACT_BYTES
from goal_ledger_domain.refusals import CODES, STATUS, Refusal
from goal_ledger_edge.problems import Problem, pointer
from goal_ledger_ledger.submission import (
    FactTooLarge,
    KeyReused,
    LedgerError,
    LogForked,
    NotRecorded,
    OutcomeUnknown,
    StoreBehindLog,
)
from pydantic import ValidationError

MAX_ERRORS_SHOWN = 20

Place = Callable[[str | None], str | None]

EDGE_CODES: dict[str, tuple[int, str]] = {
    "bad_idempotency_key": (400, "The Idempotency-Key is not 1–255 visible ASCII characters."),
    "bad_if_match": (400, 'If-Match is not one version in quotes, such as "3".'),
    "field_unknown": (422, "The body has a member that the command does not know."),
    "wrong_type": (422, "A member of the body has the wrong JSON type."),
    "instant_malformed": (422, "An instant is not RFC 3339 with an offset."),
    "date_malformed": (422, "A date is not written YYYY-MM-DD."),
    "identity_not_linked": (403, "The workspace that the token names has not linked this identity."),
    "key_reused": (422, "The Idempotency-Key was used with another body."),
    "key_not_for_bulk": (422, "A bulk request takes no Idempotency-Key: its items have identities."),
    "pieces_missing": (409, "Not all pieces of the import are here."),
    "pieces_left_out": (409, "More pieces of the import are here than are to be run."),
    "given_twice": (409, "An import states the same thing in two places."),
    "fact_too_large": (413, "One fact of what is to be recorded has more than 65,535 bytes."),
    "clock_skewed": (503, "This process's clock is too far from the database's: it records nothing."),
    "not_recorded": (503, "Nothing was recorded; the same request may be sent again."),
    "outcome_unknown": (503, "It may or may not be recorded: repeat it with the same Idempotency-Key."),
    "store_behind_log": (503, "The store lacks published facts; writing stops until it is recovered."),
    "log_forked": (503, "A witness has seen another log under this name; writing stops."),
    "unavailable": (503, "A database cannot be reached now."),
    "heads_not_signed": (404, "This installation signs no heads: it has no key for them."),
    "not_signed_yet": (503, "No head of the workspace, or none over the fact, has been signed yet."),
    "tiles_not_kept_yet": (503, "The tiles of a log that is older than they are being made."),
    "event_malformed": (422, "The body is not a CloudEvent 1.0 with all its attributes."),
    "event_type_unknown": (422, "The event's type is not goal-ledger.reading.v1."),
    "event_too_large": (413, "The event is larger than 64 KiB."),
    "reading_unknown": (404, "No reading is recorded under this source and id."),
    "position_lost": (410, "The position lies beyond the fork of an epoch that is over."),
    "unknown_fact": (404, "There is no such fact in this workspace."),
    "no_personal_text": (422, "The pointer names no personal text of the fact."),
    "wrong_format": (422, "The document does not name the format goal-ledger.organisation.v1."),
    "bad_csv": (400, "The table is not CSV in UTF-8."),
    "too_many_items": (413, "The batch has more items than its limit."),
}
"""Codes that this service adds: status and meaning."""

CODE_TITLES: dict[str, str] = {
    **{code: meaning.rstrip(".") for code, (_, meaning) in CODES.items()},
    **{code: meaning.rstrip(".") for code, (_, meaning) in EDGE_CODES.items()},
}
"""The titles of all codes, for ``install_problem_handlers``."""

_CODE_OF_PYDANTIC = {
    "missing": "field_required",
    "extra_forbidden": "field_unknown",
    "union_tag_not_found": "field_required",
    "union_tag_invalid": "choice_unknown",
    "literal_error": "choice_unknown",
}
_OURS = frozenset({"value_not_decimal", "instant_malformed", "date_malformed"})
_SENTENCES = {
    "missing": "This member is required.",
    "extra_forbidden": "The command knows no such member.",
    **dict.fromkeys(("tuple_type", "list_type", "set_type"), "A list is expected here."),
    **dict.fromkeys(
        (
            "dict_type",
            "mapping_type",
            "model_type",
            "model_attributes_type",
            "dataclass_type",
            "dataclass_exact_type",
        ),
        "An object with named members is expected here.",
    ),
    **dict.fromkeys(("string_type", "string_sub_type"), "A text is expected here."),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false is expected here."),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "A whole number is expected here."),
}
"""By pydantic's kind of error, where its own sentence speaks of Python's types."""


def of_refusal(refusal: Refusal, place: Place = lambda field: field) -> Problem:
    """422, 404, 409, 403 or 412 by the refusal's kind; a stale version comes back as ``version`` and ETag.

    ``place``: where in the request the decider's field lies.
    """
    headers = None
    if refusal.kind == "stale" and "version" in refusal.details:
        headers = {"ETag": f'"{refusal.details["version"]}"'}
    return Problem(
        STATUS[refusal.kind],
        refusal.code,
        refusal.sentence,
        field=place(refusal.field),
        headers=headers,
        **refusal.details,
    )


def of_ledger_error(error: LedgerError) -> Problem:
    """422 ``key_reused``, 413 ``fact_too_large``, or one of the four kinds of 503."""
    match error:
        case KeyReused():
            return Problem(422, error.code, error.sentence, field="Idempotency-Key")
        case FactTooLarge():
            size, limit = error.size_bytes, MAX_FACT_BYTES
            return Problem(413, error.code, error.sentence, size_bytes=size, limit_bytes=limit)
        case NotRecorded() | OutcomeUnknown():
            return Problem(503, error.code, error.sentence, headers={"Retry-After": "1"})
        case StoreBehindLog() | LogForked():
            return Problem(503, error.code, error.sentence, headers={"Retry-After": "30"})
    raise error


def of_validation(error: ValidationError) -> Problem:
    """422: the first thing wrong with a body, and in ``errors`` up to 20 of them; never the input."""
    found = [
        _one(one["type"], one["loc"], one["msg"])
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = found[0]
    more: dict[str, Any] = {"errors": found[:MAX_ERRORS_SHOWN]} if len(found) > 1 else {}
    return Problem(422, first["code"], first["detail"], field=first["field"], **more)


def _one(kind: str, location: tuple[int | str, ...], message: str) -> dict[str, str]:
    code = kind if kind in _OURS else _CODE_OF_PYDANTIC.get(kind, "wrong_type")
    return {"code": code, "detail": _SENTENCES.get(kind, message), "field": pointer(_without_tags(location))}


def _without_tags(location: tuple[int | str, ...]) -> list[int | str]:
    """Without the kind of a measure, which pydantic names below it: no member of the body."""
    return [step for above, step in zip((None, *location), location, strict=False) if above != "measure"]
