"""The Merkle tree over a workspace's facts: RFC 6962 section 2.1, with the verification of RFC 9162.

A leaf is SHA-256(0x00 ‖ a fact's bytes), an inner node SHA-256(0x01 ‖ left ‖ right). The tree over n leaves is split
at the greatest power of two below n, so its left part never changes again: what a writer has to keep is the
*frontier*, the roots of the perfect subtrees that n falls into (one per 1-bit of n, greatest first). Appending a
leaf joins equal neighbours as a binary counter carries; the root folds the frontier from the right. Sixty-four
hashes are enough for any log, and nothing already hashed is ever read again.

What is proven: with an *inclusion proof* that a leaf is at an index under a root; with a *consistency proof* that the
log under one root is a prefix of the log under another. Proofs are lists of nodes, lowest first, as in the RFC.
Only the standard library is used, so that an offline verifier needs nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

HASH_BYTES = 32

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""


def leaf_hash(stored: bytes) -> bytes:
    """SHA-256(0x00 ‖ bytes)."""
    return sha256(b"\x00" + stored).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class LeafSpan(NamedTuple):
    """The leaves ``low`` to ``high - 1``, counted from 0, under one node."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Frontier:
    """The perfect subtrees of a tree of ``size`` leaves, greatest first."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def append(self, leaves: Iterable[bytes]) -> Frontier:
        """The frontier after these leaf hashes."""
        size, nodes = self.size, list(self.nodes)
        for node in leaves:
            carry = size
            while carry & 1:
                node = sha256(b"\x01" + nodes.pop() + node).digest()
                carry >>= 1
            nodes.append(node)
            size += 1
        return Frontier(size, tuple(nodes))

    @property
    def root(self) -> bytes:
        """The tree's root."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root

    def to_bytes(self) -> bytes:
        """The nodes, one after another; the size is kept beside them."""
        return b"".join(self.nodes)

    @staticmethod
    def from_bytes(size: int, stored: bytes) -> Frontier:
        """Raises ValueError if that many bytes cannot be the frontier of that many leaves."""
        if len(stored) != HASH_BYTES * size.bit_count():
            raise ValueError(
                f"a frontier of {size} leaves has {size.bit_count()} nodes, not {len(stored)} bytes"
            )
        return Frontier(size, tuple(stored[at : at + HASH_BYTES] for at in range(0, len(stored), HASH_BYTES)))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes."""
    return Frontier().append(leaves).root


def _split(size: int) -> int:
    """The greatest power of two below ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int) -> list[LeafSpan]:
    """Which leaves lie under each node of PATH(index, leaves): RFC 6962 section 2.1.1. Raises IndexError outside the log."""
    if not 0 <= index < size:
        raise IndexError(f"no leaf {index} in a log of {size}")
    path: list[LeafSpan] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(LeafSpan(middle, high))
            high = middle
        else:
            path.append(LeafSpan(low, middle))
            low = middle
    return path[::-1]


def consistency_path(old_size: int, size: int) -> list[LeafSpan]:
    """Which leaves lie under each node of PROOF(old_size, leaves): RFC 6962 section 2.1.2. Raises IndexError outside the log.

    Empty for the empty log and for the whole one.
    """
    if not 0 <= old_size <= size:
        raise IndexError(f"no earlier log of {old_size} in a log of {size}")
    if old_size in (0, size):
        return []
    path: list[LeafSpan] = []
    low, high, whole = 0, size, True
    while old_size != high:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append(LeafSpan(middle, high))
            high = middle
        else:
            path.append(LeafSpan(low, middle))
            low, whole = middle, False
    if not whole:
        path.append(LeafSpan(low, high))
    return path[::-1]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(index, leaves) from all leaf hashes; :mod:`tiles` makes the same from few. Raises IndexError outside the log."""
    return [root_of(leaves[low:high]) for low, high in inclusion_path(index, len(leaves))]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """PROOF(old_size, leaves) from all leaf hashes. Raises IndexError outside the log."""
    return [root_of(leaves[low:high]) for low, high in consistency_path(old_size, len(leaves))]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``leaf`` is leaf number ``index`` (from 0) of the log of ``size`` under ``root`` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the log under ``old_root`` is the beginning of the log under ``root`` (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        return False
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_node = node = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_node, node = node_hash(sibling, old_node), node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old_node == old_root and node == root
