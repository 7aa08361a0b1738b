"""Partitions are those that Kafka's own Java client gives."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from goal_ledger_messaging.partition import murmur2, partition_of
from hypothesis import given
from hypothesis import strategies as st

FROM_JAVA = [
    ("", 275646681, 9),
    ("a", -1563381124, 4),
    ("ab", 316155434, 2),
    ("abc", 479470107, 3),
    ("abcd", -1323649548, 20),
    ("acme", -1281648380, 12),
    ("webshop", 668439211, 19),
    ("workspace-1", 1195032962, 2),
    ("org-42", 751962165, 21),
    ("goal-ledger-demo", -1727616794, 6),
    ("the-quick-brown-fox-jumps-over-the-lazy", -142272398, 18),
    ("0123456789012345678901234567890123456789", 1523616294, 6),
    ("nordlys", 537954561, 9),
    ("kunst-og-kultur", 922621567, 7),
    ("-", 1748104326, 6),
    ("zzzz-9", -1852615428, 20),
]
"""Printed by kafka-clients 4.4.0: ``Utils.murmur2(bytes)`` and ``Utils.toPositive(…) % 24``."""


@pytest.mark.parametrize(("key", "hashed", "partition"), FROM_JAVA)
def test_a_key_has_the_hash_and_partition_that_java_gives_it(key: str, hashed: int, partition: int) -> None:
    assert murmur2(key.encode()) == hashed
    assert partition_of(key, 24) == partition


@given(st.binary(max_size=64))
def test_the_hash_is_that_of_the_client_library_for_any_bytes(data: bytes) -> None:
    assert murmur2(data) & 0x7FFFFFFF == murmur2_of_aiokafka(data) & 0x7FFFFFFF
