"""The keys of personal texts, for the services that open them when asked. On the internal listener alone.

A subject whose key was deleted is named with ``key: null``: its texts read ``[erased]``. Nobody keeps what is read here
on disk.
"""

from __future__ import annotations

import base64
import json
from typing import Annotated

from fastapi import APIRouter, Query, Request
from goal_ledger_command.api.door import service_in
from goal_ledger_command.api.routes import Route
from goal_ledger_contracts.ids import WORKSPACE_ID
from goal_ledger_contracts.permission import Permission
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Answers, Right
from goal_ledger_edge.visits import note
from goal_ledger_ledger.keyring import Keyring
from pydantic import BaseModel, Field

MAX_PAGE_KEYS = 1000


class TextKeyDocument(BaseModel):
    subject: str = Field(examples=["person/kari"])
    key: str | None = Field(description="32 bytes, base64url without padding; null: deleted for good")


class TextKeysDocument(BaseModel):
    keys: list[TextKeyDocument]
    next: str | None = Field(description="Ask again with ``after`` set to this; null: the last page")


def router(keyring: Keyring) -> APIRouter:
    """The one route."""
    routes = APIRouter(tags=["keys"], route_class=Route)

    @routes.get("/v1/keys", summary="Keys of personal texts")
    async def read_text_keys(
        request: Annotated[Request, Right(Permission.READ_TEXT_KEYS, noted=True)],
        workspace: Annotated[str, Query(pattern=f"^{WORKSPACE_ID.pattern}$")],
        subject: Annotated[list[str] | None, Query(description="Only these; left out: all, by pages")] = None,
        after: Annotated[str, Query(max_length=80)] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_KEYS)] = MAX_PAGE_KEYS,
    ) -> Answers[TextKeysDocument]:
        """Of one workspace, as stored now."""
        if service_in(request.scope) is None:
            raise Problem(403, "not_allowed", "This needs a service token.")
        if subject:
            found = dict(await keyring.look_up(workspace, subject[:MAX_PAGE_KEYS]))
        else:
            found = await keyring.listing(workspace, after, limit)
        note(request, workspace, keys=len(found))
        more = not subject and len(found) >= limit
        return _page(found, max(found, default=None) if more else None)

    return routes


def _page(found: dict[str, bytes | None], following: str | None) -> Answers[TextKeysDocument]:
    keys = [{"subject": subject, "key": _written(key)} for subject, key in sorted(found.items())]
    body = json.dumps({"keys": keys, "next": following}, separators=(",", ":"))
    return Answers(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _written(key: bytes | None) -> str | None:
    return None if key is None else base64.urlsafe_b64encode(key).rstrip(b"=").decode()
