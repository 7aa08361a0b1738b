"""Query parameters: one that a route does not have, or that is given twice, is refused: nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, get_args, get_origin

from starlette.datastructures import QueryParams
from starlette.requests import Request

from goal_ledger_edge.problems import Problem, shown


def need_known(given: QueryParams, known: Collection[str], repeatable: Collection[str] = ()) -> None:
    """Problem 422: ``invalid`` for a parameter that no text can be, ``unknown_parameter`` for one that is not known,
    ``parameter_repeated`` for one that is given twice and not ``repeatable``."""
    seen: set[str] = set()
    for name, value in given.multi_items():
        named = shown(name)
        if "\x00" in name or "\x00" in value:
            raise Problem(422, "invalid", "A parameter holds a zero character.", field=named)
        if name not in known:
            those = f"known are {', '.join(sorted(known))}" if known else "it takes none"
            raise Problem(
                422, "unknown_parameter", f"There is no parameter {named!r} here; {those}.", field=named
            )
        if name in seen and name not in repeatable:
            raise Problem(422, "parameter_repeated", f"The parameter {named!r} is given twice.", field=named)
        seen.add(name)


def need_known_parameters(request: Request, also: Collection[str] = ()) -> None:
    """:func:`need_known` of a request: the parameters that its FastAPI route declares, and ``also``.

    Does nothing where there is no such route.
    """
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is not None:
        declared = dependant.query_params
        known = {*also, *(one.alias for one in declared)}
        need_known(
            request.query_params,
            known,
            {one.alias for one in declared if _is_list(one.field_info.annotation)},
        )


def _is_list(annotation: Any) -> bool:
    return any(get_origin(one) is list for one in (annotation, *get_args(annotation)))
