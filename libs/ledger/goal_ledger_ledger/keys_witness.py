"""Whether the keys' database still holds the newest change that this process has seen of it.

A count of keys or marks cannot tell: what a restore takes away may have been made anew since. So the newest change is
remembered, a key made or a mark left, with its instant: rows are never removed and their instants never moved, so a
database without it was set back to before it. A row that is put back has another instant. Another database at the same
address is told by its oid.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

_LOOK = """
SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
    newest.workspace, newest.subject, newest.created_at, newest.deleted_at,
    EXISTS (
        SELECT FROM text_keys WHERE workspace = $1 AND subject = $2 AND created_at = $3
        AND ($4::timestamptz IS NULL OR deleted_at = $4)
    )
FROM (SELECT) AS one LEFT JOIN (
    SELECT workspace, subject, created_at, deleted_at FROM text_keys
    ORDER BY greatest(created_at, coalesce(deleted_at, created_at)) DESC LIMIT 1
) AS newest ON true
"""


class KeysChange(NamedTuple):
    """A key that was made, or the mark that it left."""

    workspace: str
    subject: str
    created_at: datetime
    deleted_at: datetime | None


_NONE = (None, None, None, None)


class Witness:
    """Of one database, as one process knows it."""

    def __init__(self) -> None:
        self._database: int | None = None
        self._newest: KeysChange | None = None

    async def is_gone(self, raw: Raw) -> bool:
        """Whether the database was set back since the last look; from now on this is what is known. Raises asyncpg's
        errors."""
        row = await raw.fetchrow(_LOOK, *(self._newest or _NONE))
        assert row is not None
        database, is_there = row[0], row[5]
        gone = self._database not in (None, database) or (self._newest is not None and not is_there)
        self._database, self._newest = database, None if row[1] is None else KeysChange(*row[1:5])
        return gone
