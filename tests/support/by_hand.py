"""Facts changed by hand: as the role that owns the table, for no other gets past the rights and the trigger on it."""

from __future__ import annotations

from typing import Any


async def past_the_trigger(connection: Any) -> None:
    """From now on this database's facts can be changed by who has the right to."""
    await connection.execute("ALTER TABLE facts DISABLE TRIGGER facts_stay")
