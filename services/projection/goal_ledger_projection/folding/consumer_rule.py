"""The consumer rule: the whole of exactly-once.

Facts reach the read side at least once, from Kafka or the command service's feed, possibly twice, late, from a zombie,
from a topic made anew, or under a new epoch. What is done with one follows from comparing its (epoch, seq) with the
workspace's position alone:

* lower epoch: drop it; its log was replaced.
* higher epoch: discard what was folded of the workspace and fold it along the new epoch, from seq 1, if the command
  service vouches for the epoch; a record in Kafka that says so is a reason to ask it, no more.
* same epoch, `seq < next`: drop it, it is folded. `seq = next`: apply it if it continues its stream's chain, else leave
  it aside as foreign. `seq > next`: a gap; the workspace stands still until it is healed from the feed.

The position is read and locked in the transaction that changes the rows, so the answer cannot be outdated; no Kafka
offset takes part in it. Hence duplicates, zombies, rebalances, lost acknowledgements, a topic made anew and a complete
publication from the beginning can do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from goal_ledger_projection.folding.chains import Chains
from goal_ledger_projection.folding.records import Record


@dataclass(frozen=True, slots=True)
class FoldedUpTo:
    """How far a workspace is folded: everything below `next_seq` of `epoch`."""

    epoch: int
    next_seq: int


@dataclass(slots=True)
class Verdict:
    """What becomes of a workspace's records."""

    before: FoldedUpTo
    after: FoldedUpTo
    apply: list[Record] = field(default_factory=list)
    discard: bool = False
    """The rows of the workspace are of an epoch that is over."""
    gap: bool = False
    """Facts from `after` on are missing."""
    foreign: list[tuple[int, str]] = field(default_factory=list)
    """(seq, reason) of records whose turn it was and that do not continue their stream's chain."""
    epoch_claimed: bool = False
    """A record says that a higher epoch has begun, and the command service has not vouched for it."""
    dropped: int = 0


def judge(before: FoldedUpTo, records: Iterable[Record], chains: Chains) -> Verdict:
    """Apply the rule to one workspace's records, in the order they came. `chains` are its streams' ends at `before`."""
    epoch, next_seq = before.epoch, before.next_seq
    verdict = Verdict(before, before)
    for record in records:
        if record.epoch > epoch and not record.vouched:
            verdict.epoch_claimed = True
            verdict.dropped += 1
            continue
        if record.epoch > epoch:
            chains.restart()
            epoch, next_seq = record.epoch, 1
            verdict.discard, verdict.gap = True, False
            verdict.dropped += len(verdict.apply)
            verdict.apply = []
        if record.epoch < epoch or record.seq < next_seq or verdict.gap:
            verdict.dropped += 1
        elif record.seq > next_seq:
            verdict.gap = True
            verdict.dropped += 1
        elif (reason := chains.take(record)) is not None:
            verdict.foreign.append((record.seq, reason))
            verdict.dropped += 1
        else:
            verdict.apply.append(record)
            next_seq += 1
    verdict.after = FoldedUpTo(epoch, next_seq)
    return verdict
