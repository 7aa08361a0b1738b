"""Documents that a service gives as they are: to everybody, for they hold nothing of any workspace."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def json_document(path: str, make: Callable[[], bytes]) -> Route:
    """``GET path`` answers what ``make`` gives; it is asked when somebody asks."""

    def give(_: Request) -> Response:
        return Response(make(), media_type="application/json")

    return Route(path, give, methods=["GET"])
