"""A reader of transparency logs that knows C2SP alone: signed-note, tlog-checkpoint, tlog-tiles, tlog-proof, RFC 9162.

It imports nothing of ours, is told an address and a verifier key, and believes no byte that the signed head does not
cover. Whatever does not hold raises :class:`Distrust`, with the resource where it was seen.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Fetch = Callable[[str], Awaitable[bytes]]
"""From a path below the log's address to the body, content coding taken off."""


class Distrust(Exception):
    """What was served does not follow from the signed head."""


def need(holds: bool, where: str) -> None:
    if not holds:
        raise Distrust(where)


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def tree(hashes: list[bytes]) -> bytes:
    """MTH over hashes: RFC 9162 section 2.1.1."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node(tree(hashes[:k]), tree(hashes[k:]))


@dataclass(frozen=True)
class Head:
    origin: str
    size: int
    root: bytes


class Key:
    """A verifier key of signed-note, ``<name>+<hash>+<base64>``."""

    def __init__(self, written: str) -> None:
        self.name, self._hash, key = written.split("+", 2)
        raw = base64.b64decode(key)
        need(raw[0] == 1 and len(raw) == 33, "the key is not Ed25519")
        need(sha256(self.name.encode() + b"\n" + raw).digest()[:4].hex() == self._hash, "the key's hash")
        self._key = Ed25519PublicKey.from_public_bytes(raw[1:])

    def opened(self, note: str) -> Head:
        """The head that the key signed under its own name."""
        text, separator, signatures = note.partition("\n\n")
        need(bool(separator) and note.endswith("\n"), "no signed note")
        mine = [line for line in signatures.splitlines() if line.startswith(f"— {self.name} ")]
        need(len(mine) == 1, "no signature of the key")
        origin, size, root = text.split("\n")
        try:
            signature = base64.b64decode(mine[0].split(" ")[2], validate=True)
            need(signature[:4].hex() == self._hash, "a signature of another key")
            self._key.verify(signature[4:], f"{text}\n".encode())
            need(origin == self.name and str(int(size)) == size, "origin or size")
            return Head(origin, int(size), base64.b64decode(root, validate=True))
        except (InvalidSignature, binascii.Error, ValueError) as wrong:
            raise Distrust("the checkpoint's signature") from wrong


def number_of(index: int) -> str:
    elements = [f"{index % 1000:03d}"]
    while index := index // 1000:
        elements.insert(0, f"x{index % 1000:03d}")
    return "/".join(elements)


def suffix(width: int) -> str:
    return "" if width == 256 else f".p/{width}"


class Reader:
    """Reads one log whole, and checks all of it against the signed head."""

    def __init__(self, fetch: Fetch, key: Key) -> None:
        self._fetch, self._key = fetch, key

    async def head(self) -> Head:
        return self._key.opened((await self._fetch("checkpoint")).decode())

    async def entries(self, head: Head) -> list[bytes]:
        """Every entry up to the head: bundles against tiles of level 0, tiles against those below, all against the root."""
        found: list[bytes] = []
        hashes: list[bytes] = []
        for number in range((head.size + 255) // 256):
            width = min(256, head.size - 256 * number)
            path = f"tile/entries/{number_of(number)}{suffix(width)}"
            bundle = unbundled(await self._fetch(path), path)
            tile = await self._tile(0, number, width)
            need([leaf(entry) for entry in bundle] == tile, path)
            found += bundle
            hashes += tile
        await self._levels(head, hashes)
        return found

    async def _levels(self, head: Head, leaves: list[bytes]) -> None:
        level, below = 1, leaves
        while len(below) >= 256:
            full = len(below) // 256
            above = [tree(below[256 * at : 256 * (at + 1)]) for at in range(full)]
            for number in range((full + 255) // 256):
                width = min(256, full - 256 * number)
                tile = await self._tile(level, number, width)
                need(tile == above[256 * number : 256 * number + width], f"tile/{level}/{number}")
            level, below = level + 1, above
        need(tree(leaves) == head.root, "the root")

    async def _tile(self, level: int, number: int, width: int) -> list[bytes]:
        path = f"tile/{level}/{number_of(number)}{suffix(width)}"
        body = await self._fetch(path)
        need(len(body) == 32 * width, path)
        return [body[at : at + 32] for at in range(0, len(body), 32)]

    def included(self, proof: str, entry: bytes) -> tuple[int, Head]:
        """The index of an entry and the head that a tlog-proof binds it to."""
        top, separator, note = proof.partition("\n\n")
        first, second, *hashes = top.split("\n")
        need(bool(separator) and first == "c2sp.org/tlog-proof@v1", "no tlog-proof")
        need(second.startswith("index ") and second[6:] == str(int(second[6:])), "the index")
        index, head = int(second[6:]), self._key.opened(note)
        try:
            path = [base64.b64decode(one, validate=True) for one in hashes]
        except binascii.Error as wrong:
            raise Distrust("a hash of the proof") from wrong
        need(climbed(leaf(entry), index, head.size, path) == head.root, "the inclusion proof")
        return index, head


def unbundled(bundle: bytes, where: str) -> list[bytes]:
    entries, at = [], 0
    while at < len(bundle):
        size = int.from_bytes(bundle[at : at + 2])
        need(at + 2 + size <= len(bundle), where)
        entries.append(bundle[at + 2 : at + 2 + size])
        at += 2 + size
    return entries


def climbed(at: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to, told by recursion as RFC 9162 section 2.1.3.1 makes it; None: it is no such path."""
    if size == 1:
        return at if index == 0 and not path else None
    if not path or not 0 <= index < size:
        return None
    k = 1
    while 2 * k < size:
        k *= 2
    if index < k:
        under = climbed(at, index, k, path[:-1])
        return None if under is None else node(under, path[-1])
    under = climbed(at, index - k, size - k, path[:-1])
    return None if under is None else node(path[-1], under)


def grew(old: Head, new: Head, proof: list[bytes]) -> bool:
    """Whether the log under ``old`` (not empty) is the beginning of that under ``new``: RFC 9162 section 2.1.4.1 read backwards."""

    def roots(m: int, n: int, path: list[bytes], whole: bool) -> tuple[bytes, bytes] | None:
        """Of the first m and of all n entries of a subtree. ``whole``: the m entries are all of the old log."""
        if m == n:
            if whole:
                return None if path else (old.root, old.root)
            return (path[0], path[0]) if len(path) == 1 else None
        if not path:
            return None
        k = 1
        while 2 * k < n:
            k *= 2
        under = roots(m, k, path[:-1], whole) if m <= k else roots(m - k, n - k, path[:-1], False)
        if under is None:
            return None
        if m <= k:
            return under[0], node(under[1], path[-1])
        return node(path[-1], under[0]), node(path[-1], under[1])

    return 0 < old.size <= new.size and roots(old.size, new.size, proof, True) == (old.root, new.root)
