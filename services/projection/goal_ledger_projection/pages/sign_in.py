"""Signing in and out. Another way to a credential (OpenID Connect) ends, like these, in :func:`signed_in_as`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from goal_ledger_edge.problems import Problem
from goal_ledger_edge.visits import Visit
from starlette.requests import Request

from goal_ledger_projection.api.view import Views
from goal_ledger_projection.pages.asking import ApiRefusal
from goal_ledger_projection.pages.session import BrowserSession, new_session


def demo_people(file: Path | None) -> list[dict[str, Any]]:
    """Of a local installation: `{person, name, roles, token}` of those whom one click signs in."""
    if file is None or not file.exists():
        return []
    return list(json.loads(file.read_text())["people"])


async def signed_in_as(views: Views, credential: str) -> BrowserSession:
    """The session of who has that credential. Raises ApiRefusal where it does not count."""
    visit = Visit()
    try:
        await views.sign_in(f"Bearer {credential}", visit)
    except Problem as refused:
        raise ApiRefusal(refused.status, refused.document()) from None
    assert visit.workspace is not None and visit.actor is not None
    return new_session(credential, visit.workspace, visit.actor)


def back_to(stated: str) -> str:
    """The page to go on to: one of ours, or the first."""
    ours = stated.startswith("/") and not stated.startswith(("//", "/\\")) and stated.isprintable()
    return stated if ours else "/"


def next_page(request: Request) -> str:
    """Where the sign-in was asked for."""
    return back_to(request.query_params.get("next", "/"))
