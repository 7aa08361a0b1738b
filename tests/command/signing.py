"""Signed heads without a relay process and Kafka."""

from __future__ import annotations

from pathlib import Path

from goal_ledger_ledger.checkpoint import Checkpoint, load_signing_key, origin_of, sign
from goal_ledger_ledger.kept_tiles import KeptTiles
from goal_ledger_ledger.log_reader import LogReader
from goal_ledger_ledger.store import raw_connection
from sqlalchemy.ext.asyncio import AsyncEngine

from command.service import Service


class Relay:
    """Does what the relay's round does, without Kafka: tiles, then a signed head."""

    def __init__(self, service: Service, engine: AsyncEngine) -> None:
        file = service.settings.head_signing_key_file
        assert isinstance(file, Path)
        self._key, self._origin = load_signing_key(file.read_bytes()), service.settings.heads_origin
        self.engine = engine

    async def signs(self, workspace: str, *, keeping: bool = True) -> int:
        """The size signed."""
        if keeping:
            await KeptTiles(self.engine).keep()
        head = await LogReader(self.engine).head(workspace)
        assert head is not None
        origin = origin_of(self._origin, workspace, head.epoch)
        note = sign(Checkpoint(origin, head.seq, head.root), self._key)
        async with raw_connection(self.engine) as raw:
            await raw.execute(
                "INSERT INTO checkpoints VALUES ($1, $2, $3, $4, now(), $5) ON CONFLICT (workspace, epoch) "
                "DO UPDATE SET seq = EXCLUDED.seq, root = EXCLUDED.root, note = EXCLUDED.note",
                workspace,
                head.epoch,
                head.seq,
                head.root,
                note,
            )
        return head.seq
