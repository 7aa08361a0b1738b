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


def test_an_unvouched_epoch_costs_its_own_records_and_no_other() -> None:
    claimed = [Record("shop", 2, seq, b"") for seq in (1, 2)]
    verdict = judge(FoldedUpTo(1, 5), [*claimed, record(1, 5), record(1, 6)])
    assert [one.seq for one in verdict.apply] == [5, 6]
    assert (verdict.dropped, verdict.gap, verdict.foreign) == (2, False, [])


def test_what_came_before_a_higher_epoch_is_counted_as_dropped() -> None:
    verdict = judge(FoldedUpTo(1, 5), [record(1, 5), record(1, 6), record(2, 1), record(2, 1)])
    assert ([one.position for one in verdict.apply], verdict.dropped) == ([(2, 1)], 3)


class ForeignOnce(AnyChain):
    """The first record that is asked about does not continue its stream."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Record] = []
        self.restarts = 0

    def take(self, record: Record) -> str | None:
        self.asked.append(record)
        return "not chained" if len(self.asked) == 1 else None

    def restart(self) -> None:
        self.restarts += 1


def test_a_foreign_record_is_named_and_the_true_one_behind_it_takes_its_turn() -> None:
    chains, foreign, true = ForeignOnce(), record(1, 5), record(1, 5)
    verdict = judge_by_chains(FoldedUpTo(1, 5), [foreign, true, record(1, 6), record(1, 4)], chains)
    assert verdict.foreign == [(5, "not chained")]
    assert verdict.apply[0] is true and [one.seq for one in verdict.apply] == [5, 6]
    assert (verdict.after, verdict.dropped, verdict.gap) == (FoldedUpTo(1, 7), 2, False)
    assert chains.asked == [foreign, *verdict.apply], "only those whose turn it is are asked about"
    assert chains.restarts == 0


def test_chains_begin_anew_with_a_higher_epoch_that_is_vouched_for() -> None:
    chains = ForeignOnce()
    judge_by_chains(FoldedUpTo(1, 5), [Record("shop", 2, 1, b""), record(2, 2), record(2, 1)], chains)
    assert chains.restarts == 1


def test_a_record_of_a_lower_epoch_is_dropped_also_when_its_number_is_the_next() -> None:
    verdict = judge(FoldedUpTo(2, 5), [record(1, 5), record(1, 6)])
    assert (verdict.apply, verdict.dropped, verdict.gap, verdict.discard) == ([], 2, False, False)


def test_where_a_workspace_stood_is_told() -> None:
    before = FoldedUpTo(3, 7)
    verdict = judge(before, [])
    assert verdict == Verdict(before=before, after=before)


def test_a_record_of_the_present_epoch_needs_nobody_to_vouch_for_it() -> None:
    verdict = judge(FoldedUpTo(2, 5), [Record("shop", 2, 5, b"")])
    assert (verdict.after, verdict.epoch_claimed, verdict.dropped) == (FoldedUpTo(2, 6), False, 0)


def test_whatever_is_not_applied_is_counted() -> None:
    class Foreign(AnyChain):
        def take(self, record: Record) -> str | None:
            return "not chained"

    foreign = judge_by_chains(FoldedUpTo(1, 5), [record(1, 5), record(1, 5)], Foreign())
    assert (foreign.dropped, len(foreign.foreign)) == (2, 2)
    for rest in ([(1, 7), (1, 8)], [(1, 1), (1, 2)], [(1, 4), (1, 7)], [(1, 1), (1, 9), (1, 5)]):
        assert judge(FoldedUpTo(1, 5), [record(*one) for one in rest]).dropped == len(rest)
