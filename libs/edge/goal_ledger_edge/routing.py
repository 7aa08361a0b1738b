"""One dialect of routes, for commands, reads and questions: what a route takes, needs, gives and refuses stands in the
signature of its function, and OpenAPI says what stands there.

    @routes.get("/v1/log", summary="Facts in order, as stored")
    async def read_log(
        request: Annotated[Request, Right(Permission.READ_LOG, noted=True)], after: After = 0
    ) -> Annotated[Response, Gives("One fact per line", content={JSON_LINES: FACT}), Refuses(404, 410)]: ...

A service has a :class:`DeclaredRoute` of its own and gives it to FastAPI's routers as their ``route_class``: it says which
refusals there are and which problem an exception of the service is. A function without a right does not import.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from goal_ledger_contracts.permission import Permission
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from goal_ledger_edge.openapi import PROBLEM
from goal_ledger_edge.parameters import is_list, need_known
from goal_ledger_edge.problems import MEDIA_TYPE, Problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Model = TypeVar("Model")
Mark = TypeVar("Mark")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Right:
    """Of the parameter that says who asks: what they must be allowed. ``noted``: the route gives the record itself, so
    reads of it stand in the access log (SPEC 11). ``role``: the one role that has it."""

    permission: Permission
    noted: bool = False
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Takes:
    """Of the same parameter: the body, by media type; a model or a schema. The function reads it strictly."""

    content: Mapping[str, type[BaseModel] | Json]
    refusals: ClassVar[tuple[int, ...]] = (400, 413, 415)

    def described(self) -> Json:
        return {"required": True, "content": {kind: _content(of_it) for kind, of_it in self.content.items()}}


@dataclass(frozen=True, slots=True)
class Gives:
    """Of what is returned: one good answer that the type alone does not say."""

    description: str | None = None
    model: Any = None
    status: int = 200
    content: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, Json] = field(default_factory=dict)

    def described(self) -> Json:
        content = {kind: {"schema": schema} for kind, schema in self.content.items()}
        said = {
            "description": self.description,
            "model": self.model,
            "content": content,
            "headers": dict(self.headers),
        }
        return {name: value for name, value in said.items() if value}


class Refuses:
    """Of what is returned: statuses besides those that every route refuses with."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = statuses


class Answers(Response, Generic[Model]):
    """A response whose body is a ``Model``, already written."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A signature's marks."""

    right: Right
    takes: Takes | None
    gives: tuple[Gives, ...]
    refuses: frozenset[int]
    model: Any
    """What FastAPI writes the answer as; None: the function does."""

    @staticmethod
    def of(function: Callable[..., Any]) -> Declaration:
        """Raises TypeError for a function that does not say which right it needs."""
        hints = get_type_hints(function, include_extras=True)
        marks = [mark for hint in hints.values() for mark in _marks(hint)]
        rights, takes, gives = _of_kind(Right, marks), _of_kind(Takes, marks), _of_kind(Gives, marks)
        if len(rights) != 1:
            raise TypeError(f"{function.__qualname__} does not say which right it needs")
        returned = _bare(hints["return"])
        if get_origin(returned) is Answers:
            gives = [Gives(model=get_args(returned)[0]), *gives]
        refused = [status for one in _of_kind(Refuses, marks) for status in one.statuses]
        refused += Takes.refusals if takes else ()
        return Declaration(
            rights[0],
            takes[0] if takes else None,
            tuple(gives),
            frozenset(refused),
            _written(returned, gives),
        )


