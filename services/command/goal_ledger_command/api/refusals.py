"""From refusals to problem documents: the one place where domain and ledger meet HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goal_ledger_contracts.envelope import MAX_FACT_BYTES
from goal_ledger_domain.refusals import STATUS, Refusal
from goal_ledger_edge.problems import SENTENCES, Problem, pointer
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

_CODE_OF_PYDANTIC = {
    "missing": "field_required",
    "extra_forbidden": "field_unknown",
    "union_tag_not_found": "field_required",
    "union_tag_invalid": "choice_unknown",
    "literal_error": "choice_unknown",
}
_OURS = frozenset({"value_not_decimal", "instant_malformed", "date_malformed"})
_SENTENCES = SENTENCES | {
    "missing": "This member is required.",
    "extra_forbidden": "The command knows no such member.",
}


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
