"""Tiles: the Merkle tree cut into pieces of eight levels, as C2SP ``tlog-tiles`` names and orders them.

The tile ``n`` of level ``l`` is the hashes of 256 neighbouring perfect subtrees of 256**l leaves each, from the subtree
256·n on. At level 0 they are leaf hashes; a hash of level l + 1 is the root over one *full* tile of level l. A full tile
never changes, and a tree of n leaves has only about n / 255 of them; at its right edge each level has at most one partial
tile. So every node of the tree follows from one tile, and a proof from at most two tiles per level: for ten million leaves
at most six.

Only the standard library is used, so that an offline verifier needs nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from goal_ledger_ledger.merkle import HASH_BYTES, Frontier, LeafSpan, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63

_NUMBER = re.compile(r"((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LEVEL = re.compile(r"0|[1-9][0-9]?")


class Tile(NamedTuple):
    """``width`` hashes (256: a full tile) of a level, from hash number 256 · ``number`` on."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """``tile/<level>/<number>[.p/<width>]``."""
        return f"tile/{self.level}/{number_path(self.number, self.width)}"


def number_path(number: int, width: int = WIDTH) -> str:
    """The number in elements of three digits, all but the last with an ``x``; of a partial tile with its width.

    1234067 is ``x001/x234/067``; with a width of 5 ``x001/x234/067.p/5``.
    """
    written = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        written = f"x{number % 1000:03d}/{written}"
    return written if width == WIDTH else f"{written}.p/{width}"


def parse_number_path(path: str) -> tuple[int, int]:
    """Number and width of a path as :func:`number_path` writes it. Raises ValueError for any other."""
    found = _NUMBER.fullmatch(path)
    if found is not None:
        number, width = int(found[1].replace("x", "").replace("/", "")), int(found[2] or WIDTH)
        if (found[2] is None or width < WIDTH) and number_path(number, width) == path:
            return number, width
    raise ValueError("not the number of a tile, such as 067, x001/234 or x001/234.p/5")


def parse_level(text: str) -> int:
    """A level, 0 to 63. Raises ValueError."""
    if _LEVEL.fullmatch(text) is None or int(text) > MAX_LEVEL:
        raise ValueError("not a level: 0 to 63, without further zeros")
    return int(text)


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes the tile has in a tree of ``size`` leaves, 0 to 256."""
    return min(WIDTH, max(0, (size >> HEIGHT * level) - WIDTH * number))


def is_of(tile: Tile, size: int) -> bool:
    """Whether the tile is one of a tree of ``size`` leaves, or of an earlier one of the same log."""
    return 1 <= tile.width <= width_at(tile.level, tile.number, size)


def tiles_for(spans: Iterable[LeafSpan], size: int) -> list[Tile]:
    """The tiles of the tree of ``size`` leaves from which the nodes over these spans follow, each once, in order.

    The spans are of :func:`merkle.inclusion_path` or :func:`merkle.consistency_path`, or the whole tree.
    """
    return sorted({_place(*node, size)[0] for span in spans for node in _perfect(span)})


def nodes_from(tiles: Mapping[Tile, bytes], spans: Iterable[LeafSpan], size: int) -> list[bytes]:
    """The node over each span: a proof, if the spans are its path. Raises KeyError for a tile that is not there."""
    return [_node(tiles, span, size) for span in spans]


def root_from(tiles: Mapping[Tile, bytes], size: int) -> bytes:
    """The root of the tree of ``size`` leaves, from its ``tiles_for([Span(0, size)], size)``."""
    return _node(tiles, LeafSpan(0, size), size)


def _node(tiles: Mapping[Tile, bytes], span: LeafSpan, size: int) -> bytes:
    perfect = tuple(_perfect_root(tiles, height, index, size) for height, index in _perfect(span))
    return Frontier(span.high - span.low, perfect).root


def _perfect_root(tiles: Mapping[Tile, bytes], height: int, index: int, size: int) -> bytes:
    tile, first, count = _place(height, index, size)
    return root_of(hashes_in(tiles[tile])[first : first + count])


def hashes_in(tile: bytes) -> Sequence[bytes]:
    """A tile's hashes one by one."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def _perfect(span: LeafSpan) -> Iterator[tuple[int, int]]:
    """(height, index among those of its height) of the perfect subtrees that a span falls into, greatest first.

    A span under one node of the tree begins at a multiple of the greatest of them.
    """
    low, high = span
    while low < high:
        height = (high - low).bit_length() - 1
        yield height, low >> height
        low += 1 << height


def _place(height: int, index: int, size: int) -> tuple[Tile, int, int]:
    """The tile over whose hashes a perfect subtree's root is, the first of them and how many."""
    level, above = divmod(height, HEIGHT)
    first = index << above
    number = first >> HEIGHT
    return Tile(level, number, width_at(level, number, size)), first % WIDTH, 1 << above
