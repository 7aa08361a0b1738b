"""Proofs that the log of a size that a witness has seen is the beginning of the log under a signed head.

A proof is checked here before it leaves: a witness that then refuses it has seen another log, and not a mistake of ours.
"""

from __future__ import annotations

from goal_ledger_ledger.checkpoint import Checkpoint
from goal_ledger_ledger.kept_tiles import KeptTiles
from goal_ledger_ledger.merkle import LeafSpan, verify_consistency
from goal_ledger_ledger.tiles import root_from, tiles_for
from sqlalchemy.ext.asyncio import AsyncEngine


class LogDamaged(RuntimeError):
    """The tiles in the store do not lead from one of its sizes to a head that was signed."""


class ProvesGrowth:
    """From the tiles that are kept. Raises TilesNotKept while they are being made, Unreachable and asyncpg's errors."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._tiles = KeptTiles(engine)

    async def from_size(self, workspace: str, old: int, head: Checkpoint) -> list[bytes]:
        """``old``: above 0, below the head's size. Raises :class:`LogDamaged`."""
        proof = await self._tiles.consistency(workspace, old, head.size)
        tiles = await self._tiles.read(workspace, tiles_for([LeafSpan(0, old)], old))
        if not verify_consistency(old, root_from(tiles, old), head.size, head.root, proof):
            raise LogDamaged(f"the log of {workspace} at {old} is not the beginning of that at {head.size}")
        return proof
