"""Query parameters: one that a route does not have is refused, for nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import QueryParams
from starlette.requests import Request

from goal_ledger_edge.problems import Problem

SHOWN_MAX_CHARACTERS = 64


def need_known(given: QueryParams, known: Collection[str]) -> None:
    """Problem 422: ``invalid`` for a parameter that no text can be, ``unknown_parameter`` for one that is not known."""
    for name, value in given.multi_items():
        shown = name[:SHOWN_MAX_CHARACTERS]
        if "\x00" in name or "\x00" in value:
            raise Problem(422, "invalid", "A parameter holds a zero character.", field=shown.strip("\x00"))
        if name not in known:
            those = f"known are {', '.join(sorted(known))}" if known else "it takes none"
            raise Problem(
                422, "unknown_parameter", f"There is no parameter {shown!r} here; {those}.", field=shown
            )


def need_known_parameters(request: Request, also: Collection[str] = ()) -> None:
    """:func:`need_known` of a request: the parameters that its FastAPI route declares, and ``also``.

    Does nothing where there is no such route.
    """
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is not None:
        need_known(request.query_params, {*also, *(one.alias for one in dependant.query_params)})
