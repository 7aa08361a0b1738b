"""Which records continue a log: the next fact of the chain and nothing else, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from goal_ledger_command.recovery.continuing import Continuation
from goal_ledger_contracts.envelope import Fact, leaf_hash, to_bytes
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.unit import UnitCreated, UnitRenamed
from goal_ledger_contracts.workspace import StoreRestored
from goal_ledger_ledger.merkle import Frontier, root_of

AT = datetime(2026, 5, 1, tzinfo=UTC)


def a_fact(seq: int, stream: str, version: int, data: FactData, previous: bytes | None) -> Fact:
    return Fact(
        event_id=f"019ab6f4-9c1b-7a60-a0c1-{seq:012x}",
        workspace="acme",
        seq=seq,
        stream=stream,
        version=version,
        data=data,
        effective_at=AT,
        recorded_at=AT + timedelta(seconds=seq),
        actor="person/ada",
        correlation_id="c",
        causation_id="c",
        previous=None if previous is None else leaf_hash(previous).hex(),
    )


def five() -> list[bytes]:
    """One unit created and renamed four times."""
    stored = [to_bytes(a_fact(1, "unit/a", 1, UnitCreated("A", None), None))]
    for version in range(2, 6):
        stored.append(to_bytes(a_fact(version, "unit/a", version, UnitRenamed(f"A{version}"), stored[-1])))
    return stored


def followed(records: list[tuple[int, bytes]], heads: dict[int, bytes] | None = None) -> Continuation:
    log = Continuation("acme", 1, Frontier(), {}, None, heads or {})
    for seq, raw in records:
        log.see(seq, raw, None)
    return log


def test_repeats_and_what_comes_too_early_are_passed_over():
    one, two, three, four, five_ = five()
    log = followed([(1, one), (1, one), (3, three), (2, two), (2, two), (3, three), (4, four), (5, five_)])
    assert (log.seq, log.highest, log.foreign) == (5, 5, 0)
    assert log.frontier.root == root_of([leaf_hash(each) for each in five()])


def test_a_hole_ends_the_log_and_is_seen():
    stored = five()
    log = followed([(seq, raw) for seq, raw in enumerate(stored, 1) if seq != 3])
    assert (log.seq, log.highest) == (2, 5)


@pytest.mark.parametrize(
    "foreign",
    [
        b"{}",
        b"not json",
        five()[1].replace(b"A2", b"A 2"),
        to_bytes(a_fact(2, "unit/b", 2, UnitRenamed("B"), five()[0])),
        to_bytes(replace(a_fact(2, "unit/b", 1, UnitCreated("B", None), None), workspace="other")),
        to_bytes(replace(a_fact(2, "unit/b", 1, UnitCreated("B", None), None), recorded_at=AT)),
        to_bytes(a_fact(2, "workspace/acme", 1, StoreRestored(1, 1, ()), None)),
        to_bytes(a_fact(2, "workspace/acme", 1, StoreRestored(5, 2, ()), None)),
    ],
)
def test_what_does_not_continue_is_foreign_and_the_true_fact_is_taken_behind_it(foreign: bytes):
    one, two, *_ = five()
    if b"A 2" in foreign:  # the right chain, other content: nothing but a head tells, and the next fact
        log = followed([(1, one), (2, foreign), (3, five()[2])])
        assert (log.seq, log.foreign) == (2, 1)
        return
    log = followed([(1, one), (2, foreign), (2, two)])
    assert (log.seq, log.foreign) == (2, 1)


def test_a_signed_head_with_another_root_ends_the_log_there():
    stored = five()
    leaves = [leaf_hash(each) for each in stored]
    agreeing = followed(list(enumerate(stored, 1)), {2: root_of(leaves[:2]), 4: root_of(leaves[:4])})
    assert (agreeing.seq, agreeing.signed_to, agreeing.contradicts_at) == (5, 4, None)
    other = followed(list(enumerate(stored, 1)), {2: root_of(leaves[:2]), 4: b"r" * 32})
    assert (other.seq, other.signed_to, other.contradicts_at) == (4, 2, 4)


def test_a_later_epoch_begins_with_its_own_fact():
    stored = five()
    restored = to_bytes(a_fact(6, "workspace/acme", 1, StoreRestored(5, 3, ()), None))
    log = followed(list(enumerate([*stored, restored], 1)))
    assert (log.seq, log.epoch) == (6, 3)
