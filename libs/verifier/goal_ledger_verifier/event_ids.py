"""Whether every event id is there once, in twelve to sixteen bytes a fact: 64-bit hashes, looked through bucket by bucket."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise

BUCKETS = 256


class EventIds:
    """Those of a log, in its order."""

    def __init__(self) -> None:
        self._order = array("q")
        self._buckets = [array("q") for _ in range(BUCKETS)]

    def add(self, ids: Iterable[str]) -> None:
        """More of them."""
        hashes = array("q", map(hash, ids))
        self._order += hashes
        for one in hashes:
            self._buckets[one % BUCKETS].append(one)

    def twice(self) -> Iterator[tuple[int, int]]:
        """Two places, from 0, of ids whose hashes are the same: almost surely the same ids."""
        for bucket in self._buckets:
            if len(set(bucket)) == len(bucket):
                continue
            ordered = sorted(bucket)
            for one in sorted({a for a, b in pairwise(ordered) if a == b}):
                first = self._order.index(one)
                yield first, self._order.index(one, first + 1)
