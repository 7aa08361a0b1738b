"""The credential first, everywhere, in this one place: before an address is looked up, a header, a parameter or a body is
looked at, a position is waited for. Who is not signed in learns nothing but the API's own description.

A service says who somebody is (``sign_in``); what they may, its routes decide. The gate stands below the request context, which
writes down what became of the request, and above everything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from goal_ledger_edge.credentials import authorization_of
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.visits import Visit, visit_of

OPEN_TO_ALL = frozenset({"/health/live", "/health/ready", "/metrics", "/openapi.json", "/asyncapi.json"})
"""``/metrics`` is served on internal listeners alone."""

SignIn = Callable[[str | None, Visit], Awaitable[Any]]
"""From the header ``Authorization`` to who that is, in the service's own words; writes actor and workspace into the visit.
Raises Problem 401, 403 or 503."""

_CALLER = "goal_ledger.caller"


class Gate:
    """Wraps an application whose routes, but for those open to all, are ``routes``."""

    def __init__(
        self,
        app: ASGIApp,
        sign_in: SignIn,
        routes: Sequence[APIRoute],
        open_to_all: Collection[str] = OPEN_TO_ALL,
    ) -> None:
        self._app, self._sign_in, self._routes, self._open = app, sign_in, routes, open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open:
            await self._app(scope, receive, send)
            return
        try:
            scope[_CALLER] = await self._sign_in(authorization_of(scope), visit_of(scope))
            _need_whole_ids(scope)
        except Problem as refused:
            scope["route"] = self._route_of(scope["path"])
            await refused.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _route_of(self, path: str) -> APIRoute | None:
        """For the line, the metrics and the access note of a request that never came to it."""
        return next((route for route in self._routes if route.path_regex.match(path)), None)


def caller_of(scope: Scope) -> Any:
    """Who has signed in, as ``sign_in`` said it. KeyError where no gate stands before."""
    return scope[_CALLER]


def _need_whole_ids(scope: Scope) -> None:
    """Problem 404 for an encoded slash: it is part of an id, which no id has, and must not be read as the address's."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%" in raw and b"%2f" in raw.lower():
        raise Problem(404, "not_found", "There is nothing at this address: an id holds no slash.")
