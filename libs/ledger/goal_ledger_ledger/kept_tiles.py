"""Full tiles kept in the ledger database, so that a proof of any fact reads a few rows and not the log.

A full tile never changes, so it is written once, some moments after its last fact, outside every append: the append path
knows nothing of tiles. Between two steps the table is whole: with the tile that completes 256 of a level, the tile of the
level above is written in the same transaction. Doing it twice at once writes the same rows, and harms nobody.

Tiles at the right edge of the tree are not kept: those of level 0 are the hashes of at most 255 facts, those above the
``root`` column of at most 255 tiles. A tile of level 0 that is full and not yet kept is read from its facts likewise, so
only the levels above need the table to have caught up.

The epoch is no part of the key. Facts are only ever appended to a store, so the tiles of every epoch that it knows are
tiles over the same facts; a store that is restored is restored with its tiles.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_ledger.merkle import HASH_BYTES, LeafSpan, consistency_path, inclusion_path, root_of
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.tiles import WIDTH, Tile, nodes_from, tiles_for

if TYPE_CHECKING:
    from goal_ledger_ledger.store import Raw

TILES_PER_STEP = 64
"""Of level 0, in one transaction: 16,384 facts' hashes, half a MiB."""
ROUND_S = 1.0
"""No step of a round begins later than so many seconds after its first."""

_BEHIND = """
SELECT h.workspace, h.seq / 256 AS complete, k.kept FROM heads h
CROSS JOIN LATERAL (
    SELECT coalesce(max(t.number) + 1, 0) AS kept FROM tiles t WHERE t.workspace = h.workspace AND t.level = 0
) k
WHERE h.seq / 256 > k.kept ORDER BY h.seq / 256 - k.kept
"""
_LEAVES = "SELECT hash FROM facts WHERE workspace = $1 AND seq > $2 AND seq <= $3 ORDER BY seq"
_ROOTS = """
SELECT root FROM tiles WHERE workspace = $1 AND level = $2 AND number >= $3 AND number < $4 ORDER BY number
"""
_KEPT = """
SELECT t.level, t.number, t.hashes FROM unnest($2::smallint[], $3::bigint[]) AS asked(level, number)
JOIN tiles t ON t.workspace = $1 AND t.level = asked.level AND t.number = asked.number
"""
_KEEP = """
INSERT INTO tiles (workspace, level, number, root, hashes)
SELECT $1, $2, n, r, h FROM unnest($3::bigint[], $4::bytea[], $5::bytea[]) AS u(n, r, h)
ON CONFLICT DO NOTHING
"""

log = logging.getLogger(__name__)


class FactsMissing(RuntimeError):
    """The store lacks facts below its head: it was damaged."""


class TilesNotKept(Exception):
    """The table has not caught up with a log that was there before it: it will in a while."""


class _Behind(NamedTuple):
    """A workspace of which level 0 has ``complete`` full tiles and ``kept`` of them are kept."""

    workspace: str
    complete: int
    kept: int


