"""Whether an API key was ever issued, asked before its workspace is loaded or waited for.

So a made-up key costs the same short look-up whether its workspace exists, is in memory, is being restored or is not there.
"""

from __future__ import annotations

from goal_ledger_edge.credentials import ApiKey
from goal_ledger_ledger.store import raw_connection
from sqlalchemy.ext.asyncio import AsyncEngine

_RECORDED = """
SELECT 1 FROM facts
WHERE workspace = $1 AND stream = 'workspace/' || $1 AND type IN ('KeyIssued', 'KeyRotated') AND position($2 IN bytes) > 0
LIMIT 1
"""


class RecordedKeys:
    """Asks the ledger database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def holds(self, key: ApiKey) -> bool:
        """Whether a fact of the workspace has this very key; it may be rotated or revoked since. Raises as the store."""
        async with raw_connection(self._engine) as raw:
            return await raw.fetchval(_RECORDED, key.workspace, key.digest.encode()) is not None
