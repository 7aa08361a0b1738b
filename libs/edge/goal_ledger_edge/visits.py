"""What is known of a request on its way: who asks, and what of the record itself they were given.

The request context makes a :class:`Visit`, the gate and the routes fill it in, and the request context writes it down: in the line of the
request, and of reads of the record itself in the access log (SPEC 11: reads of exports, facts and the raw log are noted).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from goal_ledger_observability.logs import ACCESS, logger
from starlette.requests import HTTPConnection
from starlette.types import Scope

from goal_ledger_edge.routing import is_noted, known_parameters

NOT_SHOWN = frozenset({"q"})
"""Parameters that hold free text."""
SHOWN_MAX_CHARACTERS = 200

access_log = logger(ACCESS)


@dataclass(slots=True)
class Visit:
    """``actor``: person/<id>, system/<id>, service/<name>; None until somebody has signed in."""

    actor: str | None = None
    workspace: str | None = None
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def is_service(self) -> bool:
        return self.actor is not None and self.actor.startswith("service/")


_KEY = "goal_ledger.visit"


def begin_visit(scope: Scope) -> Visit:
    """A visit of this request, for :func:`visit_of`."""
    scope[_KEY] = visit = Visit()
    return visit


def visit_of(scope: Scope) -> Visit:
    """The request's visit; one of its own where no request context made one."""
    found = scope.get(_KEY)
    return found if isinstance(found, Visit) else begin_visit(scope)


def note(request: HTTPConnection, workspace: str, **given: Any) -> None:
    """Say in the access note what was given: of facts, which. ``workspace``: services have none of their own."""
    visit = visit_of(request.scope)
    visit.workspace = workspace
    visit.given |= given


def is_poll(visit: Visit, path: str) -> bool:
    """A service that asks whether anything moved or changed: it is given sizes and hashes, every few seconds, and nobody
    reads on."""
    return visit.is_service and path in ("/v1/log/heads", "/v1/log/hashes")


def write_access_note(scope: Scope, visit: Visit, status: int) -> None:
    """One line if the route gives the record itself and somebody has signed in; written before the answer leaves.

    Where nothing was read the path may hold anything that somebody typed: its template is told, but of what was not allowed.
    """
    path: str = scope["path"]
    if visit.actor is None or is_poll(visit, path) or not is_noted(scope):
        return
    access_log.info(
        "record read",
        actor=visit.actor,
        workspace=visit.workspace,
        method=scope["method"],
        path=path[:SHOWN_MAX_CHARACTERS]
        if status < 400 or status == 403
        else getattr(scope.get("route"), "path", "other"),
        asked=_asked(scope),
        status=status,
        **visit.given,
    )


def _asked(scope: Scope) -> Mapping[str, str]:
    """What the route knows: a parameter that it does not know may be anything, a credential too."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    known = known_parameters(scope)
    return {
        name: "(a text)" if name in NOT_SHOWN else value[:SHOWN_MAX_CHARACTERS]
        for name, value in sorted(pairs)
        if name in known
    }
