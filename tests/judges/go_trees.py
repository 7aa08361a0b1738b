"""``github.com/transparency-dev/merkle`` over our tree: roots, inclusion and consistency of a thousand random sizes."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from goal_ledger_ledger.merkle import LeafSpan, consistency_path, inclusion_path, leaf_hash, root_of
from goal_ledger_ledger.tiles import WIDTH, Tile, nodes_from, root_from, tiles_for

SIZES, LARGEST, SEED, RUN_S = 1_000, 200_000, 11, 300
CHANGED = ("Leaf", "Root", "OldRoot", "InclusionPath", "Consistency")


class Tree:
    """The tree whose i-th entry is the decimal number i, read by tiles as the services do."""

    def __init__(self, size: int) -> None:
        self._levels = [[leaf_hash(str(number).encode()) for number in range(size)]]
        while len(below := self._levels[-1]) >= WIDTH:
            full = len(below) // WIDTH
            self._levels.append([root_of(below[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)])

    def leaf(self, index: int) -> bytes:
        return self._levels[0][index]

    def nodes(self, spans: list[LeafSpan], size: int) -> list[bytes]:
        return nodes_from(self._tiles(spans, size), spans, size)

    def root(self, size: int) -> bytes:
        return root_from(self._tiles([LeafSpan(0, size)], size), size)

    def _tiles(self, spans: list[LeafSpan], size: int) -> dict[Tile, bytes]:
        return {tile: self._tile(tile) for tile in tiles_for(spans, size)}

    def _tile(self, tile: Tile) -> bytes:
        first = tile.number * WIDTH
        return b"".join(self._levels[tile.level][first : first + tile.width])


def judge(program: Path) -> list[str]:
    """What did not agree, and what was changed and not refused."""
    random = Random(SEED)
    true = list(_cases(random))
    changed = [case for one in true if (case := _changed(one, random)) is not None]
    agreed, refused = _verdicts(program, true), _verdicts(program, changed)
    differing = [
        f"size {one['Size']}: {verdict}" for one, verdict in zip(true, agreed, strict=True) if verdict
    ]
    missed = [
        f"size {one['Size']}: a changed byte is not seen"
        for one, verdict in zip(changed, refused, strict=True)
        if not verdict
    ]
    few = [] if len(changed) > SIZES // 2 else [f"only {len(changed)} were changed"]
    return differing + missed + few


def _cases(random: Random) -> Iterator[dict[str, Any]]:
    """Half of the sizes below a few tiles, where every form of the right edge is."""
    tree = Tree(LARGEST)
    for number in range(SIZES):
        size = random.randint(1, 2_000 if number % 2 else LARGEST)
        index, old = random.randrange(size), random.randint(1, size)
        yield {
            **{"Size": size, "Index": index, "Old": old},
            **{
                "Leaf": _text(tree.leaf(index)),
                "Root": _text(tree.root(size)),
                "OldRoot": _text(tree.root(old)),
            },
            "InclusionPath": [_text(one) for one in tree.nodes(inclusion_path(index, size), size)],
            "Consistency": [_text(one) for one in tree.nodes(consistency_path(old, size), size)],
        }


def _changed(case: dict[str, Any], random: Random) -> dict[str, Any] | None:
    """With one byte of one hash changed; None: the path chosen has no hash."""
    name = random.choice(CHANGED)
    value = case[name]
    if not value:
        return None
    if isinstance(value, str):
        return case | {name: _flipped(value, random)}
    at = random.randrange(len(value))
    return case | {name: [*value[:at], _flipped(value[at], random), *value[at + 1 :]]}


def _flipped(written: str, random: Random) -> str:
    raw = bytearray(base64.b64decode(written))
    raw[random.randrange(len(raw))] ^= 1
    return _text(bytes(raw))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _verdicts(program: Path, cases: list[dict[str, Any]]) -> list[list[str]]:
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    ran = subprocess.run([program], input=lines, capture_output=True, text=True, check=True, timeout=RUN_S)
    return [json.loads(line) for line in ran.stdout.splitlines()]
