"""Every status that a route can answer, for OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goal_ledger_edge.openapi import POSITION_PATTERN, PROBLEM, VERSION_PATTERN
from goal_ledger_edge.problems import MEDIA_TYPE
from pydantic import BaseModel

_PROBLEMS = {
    400: "The request is malformed: bad_json, bad_idempotency_key, bad_if_match",
    401: "No credential, or one that does not count: unauthenticated",
    403: "Not allowed: not_allowed, identity_not_linked",
    404: "What the command acts on is not there: unknown_…",
    405: "method_not_allowed",
    410: "position_lost: beyond the fork of an epoch that is over",
    409: "It conflicts with what is recorded: id_taken and others",
    412: "If-Match is stale: version_stale, with the present version",
    413: "body_too_large, fact_too_large",
    415: "media_type_not_supported",
    422: "A wrong value, key_reused, unknown_parameter, parameter_repeated",
    500: "internal_error, with a correlation id",
    503: "not_recorded, outcome_unknown (repeat with the same key), store_behind_log",
}

_POSITION = {
    "description": "<epoch>-<seq> of the answer",
    "schema": {"type": "string", "pattern": POSITION_PATTERN, "examples": ["1-151"]},
}
_HEADERS: dict[str, Any] = {
    "Goal-Ledger-Position": _POSITION,
    "ETag": {
        "description": "The stream's version, for If-Match",
        "schema": {"type": "string", "pattern": VERSION_PATTERN, "examples": ['"3"']},
    },
    "Idempotency-Replayed": {
        "description": "true: this answer was given before",
        "schema": {"type": "string"},
    },
}
_LOCATION = {"Location": {"description": "The path of what was created", "schema": {"type": "string"}}}
_OK = {201: "Recorded", 200: "Recorded, or nothing new: the state already was as asked"}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents of these statuses."""
    return {
        status: {
            "description": _PROBLEMS.get(status, ""),
            "content": {MEDIA_TYPE: PROBLEM},
        }
        for status in statuses
    }


def responses_of(ok: Sequence[int], document: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The answers of a command, the good ones with their headers."""
    located = _LOCATION if 201 in ok else {}
    good: dict[int | str, dict[str, Any]] = {
        status: {"description": _OK[status], "model": document, "headers": {**_HEADERS, **located}}
        for status in ok
    }
    return {**good, **problem_responses(*(status for status in _PROBLEMS if status != 410))}
