"""Who may read whose log: the role auditor its own workspace's; services, on the internal listener, any."""

from __future__ import annotations

from typing import Annotated

from goal_ledger_command.api.door import Door, service_in
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

    async def workspace(self, request: Request, workspace: str | None) -> str:
        """The workspace whose log the caller may read. Problems 401, 403, 404."""
        if service_in(request.scope) is not None:
            if workspace is None or WORKSPACE_ID.fullmatch(workspace) is None:
                raise Problem(422, "field_required", "A service names the workspace.", field="workspace")
            return workspace
        own = (await self._door.allowed(request)).credential.workspace
        if workspace not in (None, own):
            raise unknown_workspace()
        return own

    async def head(self, workspace: str) -> Head:
        """Problem 404."""
        head = await self._feed.head(workspace)
        if head is None:
            raise unknown_workspace()
        return head


def unknown_workspace() -> Problem:
    """Also where there is one that the caller may not know of."""
    return Problem(404, "unknown_workspace", "There is no such workspace.")
