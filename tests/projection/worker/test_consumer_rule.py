"""The consumer rule as a pure function: whatever arrives, in whatever order, each fact is applied once and in order."""

from __future__ import annotations

from goal_ledger_projection.folding.chains import Chains
from goal_ledger_projection.folding.consumer_rule import FoldedUpTo, Verdict
from goal_ledger_projection.folding.consumer_rule import judge as judge_by_chains
from goal_ledger_projection.folding.records import Record
from hypothesis import given
from hypothesis import strategies as st

POSITIONS = st.tuples(st.integers(1, 3), st.integers(1, 12))


class AnyChain(Chains):
    """Every record continues its stream."""

    def __init__(self) -> None:
        super().__init__({})

    def take(self, record: Record) -> str | None:
        return None


def judge(before: FoldedUpTo, records: list[Record]) -> Verdict:
    return judge_by_chains(before, records, AnyChain())


def record(epoch: int, seq: int) -> Record:
    return Record("shop", epoch, seq, b"", vouched=True)


@given(st.lists(st.lists(POSITIONS, max_size=20), max_size=8))
def test_what_is_applied_is_dense_and_of_one_epoch(batches: list[list[tuple[int, int]]]) -> None:
    folded, applied = FoldedUpTo(1, 1), []
    for batch in batches:
        verdict = judge(folded, [record(*one) for one in batch])
        assert verdict.before == folded
        folded = verdict.after
        applied = [] if verdict.discard else applied
        applied += [one.position for one in verdict.apply]
        assert len(verdict.apply) + verdict.dropped == len(batch)
    assert applied == [(folded.epoch, seq) for seq in range(1, folded.next_seq)]


@given(st.lists(POSITIONS, max_size=20))
def test_the_same_again_is_dropped(batch: list[tuple[int, int]]) -> None:
    first = judge(FoldedUpTo(1, 1), [record(*one) for one in batch])
    again = judge(first.after, first.apply)
    assert (again.apply, again.after, again.gap) == ([], first.after, False)


@given(st.permutations(range(1, 9)), st.integers(1, 8))
def test_a_gap_is_told_when_and_only_when_facts_are_missing(order: list[int], count: int) -> None:
    seqs = order[:count]
    verdict = judge(FoldedUpTo(1, 1), [record(1, seq) for seq in seqs])
    assert verdict.gap == any(seq > verdict.after.next_seq - 1 for seq in seqs)


def test_after_a_gap_nothing_more_of_the_epoch_is_applied() -> None:
    verdict = judge(FoldedUpTo(1, 1), [record(1, 1), record(1, 3), record(1, 2)])
    assert ([one.seq for one in verdict.apply], verdict.after, verdict.gap) == ([1], FoldedUpTo(1, 2), True)


def test_a_higher_epoch_ends_a_gap() -> None:
    verdict = judge(FoldedUpTo(1, 5), [record(1, 9), record(2, 1)])
    assert (verdict.discard, verdict.gap, verdict.after) == (True, False, FoldedUpTo(2, 2))


def test_a_lower_epoch_is_dropped() -> None:
    verdict = judge(FoldedUpTo(2, 5), [record(1, 5), record(1, 9)])
    assert (verdict.apply, verdict.gap, verdict.after) == ([], False, FoldedUpTo(2, 5))


def test_a_higher_epoch_that_nobody_vouches_for_changes_nothing_but_is_told() -> None:
    claimed = Record("shop", 2, 1, b"")
    verdict = judge(FoldedUpTo(1, 5), [claimed, record(1, 5)])
    assert (verdict.epoch_claimed, verdict.discard, verdict.after) == (True, False, FoldedUpTo(1, 6))
