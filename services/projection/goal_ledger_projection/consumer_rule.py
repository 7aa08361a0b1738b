"""The consumer rule: the whole of exactly-once.

Facts reach the read side at least once, from Kafka or the command service's feed, possibly twice, late, from a zombie,
from a topic made anew, or under a new epoch. What is done with one follows from comparing its (epoch, seq) with the
workspace's position alone:

* lower epoch: drop it; its log was replaced.
* higher epoch: discard what was folded of the workspace and fold it along the new epoch, from seq 1.
* same epoch, `seq < next`: drop it, it is folded. `seq = next`: apply it. `seq > next`: a gap; the workspace stands
  still until it is healed from the feed.

The position is read and locked in the transaction that changes the rows, so the answer cannot be outdated; no Kafka
offset takes part in it. Hence duplicates, zombies, rebalances, lost acknowledgements, a topic made anew and a complete
publication from the beginning can do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from goal_ledger_projection.records import Record


@dataclass(frozen=True, slots=True)
class Folded:
    """How far a workspace is folded: everything below `next_seq` of `epoch`."""

    epoch: int
    next_seq: int


@dataclass(slots=True)
class Verdict:
    """What becomes of a workspace's records."""

    before: Folded
    after: Folded
    apply: list[Record] = field(default_factory=list)
    discard: bool = False
    """The rows of the workspace are of an epoch that is over."""
    gap: bool = False
    """Facts from `after` on are missing."""
    dropped: int = 0


def judge(before: Folded, records: Iterable[Record]) -> Verdict:
    """Apply the rule to one workspace's records, in the order they came."""
    epoch, next_seq = before.epoch, before.next_seq
    verdict = Verdict(before, before)
    for record in records:
        if record.epoch > epoch:
            epoch, next_seq = record.epoch, 1
            verdict.discard, verdict.gap = True, False
            verdict.dropped += len(verdict.apply)
            verdict.apply = []
        if record.epoch < epoch or record.seq < next_seq or verdict.gap:
            verdict.dropped += 1
        elif record.seq == next_seq:
            verdict.apply.append(record)
            next_seq += 1
        else:
            verdict.gap = True
            verdict.dropped += 1
    verdict.after = Folded(epoch, next_seq)
    return verdict
