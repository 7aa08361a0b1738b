"""The facts, by their leaf hashes: the store's rows, the head that the store signs, and the read side's rows.

Hashes are compared by pages; only where a page differs is it looked at seq by seq. Which side is wrong the head decides: its
root is the Merkle tree's over all facts, and the tree over the right hashes alone has it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from goal_ledger_contracts.position import Position
from goal_ledger_ledger.merkle import HASH_BYTES, Frontier

from goal_ledger_projection.command_feed import CommandFeed, FeedUnavailable, HeadTold
from goal_ledger_projection.folding.writing import Connection
from goal_ledger_projection.read_models import facts
from goal_ledger_projection.reconciling.findings import NAMED_MAX, READ, STORE, Mismatch

PAGE_FACTS = 4096
PAGES_KEPT = 256
"""32 MiB: Kafka's records come workspace by workspace among each other."""
NOTHING = bytes(HASH_BYTES)


class StoreHashes:
    """The store's leaf hashes up to the heads that a pass began with, page by page, the last used kept in memory."""

    def __init__(self, feed: CommandFeed) -> None:
        self._feed = feed
        self._pages: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    async def page(self, head: HeadTold, number: int) -> bytes:
        """Of the facts `number` × 4096 + 1 to the page's end or the head. Raises FeedUnavailable."""
        key = (head.workspace, number)
        if key not in self._pages:
            after = number * PAGE_FACTS
            wanted = min(PAGE_FACTS, head.position.seq - after)
            page = await self._feed.hashes(head.workspace, Position(head.position.epoch, after), wanted)
            if len(page) != wanted * HASH_BYTES:
                raise FeedUnavailable(f"{head.workspace}: {wanted} hashes wanted, {len(page)} bytes came")
            self._pages[key] = page
        self._pages.move_to_end(key)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        return self._pages[key]


def pages_of(seq: int) -> range:
    """The numbers of the pages up to a seq."""
    return range((seq + PAGE_FACTS - 1) // PAGE_FACTS)


def hash_in(page: bytes, index: int) -> bytes:
    return page[index * HASH_BYTES : (index + 1) * HASH_BYTES]


def hashes_in(page: bytes) -> Iterator[bytes]:
    return (page[at : at + HASH_BYTES] for at in range(0, len(page), HASH_BYTES))


async def compare_facts(
    connection: Connection, table: str, hashes: StoreHashes, head: HeadTold, folded: int
) -> list[Mismatch]:
    """The store's facts up to the head, and the read side's (`table`) up to seq `folded`. Raises FeedUnavailable."""
    store, read = Frontier(), Frontier()
    differing: list[int] = []
    for number in pages_of(head.position.seq):
        ours = await hashes.page(head, number)
        theirs = await _read_page(connection, head, number, folded)
        store, read = store.append(hashes_in(ours)), read.append(hashes_in(theirs))
        if ours[: len(theirs)] != theirs:
            first = number * PAGE_FACTS + 1
            pairs = zip(hashes_in(ours), hashes_in(theirs), strict=False)
            differing += [seq for seq, (one, other) in enumerate(pairs, first) if one != other]
    blamed = []
    if store.root.hex() != head.root:
        blamed.append((STORE, "ledger.facts"))
    if differing and (not blamed or read.root.hex() != head.root):
        blamed.append((READ, table))
    if blamed and not differing:
        return [_of_the_head(head, folded)]
    return [found for copy, name in blamed for found in _named(copy, name, head, differing)]


async def _read_page(connection: Connection, head: HeadTold, number: int, folded: int) -> bytes:
    after = number * PAGE_FACTS
    upto = min(after + PAGE_FACTS, folded, head.position.seq)
    rows = dict(await connection.fetch(facts.HASHES_BETWEEN, head.workspace, after, upto))
    return b"".join([rows.get(seq, NOTHING) for seq in range(after + 1, upto + 1)])


def _of_the_head(head: HeadTold, folded: int) -> Mismatch:
    """Every row that both sides hold is the same, and yet the head's root is another."""
    if folded < head.position.seq:
        sentence = f"a fact after seq {folded} is not the one that the head was made over"
        return Mismatch(STORE, "ledger.facts", head.workspace, f"seq>{folded}", sentence)
    sentence = "its root is not that of the facts, which the read side holds alike"
    return Mismatch(STORE, "ledger.heads", head.workspace, f"epoch={head.position.epoch}", sentence)


def _named(copy: str, table: str, head: HeadTold, seqs: list[int]) -> Iterator[Mismatch]:
    what = f"not the fact that the head {head.position} was made over ({len(seqs)} rows in all)"
    return (Mismatch(copy, table, head.workspace, f"seq={seq}", what) for seq in seqs[:NAMED_MAX])
