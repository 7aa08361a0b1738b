"""The keys of sealed texts: fetched from the command service when a text is to be shown, kept in memory only.

A key is dropped on its person's shredding fact, seen in the newest snapshot whatever the question's clocks say; such a
text reads `[erased]`. Out of reach, it reads `[sealed]`, and nothing waits for it longer than a setting says.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import OrderedDict
from collections.abc import Iterable

import httpx2
from goal_ledger_ledger.sealing import TextKey, TextKeys
from goal_ledger_observability.failures import failure_text
from goal_ledger_observability.logs import logger

from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.query_settings import QuerySettings
from goal_ledger_projection.read_models.definitions import SHREDDED

_PAGE = 1000
_KEPT_WORKSPACES = 200

log = logger("goal_ledger.query.text_keys")


class KeyShelf:
    """Keys by workspace. Raises nothing: what cannot be fetched stays sealed."""

    def __init__(self, settings: QuerySettings) -> None:
        self._settings = settings
        self._client: httpx2.AsyncClient | None = None
        if settings.command_url is not None:
            timeout = settings.text_keys_timeout_s
            self._client = httpx2.AsyncClient(base_url=settings.command_url, timeout=timeout)
        self._kept: OrderedDict[str, dict[str, TextKey | None]] = OrderedDict()
        self._ask_again_at: dict[str, float] = {}
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections to the command service, and forget all keys."""
        self._kept.clear()
        if self._client is not None:
            await self._client.aclose()

    async def keys(self, snapshot: Snapshot, wanted: Iterable[str]) -> TextKeys:
        """The keys of these owners; None for those who were shredded, as the newest facts say."""
        ids = set(wanted)
        if not ids:
            return {}
        persons = [id.removeprefix("person/") for id in ids if id.startswith("person/")]
        shredded = {row["key"] for row in await snapshot.fetch(SHREDDED, persons)} if persons else set()
        kept = self._kept.setdefault(snapshot.workspace, {})
        for id in shredded:
            kept[id] = None
        if any(id not in kept for id in ids):
            await self._fetch(snapshot.workspace, ids)
            kept = self._kept.setdefault(snapshot.workspace, {})
            for id in shredded:
                kept[id] = None
        self._kept.move_to_end(snapshot.workspace)
        while len(self._kept) > _KEPT_WORKSPACES:
            self._kept.popitem(last=False)
        return {id: kept[id] for id in ids if id in kept}

    async def _fetch(self, workspace: str, wanted: set[str]) -> None:
        async with self._lock:
            kept = self._kept.setdefault(workspace, {})
            if self._client is None or all(id in kept for id in wanted):
                return
            if time.monotonic() < self._ask_again_at.get(workspace, 0.0):
                return
            self._ask_again_at[workspace] = time.monotonic() + self._settings.text_keys_pause_s
            try:
                async with asyncio.timeout(self._settings.text_keys_timeout_s):
                    kept.update(await self._listing(workspace))
            except (httpx2.HTTPError, OSError, TimeoutError, ValueError, KeyError) as away:
                log.warning("text keys are out of reach", workspace=workspace, error=failure_text(away))

    async def _listing(self, workspace: str) -> dict[str, TextKey | None]:
        assert self._client is not None
        found: dict[str, TextKey | None] = {}
        after = ""
        while True:
            answer = await self._client.get(
                "/v1/keys",
                params={"workspace": workspace, "after": after, "limit": _PAGE},
                headers=self._credential(),
            )
            if answer.status_code != httpx2.codes.OK:
                raise OSError(f"GET /v1/keys answered {answer.status_code}")
            page = answer.json()["keys"]
            for one in page:
                raw = one.get("key")
                found[one["subject"]] = None if raw is None else TextKey(_decoded(raw))
            if len(page) < _PAGE:
                return found
            after = page[-1]["subject"]

    def _credential(self) -> dict[str, str]:
        path = self._settings.service_token_file
        return {} if path is None else {"Authorization": f"Bearer {path.read_text().strip()}"}


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
