"""One page under way: who asks, in which language, at which clocks; what it asks, and how it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from goal_ledger_projection.pages.asking import Commands, Json, Questions
from goal_ledger_projection.pages.language import Language
from goal_ledger_projection.pages.rendering import render
from goal_ledger_projection.pages.session import BrowserSession
from goal_ledger_projection.pages.when import When

NAMES_MAX = 1000
QUESTIONS_AT_ONCE = 4

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


@dataclass
class WebPage:
    """`when`: the clocks of the address. After the first answer all others are asked by its token, so that a page
    shows one moment."""

    request: Request
    session: BrowserSession
    language: Language
    zone: tzinfo
    questions: Questions
    commands: Commands
    when: When = field(default_factory=When)
    token: str | None = None
    position: str | None = None
    true_at: str | None = None

    @cached_property
    def _few(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(QUESTIONS_AT_ONCE)

    async def ask(self, path: str, **asked: str | None) -> Json:
        """The API's answer at the page's clocks; empty values are left out. Raises ApiRefusal."""
        named = {name.rstrip("_"): value for name, value in asked.items() if value}
        include = None
        if self.token is not None:
            clocks = {"token": self.token}
        else:
            clocks = self.when.asked(self.zone)
            include = self.request.query_params.get("position")
        async with self._few:
            answer = await self.questions.ask(path, {**named, **clocks}, include)
        if self.token is None:
            self.token, self.position, self.true_at = answer["token"], answer["position"], answer["as_of"]
        return answer

    async def names(self) -> dict[str, str]:
        """What people and units are called, by `person/<id>` and `unit/<id>`."""
        people, units = await asyncio.gather(
            self.ask("/v1/people", limit=str(NAMES_MAX)), self.ask("/v1/units", limit=str(NAMES_MAX))
        )
        return {
            **{f"person/{one['id']}": one["display_name"] or one["id"] for one in people["items"]},
            **{f"unit/{one['id']}": one["name"] for one in units["items"]},
        }

    def link(self, path: str, **asked: Any) -> str:
        """The address of another page at the same clocks."""
        pairs = {name: value for name, value in asked.items() if value not in (None, "")}
        query = urlencode({**pairs, **self.when.stated()})
        return quote(path) + (f"?{query}" if query else "")

    def at(self, **changed: str) -> str:
        """This page's own address with parameters changed; an empty one is left out."""
        kept = [
            (k, v) for k, v in self.request.query_params.multi_items() if k not in changed and k != "lang"
        ]
        query = urlencode([*kept, *((k, v) for k, v in changed.items() if v)])
        return quote(self.request.url.path) + (f"?{query}" if query else "")

    @property
    def lasting(self) -> str:
        """The address that shows the same for ever."""
        return self.at(as_of="", known_at="", position="", token=self.token or "")

    @property
    def here(self) -> str:
        """This page's address as it is."""
        return self.at()

    def show(self, template: str, status: int = 200, **given: Any) -> Response:
        """The page as HTML."""
        html = render(template, self.language, self.zone, {"page": self, "session": self.session, **given})
        return HTMLResponse(html, status, headers=SECURITY_HEADERS)

    def go(self, path: str, **asked: str) -> Response:
        """See another page, after something was done."""
        return seen_other(path, asked)


def seen_other(path: str, asked: Mapping[str, str] | None = None) -> Response:
    """303 to a page of ours."""
    query = urlencode(asked or {})
    return RedirectResponse(quote(path) + (f"?{query}" if query else ""), 303, headers=SECURITY_HEADERS)
