"""The Merkle tree of RFC 6962 over facts, built block by block and never kept whole.

A leaf is SHA-256(0x00 ‖ a fact's bytes), a node SHA-256(0x01 ‖ left ‖ right). Of a tree of n leaves the roots of the
perfect subtrees that n falls into are kept, greatest first: one for each 1-bit of n.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

BLOCK_LEVELS = 12
BLOCK = 1 << BLOCK_LEVELS
"""So many facts are taken at once; all blocks but the last have that many."""
TILE = 256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(stored: bytes) -> bytes:
    """SHA-256(0x00 ‖ bytes)."""
    return sha256(b"\x00" + stored).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2ⁿ hashes."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


def perfect_roots(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the perfect subtrees that these hashes fall into, greatest first."""
    found, low = [], 0
    while low < len(hashes):
        width = 1 << (len(hashes) - low).bit_length() - 1
        found.append(perfect_root(hashes[low : low + width]))
        low += width
    return found


def folded(nodes: Sequence[bytes]) -> bytes:
    """The root of a tree from the roots of its perfect subtrees."""
    if not nodes:
        return EMPTY_ROOT
    root = nodes[-1]
    for node in reversed(nodes[:-1]):
        root = node_hash(node, root)
    return root


def roots_at(hashes: Sequence[bytes], sizes: Iterable[int]) -> dict[int, list[bytes]]:
    """By size the perfect subtrees of the first so many hashes."""
    found: dict[int, list[bytes]] = {}
    nodes: list[bytes] = []
    at = 0
    for size in sorted(sizes):
        for node in hashes[at:size]:
            carry = at
            while carry & 1:
                node = sha256(b"\x01" + nodes.pop() + node).digest()
                carry >>= 1
            nodes.append(node)
            at += 1
        found[size] = list(nodes)
    return found


class Frontier:
    """The tree so far."""

    def __init__(self) -> None:
        self.size = 0
        self.nodes: list[bytes] = []

    def add_block(self, facts: int, nodes: Sequence[bytes]) -> None:
        """A block of ``BLOCK`` facts by its root, or the last one by the roots of its perfect subtrees."""
        if facts < BLOCK:
            self.nodes += nodes
        else:
            (node,) = nodes
            carry = self.size >> BLOCK_LEVELS
            while carry & 1:
                node = node_hash(self.nodes.pop(), node)
                carry >>= 1
            self.nodes.append(node)
        self.size += facts

    @property
    def root(self) -> bytes:
        """Over all facts so far."""
        return folded(self.nodes)


def climbed(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); None: it is no proof for that place."""
    if not 0 <= index < size:
        return None
    at, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None
