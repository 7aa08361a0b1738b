"""The command service's internal feed: facts of a workspace after a seq, the heads, and the log's tiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
from goal_ledger_contracts.canonical import instant_text, parse_instant
from goal_ledger_contracts.position import Position

from goal_ledger_projection.folding.records import Record

HEADER = "Goal-Ledger-Position"
_GONE = 410
_NOT_FOUND = 404


class FeedUnavailable(OSError):
    """The command service is out of reach or does not answer as it should; the same may succeed later."""


class NotInLog(Exception):
    """The command service refuses what was asked of a log; ``code`` is its problem's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class HeadTold:
    workspace: str
    position: Position
    root: str
    """Of the Merkle tree over all facts up to the position, in hex."""
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class PageOfLog:
    """Facts after a seq, in order, and the workspace's head. No records: that is the end."""

    records: list[Record]
    head: Position


class CommandFeed:
    """A client of `GET /v1/log` and `GET /v1/log/heads` with a service token, read anew when its file changes."""

    def __init__(self, command_url: str, token_file: Path | None, timeout_s: float) -> None:
        self._client = httpx2.AsyncClient(base_url=command_url, timeout=timeout_s)
        self._token_file = token_file
        self._token: tuple[float, str] = (0.0, "")

    async def close(self) -> None:
        await self._client.aclose()

    async def after(self, workspace: str, position: Position, limit: int) -> PageOfLog | None:
        """The facts after a position; those of the present epoch from its beginning if the position's epoch is over.

        None: the workspace is unknown there. Raises FeedUnavailable.
        """
        query = {"workspace": workspace, "after": position.seq, "epoch": position.epoch, "limit": limit}
        answer = await self._get("/v1/log", query)
        head = _head(answer)
        if answer.status_code == _GONE or (head is not None and head.epoch > position.epoch):
            query = {"workspace": workspace, "after": 0, "limit": limit}
            answer, position = await self._get("/v1/log", query), Position(0, 0)
            head = _head(answer)
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.status_code != httpx2.codes.OK or head is None:
            raise FeedUnavailable(f"GET /v1/log: {answer.status_code} {answer.text[:200]}")
        stored = answer.content.splitlines()
        numbered = enumerate(stored, position.seq + 1)
        return PageOfLog(
            [Record(workspace, head.epoch, seq, one, vouched=True) for seq, one in numbered], head
        )

    async def hashes(self, workspace: str, after: Position, limit: int) -> bytes:
        """SHA-256(0x00 ‖ bytes) of each fact after a position of the present epoch, 32 bytes each, from the store's rows as
        they are now; zeros where a row is missing or contradicts itself. Raises FeedUnavailable, also on another epoch."""
        query = {"workspace": workspace, "after": after.seq, "epoch": after.epoch, "limit": limit}
        answer = await self._get("/v1/log/hashes", query)
        head = _head(answer)
        if answer.status_code != httpx2.codes.OK or head is None or head.epoch != after.epoch:
            raise FeedUnavailable(f"GET /v1/log/hashes: {answer.status_code} {answer.text[:200]}")
        return answer.content

    async def heads(self, since: datetime | None) -> list[HeadTold]:
        """The heads that moved at or after an instant, or all. Raises FeedUnavailable."""
        heads: list[HeadTold] = []
        query: dict[str, Any] = {} if since is None else {"since": instant_text(since)}
        while True:
            answer = await self._get("/v1/log/heads", query)
            if answer.status_code != httpx2.codes.OK:
                raise FeedUnavailable(f"GET /v1/log/heads: {answer.status_code} {answer.text[:200]}")
            page = [_one_head(one) for one in answer.json()]
            if not page or (heads and page[0].workspace <= heads[-1].workspace):
                return heads
            heads += page
            query["after"] = page[-1].workspace

    async def of_log(self, path: str) -> bytes:
        """What is at an address below ``/v1/logs``. Raises NotInLog, FeedUnavailable."""
        answer = await self._get(path, {})
        if answer.status_code == httpx2.codes.OK:
            return answer.content
        try:
            code = str(answer.json()["code"])
        except (ValueError, LookupError, TypeError):
            raise FeedUnavailable(f"GET {path}: {answer.status_code}") from None
        raise NotInLog(code)

    async def _get(self, path: str, query: dict[str, Any]) -> httpx2.Response:
        try:
            return await self._client.get(path, params=query, headers=self._credential())
        except httpx2.HTTPError as failed:
            raise FeedUnavailable(f"GET {path}: {failed!r}") from None

    def _credential(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        changed_at = self._token_file.stat().st_mtime
        if changed_at != self._token[0]:
            self._token = (changed_at, self._token_file.read_text().strip())
        return {"Authorization": f"Bearer {self._token[1]}"}


def _head(answer: httpx2.Response) -> Position | None:
    written = answer.headers.get(HEADER)
    return None if written is None else Position.parse(written)


def _one_head(one: dict[str, Any]) -> HeadTold:
    return HeadTold(
        one["workspace"], Position(one["epoch"], one["seq"]), one["root"], parse_instant(one["moved_at"])
    )
