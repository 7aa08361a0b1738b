"""Which records of Kafka's tail continue a workspace's log, one after another, and what is wrong with the others.

A record is taken if it is the next fact: canonical, of this workspace and seq, chained to its stream's last fact, not recorded
before the fact in front of it. Repeats of what is there are passed over. Where the log is at the size of a signed head,
its root must be that head's: facts behind the last head that agrees are not taken once one does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from goal_ledger_contracts.canonical import canonical
from goal_ledger_contracts.envelope import MAX_READABLE_BYTES, Fact, from_json, leaf_hash
from goal_ledger_contracts.strict_json import parse
from goal_ledger_contracts.workspace import StoreRestored
from goal_ledger_ledger.merkle import Frontier

Tip = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class NextFact:
    """A fact to append, with its bytes and leaf hash; ``epoch``: the log's at it."""

    fact: Fact
    stored: bytes
    leaf: bytes
    epoch: int
    traceparent: str | None


@dataclass
class Continuation:
    """Where a log stands and how it goes on. ``heads``: roots of signed heads by size, of the epoch that is followed."""

    workspace: str
    epoch: int
    frontier: Frontier
    tips: dict[str, Tip]
    recorded_at: datetime | None
    heads: Mapping[int, bytes] = field(default_factory=dict)
    foreign: int = 0
    """Records that name the next seq and do not continue the log."""
    signed_to: int = 0
    """The largest size at which a signed head agreed."""
    contradicts_at: int | None = None
    """The size of a signed head with another root."""
    highest: int = 0
    """The largest seq that was seen."""

    @property
    def seq(self) -> int:
        return self.frontier.size

    def see(self, seq: int, raw: bytes, traceparent: str | None) -> NextFact | None:
        """The record with this seq; the fact, if it is the next one and was taken."""
        self.highest = max(self.highest, seq)
        if seq != self.seq + 1 or self.contradicts_at is not None:
            return None
        fact = self._next(raw, seq)
        if fact is None:
            self.foreign += 1
            return None
        leaf = leaf_hash(raw)
        self.tips[fact.stream] = (fact.version, leaf)
        self.frontier, self.recorded_at = self.frontier.append([leaf]), fact.recorded_at
        if isinstance(fact.data, StoreRestored):
            self.epoch = fact.data.epoch
        self._compare()
        return NextFact(fact, raw, leaf, self.epoch, traceparent)

    def _compare(self) -> None:
        root = self.heads.get(self.seq)
        if root is not None and root == self.frontier.root:
            self.signed_to = self.seq
        elif root is not None:
            self.contradicts_at = self.seq

    def _next(self, raw: bytes, seq: int) -> Fact | None:
        """None: not a fact, or not one that continues the log."""
        try:
            body: Any = parse(raw, MAX_READABLE_BYTES)
            if canonical(body) != raw:
                return None
            fact = from_json(body)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
            return None
        version, previous = self.tips.get(fact.stream, (0, None))
        continues = (
            (fact.workspace, fact.seq, fact.version) == (self.workspace, seq, version + 1)
            and fact.previous == (None if previous is None else previous.hex())
            and (self.recorded_at is None or fact.recorded_at >= self.recorded_at)
        )
        return fact if continues and self._begins_higher(fact, seq) else None

    def _begins_higher(self, fact: Fact, seq: int) -> bool:
        data = fact.data
        if not isinstance(data, StoreRestored):
            return True
        return data.epoch > self.epoch and data.fork_seq == seq - 1
