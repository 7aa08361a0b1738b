"""Which partition a workspace's facts are in: Kafka's own function, computed by us.

The partition is given explicitly with every record, so that no client's default partitioner, and no change of it, can
ever tear a workspace's order apart. The function is that of the Java client (``Utils.murmur2``, seed 0x9747b28c, then
``toPositive``: the sign bit cleared), so that anybody who uses Java's default partitioner finds the same place.
"""

from __future__ import annotations

import functools

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2 as a signed integer. Source: ``org.apache.kafka.common.utils.Utils.murmur2``."""
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    h ^= h >> 15
    return h - (1 << 32) if h >> 31 else h


@functools.lru_cache(maxsize=65536)
def partition_of(key: str, partitions: int) -> int:
    """The partition (0-based) of a key among ``partitions``."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