class DeclaredRoute(APIRoute):
    """A route that is what the signature of its function says. Who mounts it matches by it; its handler is the one that
    :meth:`get_route_handler` gives, which FastAPI asks for."""

    refusals: ClassVar[Mapping[int, str]]
    """Every status that routes of the service refuse with → its codes, for OpenAPI."""
    always: ClassVar[frozenset[int]]
    """Those of them that each route refuses with."""
    parameters: ClassVar[Mapping[str, Json]] = {}
    """What each route takes besides, in OpenAPI's words, by name."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        said = self.declared = self.declaration(endpoint)
        super().__init__(path, endpoint, **given | self._described(said, given))
        own = list(_query_fields(self.dependant))
        besides = (name for name, one in self.parameters.items() if one["in"] == "query")
        self.known = frozenset([*(one.alias for one in own), *besides])
        self._repeatable = frozenset(one.alias for one in own if is_list(one.field_info.annotation))

    def declaration(self, endpoint: Callable[..., Any]) -> Declaration:
        """What the function declares. Raises TypeError."""
        return Declaration.of(endpoint)

    def get_route_handler(self) -> Handler:
        """As FastAPI calls it; what is refused comes back as its problem document."""
        return partial(self._handle, self.answering())

    async def _handle(self, answer: Handler, request: Request) -> Response:
        try:
            self.need_known(request)
            return await answer(request)
        except Exception as failed:
            problem = self.problem_of(failed)
            if problem is None:
                raise
            return problem.response()

    def answering(self) -> Handler:
        """What makes the answer: FastAPI's own, which takes parameters and calls the function."""
        return super().get_route_handler()

    def need_known(self, request: Request) -> None:
        """Problem 422 for a query parameter that the route does not have, or that is given twice."""
        if request.scope["query_string"]:
            need_known(request.query_params, self.known, self._repeatable)

    def problem_of(self, failed: Exception) -> Problem | None:
        """The exception as a problem; None: it is for the application's handlers."""
        return failed if isinstance(failed, Problem) else None

    def _described(self, said: Declaration, given: Mapping[str, Any]) -> Json:
        """FastAPI's keyword arguments of a route, as far as the signature says them."""
        extra: Json = {"x-permission": said.right.permission.value}
        if said.right.role is not None:
            extra["x-role"] = said.right.role
        if self.parameters:
            extra["parameters"] = [{"name": name, **one} for name, one in self.parameters.items()]
        if said.takes is not None:
            extra["requestBody"] = said.takes.described()
        options: Json = {
            "openapi_extra": extra | (given.get("openapi_extra") or {}),
            "responses": _good(said.gives) | self._refused(said),
            "response_model": said.model,
        }
        if said.model is None and not any(one.model for one in said.gives):
            options["response_class"] = Response
        return options

    def _refused(self, said: Declaration) -> dict[int, Json]:
        return {
            status: {"description": self.refusals[status], "content": {MEDIA_TYPE: PROBLEM}}
            for status in sorted(self.always | said.refuses)
        }


def _query_fields(dependant: Dependant) -> Iterator[ModelField]:
    """Its query parameters, and those of what it depends on."""
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from _query_fields(one)


def right_of(request: Request) -> Permission:
    """What the route of a request needs."""
    route: DeclaredRoute = request.scope["route"]
    return route.declared.right.permission


def is_noted(scope: Scope) -> bool:
    """Whether the request came to a route that gives the record itself."""
    route = scope.get("route")
    return isinstance(route, DeclaredRoute) and route.declared.right.noted


def known_parameters(scope: Scope) -> frozenset[str]:
    """The query parameters that the request's route has; none where nothing was declared."""
    route = scope.get("route")
    return route.known if isinstance(route, DeclaredRoute) else frozenset()


def _good(gives: Iterable[Gives]) -> dict[int, Json]:
    """By status; what several marks say of one is put together."""
    found: dict[int, Json] = {}
    for one in gives:
        found[one.status] = found.get(one.status, {}) | one.described()
    return found


def _content(of_it: type[BaseModel] | Json) -> Json:
    return of_it if isinstance(of_it, dict) else {"schema": of_it.model_json_schema()}


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _written(returned: Any, gives: Iterable[Gives]) -> Any:
    """The model that FastAPI writes; None: the function has written the answer itself."""
    kind = get_origin(returned) or returned
    if isinstance(kind, type) and issubclass(kind, Response):
        return None
    return next((one.model for one in gives if one.model is not None), returned)


def _marks(hint: Any) -> Iterator[Any]:
    """What stands in ``Annotated`` beside the type."""
    yield from get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def _of_kind(kind: type[Mark], marks: Iterable[Any]) -> list[Mark]:
    return [one for one in marks if isinstance(one, kind)]
