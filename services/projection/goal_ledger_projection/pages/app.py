"""The pages as one application, laid over the query API: what is not the address of a page goes to the API.

Every page but the sign-in is for who has signed in, and every form carries what only its session knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import tzinfo

from goal_ledger_contracts.zones import zone
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.visits import visit_of
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from goal_ledger_projection.api.view import Views
from goal_ledger_projection.pages import (
    audit,
    cycles,
    doing,
    feeds,
    goals,
    map_of_goals,
    objective,
    organisation,
    week,
)
from goal_ledger_projection.pages.asking import ApiRefusal, Commands, Questions
from goal_ledger_projection.pages.assets import asset
from goal_ledger_projection.pages.forms import Form, read_form
from goal_ledger_projection.pages.language import COOKIE as LANGUAGE_COOKIE
from goal_ledger_projection.pages.language import language_of, languages
from goal_ledger_projection.pages.page import WebPage, seen_other
from goal_ledger_projection.pages.session import BrowserSession, BrowserSessions, new_session, set_cookie
from goal_ledger_projection.pages.sign_in import back_to, demo_people, next_page, signed_in_as
from goal_ledger_projection.pages.when import When
from goal_ledger_projection.query_settings import QuerySettings

Shows = Callable[[WebPage], Awaitable[Response]]
Does = Callable[[WebPage, Form], Awaitable[Response]]
LANGUAGE_KEPT_S = 365 * 24 * 3600
UTC_ZONE = zone("UTC")

SHOWN: tuple[tuple[str, Shows], ...] = (
    ("/", week.mine),
    ("/goals", goals.goals),
    ("/goals/{id}", objective.objective),
    ("/goals/{id}/explain", objective.explain),
    ("/key-results/{id}/explain", objective.explain_key_result),
    ("/key-results/{id}/check-in", doing.new_check_in),
    ("/check-ins/{id}/correct", doing.correction),
    ("/map", map_of_goals.map_of_goals),
    ("/units/{id}", week.of_unit),
    ("/cycles", cycles.cycles),
    ("/cycles/{id}", cycles.cycle),
    ("/audit", audit.audit),
    ("/feeds", feeds.feeds),
    ("/people", organisation.people),
)
"""The pages, and what makes each."""

DONE: tuple[tuple[str, Does], ...] = (
    ("/key-results/{id}/check-in", doing.check_in),
    ("/check-ins/{id}/correct", doing.correct),
    ("/goals/{id}/comments", doing.comment),
    ("/goals/{id}/kudos", doing.kudos),
    ("/feeds/release", feeds.release),
    ("/feeds/reject", feeds.reject),
)
"""What forms do."""


class WebPages:
    """Wraps the query API, which answers every question of the pages."""

    def __init__(self, api: ASGIApp, views: Views, settings: QuerySettings, commands: Commands) -> None:
        self._api, self._views, self._commands = api, views, commands
        self._sign_ins = settings.pages_sign_ins_file if settings.local_mode else None
        self._sessions = BrowserSessions(settings.pages_secret_file)
        self._routes: list[Route] = [
            Route("/assets/{digest}/{name}", asset),
            Route("/sign-in", self._sign_in_page),
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
            *(Route(path, self._shown(shows)) for path, shows in SHOWN),
            *(Route(path, self._done(does), methods=["POST"]) for path, does in DONE),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route, found = self._route_of(scope)
        if route is None:
            await self._elsewhere(scope, receive, send)
            return
        scope.update(found)
        scope["route"] = route
        await route.handle(scope, receive, send)

    def _route_of(self, scope: Scope) -> tuple[BaseRoute | None, Scope]:
        """The page that is meant; one of the address alone if none takes the method."""
        partly: tuple[BaseRoute | None, Scope] = (None, {})
        if scope["type"] != "http":
            return partly
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                return route, found
            if match is Match.PARTIAL and partly[0] is None:
                partly = (route, found)
        return partly

    async def _elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The API's; a browser that asks for a page that there is none of is told so as a page."""
        if scope["type"] == "http" and _is_browser_elsewhere(scope):
            request = Request(scope, receive)
            nothing = ApiRefusal(404, {"code": "not_found", "detail": "There is no page at this address."})
            response = await self._refused(self._page(request, _nobody(), UTC_ZONE), nothing)
            await response(scope, receive, send)
            return
        await self._api(scope, receive, send)

    def _page(self, request: Request, session: BrowserSession, zone: tzinfo) -> WebPage:
        chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
        language = language_of(chosen, request.headers.get("accept-language"))
        questions = Questions(self._api, request.scope, session)
        when = When.of(request.query_params)
        return WebPage(request, session, language, zone, questions, self._commands, when)

    # -- pages and forms of who has signed in -----------------------------------------------------------------

    def _shown(self, shows: Shows) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            session = self._sessions.of(request)
            if session is None or not session.signed_in:
                return self._to_sign_in(request)
            return await self._answer(request, session, shows)

        return handle

    def _done(self, does: Does) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            session = self._sessions.of(request)
            if session is None or not session.signed_in:
                return self._to_sign_in(request)

            async def do(page: WebPage) -> Response:
                return await does(page, await read_form(request, session))

            return await self._answer(request, session, do)

        return handle

    async def _answer(self, request: Request, session: BrowserSession, shows: Shows) -> Response:
        page = self._page(request, session, UTC_ZONE)
        try:
            page.zone = await self._enter(request, session)
            response = await shows(page)
        except ApiRefusal as refused:
            if refused.status == 401:
                return self._to_sign_in(request, over="1")
            response = await self._refused(page, refused)
        self._keep_language(request, response)
        return response

    async def _enter(self, request: Request, session: BrowserSession) -> tzinfo:
        """Note who asks; the workspace's time zone. Raises ApiRefusal."""
        try:
            credential = await self._views.sign_in(session.authorization, visit_of(request.scope))
            return zone(await self._views.time_zone(credential))
        except Problem as problem:
            raise ApiRefusal(problem.status, problem.document()) from None

    async def _refused(self, page: WebPage, refused: ApiRefusal) -> Response:
        response = page.show("refused.html", refused.status, refused=refused)
        if refused.status == 503:
            response.headers["Retry-After"] = "2"
        return response

    def _keep_language(self, request: Request, response: Response) -> None:
        code = request.query_params.get("lang")
        if code in languages():
            set_cookie(request, response, LANGUAGE_COOKIE, str(code), LANGUAGE_KEPT_S)

    # -- signing in and out -----------------------------------------------------------------------------------

    def _to_sign_in(self, request: Request, **said: str) -> Response:
        """`said`: `over`, of a session that had begun."""
        url = request.url
        asked = f"{url.path}?{url.query}" if url.query else url.path
        reading = request.method == "GET"
        return seen_other("/sign-in", {**said, **({"next": asked} if reading and asked != "/" else {})})

    async def _sign_in_page(self, request: Request) -> Response:
        session = self._sessions.of(request)
        if session is None or "over" in request.query_params:
            session = new_session()
        return self._show_sign_in(request, session, None, 200)

    def _show_sign_in(
        self, request: Request, session: BrowserSession, refused: ApiRefusal | None, status: int
    ) -> Response:
        page = self._page(request, session, UTC_ZONE)
        people = demo_people(self._sign_ins)
        response = page.show("sign_in.html", status, people=people, refused=refused, next=next_page(request))
        self._sessions.keep(session, request, response)
        self._keep_language(request, response)
        return response

    async def _sign_in(self, request: Request) -> Response:
        session = self._sessions.of(request)
        try:
            form = await read_form(request, session)
            entered = await signed_in_as(self._views, self._credential(form))
            response = seen_other_as_written(back_to(form.get("next", "/")))
            self._sessions.keep(entered, request, response)
        except (ApiRefusal, ValueError) as why:
            refused = why if isinstance(why, ApiRefusal) else _too_long()
            return self._show_sign_in(request, session or new_session(), refused, refused.status)
        return response

    def _credential(self, form: Form) -> str:
        person = form.get("person")
        people = demo_people(self._sign_ins)
        return next((str(one["token"]) for one in people if one["person"] == person), form.get("credential"))

    async def _sign_out(self, request: Request) -> Response:
        session = self._sessions.of(request)
        try:
            await read_form(request, session)
        except ApiRefusal as refused:
            return await self._refused(self._page(request, session or _nobody(), UTC_ZONE), refused)
        response = seen_other("/sign-in")
        self._sessions.end(request, response)
        return response


def seen_other_as_written(address: str) -> Response:
    """303 to an address that was one of ours before."""
    response = seen_other("/")
    response.headers["Location"] = address
    return response


def _nobody() -> BrowserSession:
    return BrowserSession("", 0.0)


def _too_long() -> ApiRefusal:
    return ApiRefusal(
        422, {"code": "invalid", "detail": "This credential is too long for a browser's cookie."}
    )


def _is_browser_elsewhere(scope: Scope) -> bool:
    """A browser that leads a person to an address of neither pages nor API."""
    path: str = scope["path"]
    of_api = path.startswith(("/v1", "/health", "/metrics", "/openapi.json", "/asyncapi.json"))
    headers = dict(scope["headers"])
    accepts = headers.get(b"accept", b"").startswith(b"text/html")
    return scope["method"] == "GET" and accepts and not of_api and b"authorization" not in headers