class KeptTiles:
    """Keeps and reads. Every method raises ``Unreachable`` or asyncpg's errors when the database is away."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._damaged: set[str] = set()

    async def keep(self) -> int:
        """One round: keep what is full and not yet kept, those first that lack least; how many tiles of level 0 were kept.

        It ends after about :data:`ROUND_S`, done or not. A workspace that lacks facts is left out, and said to be.
        """
        loop = asyncio.get_running_loop()
        until, done = loop.time() + ROUND_S, 0
        async with raw_connection(self._engine) as raw:
            behind = deque(_Behind(*row) for row in await raw.fetch(_BEHIND))
            while behind and loop.time() < until:
                one = behind.popleft()
                try:
                    kept = await _keep_step(raw, one)
                except FactsMissing as damaged:
                    self._tell(one.workspace, damaged)
                    continue
                done += kept - one.kept
                if kept < one.complete:
                    behind.append(one._replace(kept=kept))
        return done

    def _tell(self, workspace: str, damaged: FactsMissing) -> None:
        """Once for each workspace: a round is every second."""
        if workspace not in self._damaged:
            self._damaged.add(workspace)
            log.error("the tiles of %s cannot be kept: %s", workspace, damaged)

    async def inclusion(self, workspace: str, seq: int, size: int) -> list[bytes]:
        """The inclusion proof of the fact ``seq`` (1 to ``size``) in the log of ``size`` facts. Raises as :meth:`read`."""
        return await self._nodes(workspace, inclusion_path(seq - 1, size), size)

    async def consistency(self, workspace: str, old_size: int, size: int) -> list[bytes]:
        """The proof that the log of ``old_size`` facts is the beginning of that of ``size``. Raises as :meth:`read`."""
        return await self._nodes(workspace, consistency_path(old_size, size), size)

    async def _nodes(self, workspace: str, spans: list[LeafSpan], size: int) -> list[bytes]:
        return nodes_from(await self.read(workspace, tiles_for(spans, size)), spans, size)

    async def read(self, workspace: str, tiles: Iterable[Tile]) -> dict[Tile, bytes]:
        """The tiles' hashes, one after another. They must be of the log at a size that it has (``tiles.is_of``).

        Raises:
            TilesNotKept: above level 0, while the table is catching up.
            FactsMissing: the store is damaged.
        """
        asked = list(tiles)
        async with raw_connection(self._engine) as raw:
            rows = await raw.fetch(
                _KEPT, workspace, [one.level for one in asked], [one.number for one in asked]
            )
            kept = {(level, number): hashes for level, number, hashes in rows}
            return {
                one: kept[one[:2]][: one.width * HASH_BYTES]
                if one[:2] in kept
                else await _made(raw, workspace, one)
                for one in asked
            }


async def _made(raw: Raw, workspace: str, tile: Tile) -> bytes:
    """A tile that is not kept, from what is below it."""
    first = tile.number * WIDTH
    if tile.level == 0:
        return b"".join(await _leaves(raw, workspace, first, first + tile.width))
    roots = await _roots(raw, workspace, tile.level - 1, first, first + tile.width)
    if len(roots) < tile.width:
        raise TilesNotKept(f"{len(roots)} of {tile.width} hashes of {workspace}'s {tile.path}")
    return b"".join(roots)


async def _keep_step(raw: Raw, behind: _Behind) -> int:
    """Keep some tiles of level 0, and those above that they complete; how many of level 0 are kept now."""
    workspace, complete, kept = behind
    up_to = min(complete, kept + TILES_PER_STEP)
    leaves = await _leaves(raw, workspace, kept * WIDTH, up_to * WIDTH)
    rows = await asyncio.to_thread(_full_tiles, kept, leaves)
    async with raw.transaction():
        await raw.execute(_KEEP, workspace, 0, *rows)
        level, before, now = 1, kept // WIDTH, up_to // WIDTH
        while before < now:
            below = await _roots(raw, workspace, level - 1, before * WIDTH, now * WIDTH)
            if len(below) != (now - before) * WIDTH:
                raise FactsMissing(f"tiles of level {level - 1} are missing below number {now * WIDTH}")
            await raw.execute(_KEEP, workspace, level, *_full_tiles(before, below))
            level, before, now = level + 1, before // WIDTH, now // WIDTH
    return up_to


def _full_tiles(first: int, hashes: Sequence[bytes]) -> tuple[list[int], list[bytes], list[bytes]]:
    """Numbers, roots and bytes of the full tiles over these hashes, from number ``first`` on."""
    pieces = [hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)]
    return (
        list(range(first, first + len(pieces))),
        [root_of(piece) for piece in pieces],
        [b"".join(piece) for piece in pieces],
    )


async def _leaves(raw: Raw, workspace: str, after: int, up_to: int) -> list[bytes]:
    found = [row[0] for row in await raw.fetch(_LEAVES, workspace, after, up_to)]
    if len(found) != up_to - after:
        raise FactsMissing(f"{len(found)} facts of {workspace} from seq {after + 1} to {up_to}")
    return found


async def _roots(raw: Raw, workspace: str, level: int, first: int, end: int) -> list[bytes]:
    return [row[0] for row in await raw.fetch(_ROOTS, workspace, level, first, end)]
