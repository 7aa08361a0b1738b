"""No error of the query process tells a credential, what was asked or what was said, whatever goes wrong on whichever
route: in logs, metrics, answers and pages."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from goal_ledger_local.postgres import Postgres
from goal_ledger_observability.health import health_app
from goal_ledger_observability.metrics import new_registry
from goal_ledger_projection.api.app import query_app
from goal_ledger_projection.pages.app import SHOWN, WebPages
from goal_ledger_projection.pages.asking import Commands
from projection.query.conftest import Reading, read_side
from projection.query.story import TEN, Story, begun
from starlette.types import ASGIApp

MARK, STORED = "MarkedWord", "MarkedSecret"
"""Of what is asked, and of what is in the rows."""
TORN = (
    """UPDATE read_v1.definitions SET body = '"MarkedSecret"' WHERE kind NOT IN ('access', 'identity', 'workspace')""",
    """UPDATE read_v1.check_ins SET body = '"MarkedSecret"'""",
    "UPDATE read_v1.facts SET bytes = 'MarkedSecret'",
)
"""Rows that no release has written: whatever reads them fails by an error of ours."""
GONE = ("ALTER TABLE read_v1.definitions RENAME TO away", "ALTER TABLE read_v1.facts RENAME TO facts_away")
STREAM_S = 1.0
"""A stream of events has no end: so long it is listened to."""


@dataclass
class Damaged:
    """A query process with its pages, and a workspace in which Ada may read everything."""

    reading: Reading
    story: Story
    public: httpx2.AsyncClient
    internal: httpx2.AsyncClient
    document: dict[str, Any]
    earlier: str
    """The token of an answer from before."""

    async def damage(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.reading.url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    def questions(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Of every route of the API, and of every page: about what is there, about what is not, and with a word that it
        does not know."""
        paths = [path for path, methods in self.document["paths"].items() if "get" in methods]
        for path in [*paths, *(path for path, _ in SHOWN)]:
            needed = {"of": "/v1/objectives/goal", "from": self.earlier} if path == "/v1/diff" else {}
            for id in ("goal", "result", MARK) if "{" in path else ("",):
                yield re.sub(r"\{.+?\}", id, path), needed
            yield re.sub(r"\{.+?\}", "goal", path), {**needed, "reason": MARK}

    async def ask(self, path: str, asked: dict[str, str], headers: dict[str, str]) -> httpx2.Response | None:
        try:
            async with asyncio.timeout(STREAM_S if path == "/v1/events" else None):
                return await self.public.get(path, params=asked, headers=headers)
        except TimeoutError:
            return None


@pytest.fixture
async def damaged(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Damaged]:
    async with read_side(await postgres.create("damaged"), tmp_path / "jwks.json") as reading:
        story = begun(Story("acme", reading.applier, reading.client, reading.issuer))
        story.goal("goal", ("result", TEN))
        story.check_in("goal", "result", "4")
        await story.arrive()
        earlier = (await story.ask("/v1/exports"))["token"]
        registry, views = new_registry("query"), reading.views
        commands = Commands(None)

        def pages(api: ASGIApp) -> ASGIApp:
            return WebPages(api, views, reading.settings, commands)

        public = httpx2.ASGITransport(query_app(views, registry, pages=pages), raise_app_exceptions=False)
        internal = httpx2.ASGITransport(health_app(views.checks, registry))
        async with (
            httpx2.AsyncClient(transport=public, base_url="http://query") as outside,
            httpx2.AsyncClient(transport=internal, base_url="http://query") as inside,
        ):
            document = (await outside.get("/openapi.json")).json()
            yield Damaged(reading, story, outside, inside, document, earlier)
        await commands.close()


async def _signed_in(damaged: Damaged, token: str) -> None:
    """The pages' cookie is kept by the client."""
    page = await damaged.public.get("/sign-in")
    [form] = re.findall(r'name="form" value="([^"]+)"', page.text)[:1]
    entered = await damaged.public.post("/sign-in", data={"form": form, "credential": token})
    assert entered.status_code == 303, entered.text


@pytest.mark.parametrize("damage", [TORN, GONE], ids=["torn rows", "tables gone"])
async def test_no_error_on_any_route_tells_credentials_or_what_was_said(
    damaged: Damaged, damage: tuple[str, ...], log: io.StringIO
) -> None:
    token = damaged.story.token("ada")
    headers = {"Authorization": f"Bearer {token}", "X-Marked": MARK, "Accept": "*/*"}
    await _signed_in(damaged, token)
    await damaged.damage(*damage)
    answers = [await damaged.ask(*question, headers) for question in damaged.questions()]
    metrics = await damaged.internal.get("/metrics")

    said, given = log.getvalue(), [answer for answer in answers if answer is not None]
    failed = [answer for answer in given if answer.status_code >= 500]
    assert len(failed) > 25, "the damage was hardly met"
    for shown in (said, metrics.text, *(answer.text for answer in given)):
        assert token not in shown and token.rpartition(".")[2] not in shown
        assert STORED not in shown
    assert MARK not in said and MARK not in metrics.text
    assert '"locals"' not in said
