"""Whole trees kept: a workspace's standings at one moment, and finished bodies, so that asking again costs nothing.

A key holds all that a tree depends on (workspace, epoch, facts up to, `as_of`), so nothing is ever invalidated: what is
not asked for again goes. "Now" is rounded (`QuerySettings.now_granularity_s`), so that within some seconds, and with no
new fact, everybody asks for the same moment. No personal text is kept here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from goal_ledger_history.as_of import AsOf

from goal_ledger_projection.history.histories import Histories
from goal_ledger_projection.history.snapshots import Snapshot
from goal_ledger_projection.history.tree import Tree, whole_tree

FinishedBody = tuple[bytes, str]
"""The bytes and their ETag."""
TreeKey = tuple[str, int, AsOf]


class Trees:
    """The trees and bodies kept."""

    def __init__(self, histories: Histories, limit: int, bodies_bytes: int) -> None:
        self._histories, self._limit, self._bodies_bytes = histories, limit, bodies_bytes
        self._trees: OrderedDict[TreeKey, Tree] = OrderedDict()
        self._present: OrderedDict[tuple[str, int], Tree] = OrderedDict()
        self._under_way: dict[TreeKey, asyncio.Lock] = {}
        self._bodies: OrderedDict[tuple[TreeKey, str], FinishedBody] = OrderedDict()
        self._size = 0

    async def whole(self, snapshot: Snapshot, moment: AsOf) -> Tree:
        """Every objective of the workspace; asked for by several at once, it is computed once."""
        key = _key(snapshot, moment)
        lock = self._under_way.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                tree = self._trees.get(key)
                if tree is None:
                    tree = self._trees[key] = await self._made(snapshot, moment)
                    while len(self._trees) > self._limit:
                        self._trees.popitem(last=False)
                self._trees.move_to_end(key)
                return tree
        finally:
            self._under_way.pop(key, None)

    async def _made(self, snapshot: Snapshot, moment: AsOf) -> Tree:
        """From the last tree of the workspace's present, where there is one."""
        workspace = (snapshot.workspace, _key(snapshot, moment)[1])
        before = self._present.get(workspace)
        tree = await whole_tree(snapshot, await self._histories.of(snapshot), moment, before)
        if tree.present and (before is None or tree.moment.true_at >= before.moment.true_at):
            self._present[workspace] = tree
            self._present.move_to_end(workspace)
            while len(self._present) > self._limit:
                self._present.popitem(last=False)
        return tree

    async def body(
        self, snapshot: Snapshot, moment: AsOf, question: str, make: Callable[[], Awaitable[FinishedBody]]
    ) -> FinishedBody:
        """The finished body of a question whose answer depends on nothing but the moment."""
        key = (_key(snapshot, moment), question)
        kept = self._bodies.get(key)
        if kept is not None:
            self._bodies.move_to_end(key)
            return kept
        made = await make()
        raw, _ = made
        if len(raw) * 4 <= self._bodies_bytes and key not in self._bodies:
            self._bodies[key] = made
            self._size += len(raw)
            while self._size > self._bodies_bytes:
                _, gone = self._bodies.popitem(last=False)
                self._size -= len(gone[0])
        return made


def _key(snapshot: Snapshot, moment: AsOf) -> TreeKey:
    assert snapshot.position is not None
    return snapshot.workspace, snapshot.position.epoch, moment
