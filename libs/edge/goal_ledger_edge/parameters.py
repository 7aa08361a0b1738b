"""Query parameters: one that a route does not have, or that is given twice, is refused: nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, get_args, get_origin

from starlette.datastructures import QueryParams

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


def is_list(annotation: Any) -> bool:
    """Whether a parameter of that type may be given more than once."""
    return any(get_origin(one) is list for one in (annotation, *get_args(annotation)))
