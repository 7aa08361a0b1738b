"""A question asked within another one: `diff` asks it at two tokens, `what-if` on a record that is not so.

Nothing goes over the wire: the route that would answer it is called with the same caller, so rights are decided by it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from fastapi.exceptions import RequestValidationError
from goal_ledger_edge.problems import Problem, problem_of_validation
from starlette.requests import Request
from starlette.routing import Match

from goal_ledger_projection.api.answers import AnswerAtClocks
from goal_ledger_projection.api.routes import CLOCK_PARAMETERS, QuestionRoute

Json = dict[str, Any]
OF_MAX_CHARACTERS = 2000
_LEFT_OUT = {"/v1/diff"}
_NOT_PASSED_ON = {b"if-none-match", b"goal-ledger-position", b"content-length", b"content-type"}


class Subquestion:
    """``of``: path and query of a question that answers at tokens, such as ``/v1/objectives/shop``."""

    def __init__(self, request: Request, of: str, field: str = "of", only: Collection[str] = ()) -> None:
        """``only``: the addresses that may be asked; empty: all. Problem 422 `view_unknown`, `invalid` (a cursor)."""
        self._request, self._field = request, field
        self.path, _, query = of.partition("?")
        asked = parse_qsl(query, keep_blank_values=True)
        self.clocks = [one for one in asked if one[0] in CLOCK_PARAMETERS]
        self._asked = [one for one in asked if one[0] not in CLOCK_PARAMETERS]
        if any(name == "cursor" for name, _ in asked):
            raise Problem(422, "invalid", "A cursor belongs to one answer.", field=field)
        self.route, self.path_params = self._matched(unquote(self.path), only)

    def _matched(self, path: str, only: Collection[str]) -> tuple[QuestionRoute, Mapping[str, Any]]:
        offered = [one for one in views_of(self._request) if not only or one.path in only]
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        for route in offered:
            match, found = route.matches(scope)
            if match is Match.FULL:
                return route, found["path_params"]
        known = [route.path for route in offered]
        sentence = (
            f"{self._field} is none of the questions that can be asked so; these can: {', '.join(known)}."
        )
        raise Problem(422, "view_unknown", sentence, field=self._field, allowed=known)

    async def at(self, token: str, **more: Any) -> Json:
        """The answer's body at these clocks; ``more`` goes into the request's scope. Problems as that question has them;
        what is wrong with one of its parameters is wrong with ``of``."""
        return await self._answer([("token", token)], more)

    async def whole(self, token: str) -> Json:
        """Of a list: the first page's body with the items of all pages. Problems as :meth:`at`."""
        body = page = await self.at(token)
        while page["next_cursor"] is not None:
            page = await self._answer([("token", token), ("cursor", page["next_cursor"])], {})
            body["items"] += page["items"]
        return {**body, "next_cursor": None}

    async def _answer(self, clocks: Sequence[tuple[str, str]], more: Mapping[str, Any]) -> Json:
        query = urlencode([*self._asked, *clocks])
        outer = self._request.scope
        scope = {
            **outer,
            "method": "GET",
            "path": unquote(self.path),
            "raw_path": self.path.encode(),
            "query_string": query.encode(),
            "path_params": self.path_params,
            "route": self.route,
            "headers": [one for one in outer["headers"] if one[0] not in _NOT_PASSED_ON],
            **more,
        }
        request = Request(scope, self._request.receive)
        try:
            self.route.need_known(request)
            response = await self.route.answering()(request)
        except RequestValidationError as wrong:
            raise self._of_ours(problem_of_validation(wrong)) from None
        except Problem as refused:
            raise self._of_ours(refused) from None
        body: Json = json.loads(bytes(response.body))
        return body

    def _of_ours(self, refused: Problem) -> Problem:
        """A pointer is into the body of the request itself."""
        if refused.field is not None and refused.field.startswith("/"):
            return refused
        if refused.field is not None:
            refused.members["of_field"] = refused.field
        if refused.status < 500:
            refused.field = self._field
        return refused


def views_of(request: Request) -> Sequence[QuestionRoute]:
    """The questions of the application that answer in JSON at tokens and do not give the record itself."""
    routes = request.app.router.routes
    return [one for one in routes if isinstance(one, QuestionRoute) and _is_view(one)]


def _is_view(route: QuestionRoute) -> bool:
    models = [one.model for one in route.declared.gives if isinstance(one.model, type)]
    answers = any(issubclass(one, AnswerAtClocks) for one in models)
    return (
        answers
        and "GET" in (route.methods or ())
        and not route.declared.right.noted
        and route.path not in _LEFT_OUT
    )
