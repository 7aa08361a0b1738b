"""Whole trees kept: a workspace's standings at one moment, and finished bodies, so that asking again costs nothing.

A key holds all that a tree depends on (workspace, epoch, facts up to, `as_of`), so nothing is ever invalidated: what is
not asked for again goes. "Now" is rounded (`QuerySettings.now_granularity_s`), so that within some seconds, and with no
new fact, everybody asks for the same moment. No personal text is kept here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from goal_ledger_projection.api.database import Snapshot
from goal_ledger_projection.api.standing import Standing, Standings
from goal_ledger_projection.api.versions import Moment

Tree = dict[str, Standing]
Key = tuple[str, int, Moment]


class Trees:
    """The trees and bodies kept."""

    def __init__(self, standings: Standings, limit: int, bodies_bytes: int) -> None:
        self._standings, self._limit, self._bodies_bytes = standings, limit, bodies_bytes
        self._trees: OrderedDict[Key, Tree] = OrderedDict()
        self._under_way: dict[Key, asyncio.Lock] = {}
        self._bodies: OrderedDict[tuple[Key, str], bytes] = OrderedDict()
        self._size = 0

    def known(self, snapshot: Snapshot, moment: Moment) -> Tree | None:
        """The tree, if it is kept."""
        return self._trees.get(_key(snapshot, moment))

    async def whole(self, snapshot: Snapshot, moment: Moment) -> Tree:
        """How every objective of the workspace stands; asked for by several at once, it is computed once."""
        key = _key(snapshot, moment)
        lock = self._under_way.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                tree = self._trees.get(key)
                if tree is None:
                    tree = self._trees[key] = await self._standings.at(snapshot, moment)
                    while len(self._trees) > self._limit:
                        self._trees.popitem(last=False)
                self._trees.move_to_end(key)
                return tree
        finally:
            self._under_way.pop(key, None)

    async def body(
        self, snapshot: Snapshot, moment: Moment, question: str, make: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """The finished body of a question whose answer depends on nothing but the moment."""
        key = (_key(snapshot, moment), question)
        kept = self._bodies.get(key)
        if kept is not None:
            self._bodies.move_to_end(key)
            return kept
        made = await make()
        if len(made) * 4 <= self._bodies_bytes and key not in self._bodies:
            self._bodies[key] = made
            self._size += len(made)
            while self._size > self._bodies_bytes:
                _, gone = self._bodies.popitem(last=False)
                self._size -= len(gone)
        return made


def _key(snapshot: Snapshot, moment: Moment) -> Key:
    assert snapshot.position is not None
    return snapshot.workspace, snapshot.position.epoch, moment
