"""How large a compressed batch may become is told without decompressing it, and never too low."""

from __future__ import annotations

import gzip
import random

import pytest
from aiokafka import codec
from goal_ledger_messaging.decompressed import GZIP, LZ4, SNAPPY, ZSTD, may_exceed

ENCODED = {
    GZIP: codec.gzip_encode,
    SNAPPY: codec.snappy_encode,
    LZ4: codec.lz4_encode,
    ZSTD: codec.zstd_encode,
}
MIB = 1024 * 1024


def readings(size: int) -> bytes:
    """As emitters send them: alike, and each another."""
    chance = random.Random(7)
    one = b'{"specversion":"1.0","source":"/shop","id":"%d","data":{"value":"%d"}}'
    many = b"".join(one % (n, chance.randrange(10**6)) for n in range(size // 60))
    return (many * 2)[:size]


@pytest.mark.parametrize("kind", ENCODED)
@pytest.mark.parametrize("size", [0, 1, 1000, 100_000, MIB, 5 * MIB])
def test_what_is_larger_is_never_taken_for_smaller_and_ordinary_batches_pass(kind: int, size: int) -> None:
    for whole in (bytes(size), readings(size), random.Random(size).randbytes(size)):
        packed = ENCODED[kind](whole)
        assert may_exceed(kind, packed, size - 1) or size <= 1
        assert not may_exceed(kind, packed, 2 * size + 8 * MIB)


@pytest.mark.parametrize("kind", ENCODED)
def test_a_small_one_that_becomes_large_is_known(kind: int) -> None:
    packed = ENCODED[kind](bytes(64 * MIB))
    assert len(packed) < 4 * MIB
    assert may_exceed(kind, packed, 32 * MIB)


def test_several_frames_behind_each_other_count_together() -> None:
    assert may_exceed(GZIP, gzip.compress(bytes(20 * MIB)) * 2, 32 * MIB)
    assert may_exceed(ZSTD, codec.zstd_encode(bytes(20 * MIB)) * 2, 32 * MIB)


@pytest.mark.parametrize("kind", ENCODED)
def test_whatever_bytes_these_are_it_ends_and_never_raises(kind: int) -> None:
    chance = random.Random(kind)
    for _ in range(300):
        packed = bytearray(ENCODED[kind](bytes(chance.randrange(5000))))
        for _ in range(chance.randrange(4)):
            packed[chance.randrange(len(packed))] = chance.randrange(256)
        may_exceed(kind, bytes(packed[: chance.randrange(len(packed) + 1)]), MIB)
    assert not may_exceed(kind, b"", MIB)
