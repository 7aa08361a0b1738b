"""The command service's routes: what they may refuse with, and how refusals and failures become problem documents.

What runs a command is a kind of its own (``command_route.py``); all other routes of the service are :class:`Route`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from goal_ledger_command.api.refusals import Place, of_ledger_error, of_refusal
from goal_ledger_domain.refusals import Refusal
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import DeclaredRoute
from goal_ledger_ledger.store import is_passing
from goal_ledger_ledger.submission import LedgerError


class Route(DeclaredRoute):
    """A route of the command service; its operation in OpenAPI is named as its function."""

    refusals: ClassVar = {
        400: "The request is malformed: bad_json, bad_idempotency_key, bad_if_match",
        401: "No credential, or one that does not count: unauthenticated",
        403: "Not allowed: not_allowed, identity_not_linked",
        404: "What the command acts on is not there: unknown_…",
        405: "method_not_allowed",
        409: "It conflicts with what is recorded: id_taken and others",
        410: "position_lost: beyond the fork of an epoch that is over",
        412: "If-Match is stale: version_stale, with the present version",
        413: "body_too_large, fact_too_large",
        415: "media_type_not_supported",
        422: "A wrong value, key_reused, unknown_parameter, parameter_repeated",
        500: "internal_error, with a correlation id",
        503: "not_recorded, outcome_unknown (repeat with the same key), store_behind_log, log_forked",
    }
    always: ClassVar = frozenset({401, 403, 405, 422, 500, 503})

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **given | {"operation_id": endpoint.__name__})

    def place(self, field: str | None) -> str | None:
        """Where a decider's field lies in the request."""
        return field

    def problem_of(self, failed: Exception) -> Problem | None:
        return problem_of(failed, self.place)


def problem_of(failed: Exception, place: Place = lambda field: field) -> Problem | None:
    """Of a refusal, an error of the ledger, a database that is away; None: an error of ours."""
    match failed:
        case Problem():
            return failed
        case Refusal():
            return of_refusal(failed, place)
        case LedgerError():
            return of_ledger_error(failed)
    if is_passing(failed):
        sentence = "A database cannot be reached now. Send it again."
        return Problem(503, "unavailable", sentence, headers={"Retry-After": "1"})
    return None
