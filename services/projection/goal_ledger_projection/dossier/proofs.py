"""Proofs of many facts against one signed head, made as any outsider makes them: from the log's checkpoint and tiles.

The query service keeps no tree. It asks the command service for the head and for the tiles that the proofs follow from, each once,
and checks every proof against the signed root before it leaves: what does not verify is an error, never an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from goal_ledger_ledger.checkpoint import Checkpoint, parse, proof_file
from goal_ledger_ledger.merkle import inclusion_path, verify_inclusion
from goal_ledger_ledger.tiles import Tile, nodes_from, tiles_for

TILES_AT_ONCE = 8

FetchTile = Callable[[str], Awaitable[bytes]]
"""From a path below the log's address to what is there."""


@dataclass(frozen=True, slots=True)
class SignedProofs:
    """``note``: the signed head as it was given. ``files``: by seq, C2SP tlog-proofs."""

    note: str
    head: Checkpoint
    files: Mapping[int, str]


async def proofs(note: str, leaves: Mapping[int, bytes], fetch: FetchTile) -> SignedProofs:
    """Of the facts with these leaf hashes, by seq; all lie under the head ``note``. Raises as ``fetch``; RuntimeError if
    a fact is not what was signed."""
    head = parse(note)
    spans = {seq: inclusion_path(seq - 1, head.size) for seq in leaves}
    wanted = sorted({tile for path in spans.values() for tile in tiles_for(path, head.size)})
    tiles = await _tiles(wanted, fetch)
    made = await asyncio.to_thread(_made, note, head, leaves, tiles)
    return SignedProofs(note, head, made)


async def _tiles(wanted: list[Tile], fetch: FetchTile) -> Mapping[Tile, bytes]:
    few = asyncio.Semaphore(TILES_AT_ONCE)

    async def one(tile: Tile) -> bytes:
        async with few:
            return await fetch(tile.path)

    return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))


def _made(
    note: str, head: Checkpoint, leaves: Mapping[int, bytes], tiles: Mapping[Tile, bytes]
) -> Mapping[int, str]:
    found = {}
    for seq, leaf in leaves.items():
        hashes = nodes_from(tiles, inclusion_path(seq - 1, head.size), head.size)
        if not verify_inclusion(leaf, seq - 1, head.size, hashes, head.root):
            raise RuntimeError(f"the fact {seq} here is not under the head signed at {head.size}")
        found[seq] = proof_file(seq - 1, hashes, note)
    return found
