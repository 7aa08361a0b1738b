"""What all lists of things have in common: pages, one thing by its id, and the shapes of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers
from starlette.requests import Request

from goal_ledger_projection.api.answers import answered
from goal_ledger_projection.api.routes import cursor as cursor_of
from goal_ledger_projection.api.routes import read_cursor
from goal_ledger_projection.api.view import View

Json = dict[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of what was found, and the members that say so."""

    items: Sequence[Item]
    total: int
    next_cursor: str | None


def page_of(
    request: Request, view: View, found: Sequence[Item], limit: int, cursor: str | None
) -> Page[Item]:
    """The page of a cursor. Problem 422 `bad_cursor`."""
    token = str(view.clocks.token)
    first = read_cursor(request, cursor, token)
    more = first + limit < len(found)
    following = cursor_of(request, token, first + limit) if more else None
    return Page(found[first : first + limit], len(found), following)


def listed(request: Request, view: View, page: Page[Any], items: Sequence[Json], **more: Any) -> Answers[Any]:
    """The answer of a list: the page's items as they are written; `more`: what it says of all."""
    body = {
        **more,
        "total": page.total,
        "items": items,
        "next_cursor": page.next_cursor,
    }
    return answered(request, view.clocks, body)


def single(request: Request, view: View, name: str, item: Json | None) -> Answers[Any]:
    """The answer about one thing, as the member `name`. Problem 404 without it."""
    if item is None:
        raise not_found(name.replace("_", " "))
    return answered(request, view.clocks, {name: item})


def not_found(what: str) -> Problem:
    """Problem 404."""
    is_none = "are no such" if what in ("identities", "roles") else "is no such"
    return Problem(404, "not_found", f"There {is_none} {what} here at these clocks.")
