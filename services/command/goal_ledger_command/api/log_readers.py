"""Who may read whose log: the role auditor its own workspace's; services, on the internal listener, any. Of a fact's proof
also whose fact it is: it holds nothing but hashes and a head."""

from __future__ import annotations

from typing import Annotated

from goal_ledger_command.api.door import Door, credential_in, service_in
from goal_ledger_contracts.envelope import from_bytes
from goal_ledger_contracts.ids import WORKSPACE_ID
from goal_ledger_contracts.permission import Permission
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Right
from goal_ledger_ledger.log_reader import Head, LogReader
from starlette.requests import Request

LogRequest = Annotated[Request, Right(Permission.READ_LOG, noted=True)]


class LogReaders:
    """Asked by every route that gives the log."""

    def __init__(self, door: Door, feed: LogReader) -> None:
        self._door, self._feed = door, feed

    async def workspace(self, request: Request, workspace: str | None, own: int | None = None) -> str:
        """The workspace whose log the caller may read; ``own``: or at least this fact's proof, where it is the caller's.
        Problems 401, 403, 404."""
        if service_in(request.scope) is not None:
            if workspace is None or WORKSPACE_ID.fullmatch(workspace) is None:
                raise Problem(422, "field_required", "A service names the workspace.", field="workspace")
            return workspace
        named = credential_in(request.scope).workspace
        if own is None or workspace != named or not await self._is_by_caller(request, own):
            await self._door.allowed(request)
        if workspace not in (None, named):
            raise unknown_workspace()
        return named

    async def _is_by_caller(self, request: Request, seq: int) -> bool:
        credential = credential_in(request.scope)
        actor, _ = await self._door.shell.actor_and_world(credential)
        found = await self._feed.facts_after(credential.workspace, seq - 1, 1)
        return bool(found) and from_bytes(found[0].bytes).actor == actor

    async def head(self, workspace: str) -> Head:
        """Problem 404."""
        head = await self._feed.head(workspace)
        if head is None:
            raise unknown_workspace()
        return head


def unknown_workspace() -> Problem:
    """Also where there is one that the caller may not know of."""
    return Problem(404, "unknown_workspace", "There is no such workspace.")
