"""Erasing the text of a shredded person: the fact first, then the key; and again at every start, for every such fact.

The fact is what counts: from it on no writer seals a text for that person, whether or not the key is gone yet. The key
is deleted after it, in another database; a process that dies in between leaves that to the next one that starts.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.folded import SHREDDING
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.snapshots import Snapshots
from goal_ledger_ledger.store import transaction
from goal_ledger_ledger.tables import facts


async def erase(snapshots: Snapshots, keyring: Keyring, workspace: str, owners: Iterable[str]) -> None:
    """Delete the owners' keys, and the workspace's snapshot if it is from before. Doing it again changes nothing."""
    await keyring.delete(workspace, owners)
    await snapshots.drop_older_than_shredding(workspace)


async def erase_everywhere(engine: AsyncEngine, keyring: Keyring, snapshots: Snapshots) -> None:
    """Erase again for every shredding fact in the store."""
    by_workspace: dict[str, list[str]] = {}
    shredded = select(facts.c.workspace, facts.c.stream).where(facts.c.type == SHREDDING)
    async with transaction(engine) as store:
        for workspace, stream in await store.execute(shredded.order_by(facts.c.workspace, facts.c.seq)):
            by_workspace.setdefault(workspace, []).append(stream)
    for workspace, owners in by_workspace.items():
        await erase(snapshots, keyring, workspace, owners)
