"""Deciding a batch: submissions in order, each on the state that those before it leave, and the rows they come to.

Nothing here waits and nothing is sent. The folded state is only read: changes lie on a branch of the world and in the
batch's own tips, identities, points and answers, so that a batch is dropped, or decided again, without a trace. A
submission takes effect whole or not at all: its facts are numbered, sealed, chained and measured before any of them
touches the branch.

A batch ends early (the rest goes into the next) after :data:`DECIDING_MAX_S`, at :data:`BATCH_MAX_FACTS` or
:data:`BATCH_MAX_BYTES`, and before a submission whose neighbours the look-up can no longer tell, because an earlier one
of the batch moved or removed a recorded point of that series.
"""

from __future__ import annotations

import time
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from goal_ledger_contracts.decision import Decision, Draft, Found, Identity, Neighbours, Situation
from goal_ledger_contracts.envelope import MAX_FACT_BYTES, Fact, to_bytes
from goal_ledger_contracts.facts import PERSONAL_FIELDS
from goal_ledger_contracts.position import Position

from goal_ledger_ledger.folded import SHREDDING, Folded, Tip
from goal_ledger_ledger.lookup import Kept, Looked, Near, asked_neighbours, replayed
from goal_ledger_ledger.merkle import Frontier, leaf_hash
from goal_ledger_ledger.sealing import OwnerShredded, Place, TextKeys, owners, seal_fact_data
from goal_ledger_ledger.submission import Answer, Domain, FactRef, FactTooLarge, KeyReused, Submission

BATCH_MAX_FACTS = 500
BATCH_MAX_BYTES = 8 * 1024 * 1024
DECIDING_MAX_S = 0.050

Outcome = Answer | Exception
PointRow = tuple[str, datetime, int, Decimal] | None
"""Series, time, seq and value of an identity's point; None: taken out."""


class Unsettled(Exception):
    """Not decidable within this batch; it goes into the next."""


class Versions(Mapping[str, int]):
    """The versions of streams as the batch goes on; 0 for a stream that is not there."""

    __slots__ = ("_base", "_tips")

    def __init__(self, tips: dict[str, Tip], base: dict[str, Tip]) -> None:
        self._tips, self._base = tips, base

    def __getitem__(self, stream: str) -> int:
        tip = self._tips.get(stream) or self._base.get(stream)
        return tip[0] if tip else 0

    def __contains__(self, stream: object) -> bool:
        return stream in self._tips or stream in self._base

    def __iter__(self) -> Iterator[str]:
        return iter({**self._base, **self._tips})

    def __len__(self) -> int:
        return len({**self._base, **self._tips})


class Batch:
    """What the submissions decided so far come to."""

    def __init__(self, folded: Folded, looked: Looked, now: datetime, keys: TextKeys, domain: Domain) -> None:
        self.now = now
        self.base = folded.position
        """Where the state stood that it was decided on."""
        self.outcomes: list[Outcome] = []
        self.missing_keys: set[str] = set()
        self.rows: list[tuple[Fact, bytes, bytes, str | None]] = []
        """(fact as stored, its bytes, its leaf hash, traceparent)."""
        self.answers: dict[str, tuple[str, str, Answer]] = {}
        """To be kept, by mark: (mark of the body, the stream whose version is answered, the answer)."""
        self.identities: dict[Identity, tuple[int, int, str]] = {}
        """(seq of the fact with the content, state, subject)."""
        self.points: dict[Identity, PointRow] = {}
        self.tips: dict[str, Tip] = {}
        self.shredded: set[str] = set()
        self.world = folded.world.branch()
        self.sent = False
        """It went out to the database, and is not known to have been refused."""
        self._folded, self._looked, self._keys, self._domain = folded, looked, keys, domain
        self._versions = Versions(self.tips, folded.tips)
        self._found: dict[Identity, Callable[[], Found]] = {}
        self._series: dict[str, list[tuple[datetime, int, Decimal]]] = {}
        self._unsettled: set[str] = set()
        self._size = 0

    @property
    def position(self) -> Position:
        return Position(self._folded.epoch, self._folded.seq + len(self.rows))

    @property
    def writes(self) -> bool:
        """Whether there is anything to commit: facts, or answers to keep."""
        return bool(self.rows or self.answers)

    @property
    def full(self) -> bool:
        return len(self.rows) >= BATCH_MAX_FACTS or self._size >= BATCH_MAX_BYTES

    @cached_property
    def frontier(self) -> Frontier:
        """The tree's frontier after the batch; asked for when all is decided."""
        return self._folded.frontier.append([leaf for _, _, leaf, _ in self.rows])

    def add(self, submission: Submission) -> None:
        """Decide one submission. Raises :class:`Unsettled`; whatever refuses it becomes its outcome."""
        try:
            self.outcomes.append(self._answer(submission))
        except Unsettled:
            raise
        except Exception as refusal:
            self.outcomes.append(refusal)

    def digest(self, identity: Identity) -> bytes:
        return self._looked.digests.get(identity) or identity.digest

    def _answer(self, submission: Submission) -> Answer:
        mark = submission.mark
        kept = self._kept(mark.key) if mark is not None else None
        if mark is not None and kept is not None:
            if kept.body != mark.body:
                raise KeyReused
            return replayed(kept.answer)
        decision = submission.decide(self.world, self._situation(submission))
        answer = self._record(submission, decision)
        if mark is not None and not self.missing_keys:
            self.answers[mark.key] = (mark.body, decision.stream, answer)
        return answer

    def _kept(self, key: str) -> Kept | None:
        here = self.answers.get(key)
        return Kept(here[0], here[2]) if here is not None else self._looked.answers.get(key)

    def _situation(self, submission: Submission) -> Situation:
        found = {}
        for identity in submission.lookups:
            there = self._find(identity)
            if there is not None:
                found[identity] = there
        return Situation(
            self.now,
            self.position,
            found,
            self._neighbours(submission) if submission.neighbours else {},
            self._versions,
            submission.mark,
        )

    def _find(self, identity: Identity) -> Found | None:
        here = self._found.get(identity)
        return here() if here is not None else self._looked.found.get(identity)

    def _neighbours(self, submission: Submission) -> dict[tuple[str, datetime], Neighbours]:
        asked = asked_neighbours(submission, self._looked.digests)
        if any(series in self._unsettled for series, _, _ in asked):
            raise Unsettled
        return {
            (series, at): nearest(self._looked.near[series, at, own], self._series.get(series, ()), at)
            for series, at, own in asked
        }

    def _record(self, submission: Submission, decision: Decision) -> Answer:
        location = submission.location(decision) if submission.location is not None else None
        same = decision.same_as
        if same is not None:
            ref, position = (
                FactRef(same.seq, same.event_id, same.type),
                Position(self._folded.epoch, same.seq),
            )
            return Answer(decision.id, same.version, (ref,), position, location=location)
        if not decision.drafts:
            return Answer(decision.id, self._versions[decision.stream], (), self.position, location=location)
        numbered = self._number(submission, decision)
        first = self._folded.seq + len(self.rows) + 1
        self._take(numbered, submission.traceparent)
        self._claim(decision, numbered, first)
        refs = tuple(FactRef(fact.seq, fact.event_id, fact.type) for fact, _, _, _ in numbered)
        return Answer(decision.id, self._versions[decision.stream], refs, self.position, location=location)

    def _number(self, submission: Submission, decision: Decision) -> list[tuple[Fact, Draft, bytes, bytes]]:
        """The decision's facts as they will be stored, with bytes and hash. Nothing is taken over yet."""
        numbered: list[tuple[Fact, Draft, bytes, bytes]] = []
        tips: dict[str, Tip] = {}
        seq = self._folded.seq + len(self.rows)
        for draft in decision.drafts:
            stream = draft.stream
            seq += 1
            tip = tips.get(stream) or self.tips.get(stream) or self._folded.tips.get(stream)
            version, previous = (tip[0] + 1, tip[1].hex()) if tip else (1, None)
            fact = Fact(
                draft.event_id,
                self._folded.workspace,
                seq,
                stream,
                version,
                self._sealed(draft) if PERSONAL_FIELDS[type(draft.data)] else draft.data,
                draft.effective_at,
                self.now,
                draft.actor,
                draft.correlation_id,
                draft.causation_id,
                previous,
                draft.reason,
                draft.stated_at,
                submission.mark,
                draft.origin,
            )
            stored = to_bytes(fact)
            if len(stored) > MAX_FACT_BYTES:
                raise FactTooLarge(len(stored))
            leaf = leaf_hash(stored)
            tips[stream] = (version, leaf)
            numbered.append((fact, draft, stored, leaf))
        return numbered

    def _sealed(self, draft: Draft) -> object:
        """The data with its texts sealed. A key that is not in memory is noted; the batch is then decided again."""
        place = Place(self._folded.workspace, draft.event_id, draft.stream, draft.actor)
        whose = owners(draft.data, place)
        for owner in whose:
            if owner in self._folded.shredded or owner in self.shredded:
                raise OwnerShredded(owner)
        missing = [owner for owner in whose if owner not in self._keys]
        if missing:
            self.missing_keys.update(missing)
            return draft.data
        return seal_fact_data(draft.data, place, self._keys) if whose else draft.data

    def _take(self, numbered: list[tuple[Fact, Draft, bytes, bytes]], traceparent: str | None) -> None:
        folded = self._domain.folded
        for fact, draft, stored, leaf in numbered:
            self.rows.append((fact, stored, leaf, traceparent))
            self.tips[fact.stream] = (fact.version, leaf)
            self._size += len(stored)
            if fact.type == SHREDDING:
                self.shredded.add(fact.stream)
            if fact.type in folded:
                self._domain.evolve(self.world, in_clear(fact, draft))

    def _claim(
        self, decision: Decision, numbered: list[tuple[Fact, Draft, bytes, bytes]], first: int
    ) -> None:
        for claim in decision.claims:
            identity = claim.identity
            before = self.identities.get(identity)
            seq = first + claim.draft
            if claim.keeps_content:
                content = self._find(identity)
                seq = before[0] if before is not None else 0
                if content is not None:
                    self._found[identity] = _state(content, claim.state, claim.subject)
            else:
                fact, draft, _, _ = numbered[claim.draft]
                self._found[identity] = _content(fact, draft, claim.state, claim.subject)
            self.identities[identity] = (seq, claim.state, claim.subject)
        for point in decision.points:
            known_new = (
                point.identity in self._looked.digests
                and point.identity not in self._looked.found
                and point.identity not in self.points
            )
            if point.gone:
                self._unsettled.add(point.series)
                self.points[point.identity] = None
                continue
            self.points[point.identity] = (point.series, point.at, first + point.draft, point.value)
            if known_new:
                insort(
                    self._series.setdefault(point.series, []), (point.at, first + point.draft, point.value)
                )
            else:
                self._unsettled.add(point.series)


def decide_batch(
    folded: Folded,
    looked: Looked,
    submissions: Sequence[Submission],
    now: datetime,
    keys: TextKeys,
    domain: Domain,
) -> Batch:
    """Decide as many of the submissions as the batch takes, at least the first. See the top of this file.

    With ``missing_keys`` the batch is not to be written: the keys are made, then it is decided again.
    """
    batch = Batch(folded, looked, now, keys, domain)
    until = time.monotonic() + DECIDING_MAX_S
    for submission in submissions:
        if batch.outcomes and (batch.full or time.monotonic() > until):
            break
        try:
            batch.add(submission)
        except Unsettled:
            break
    return batch


def in_clear(fact: Fact, draft: Draft) -> Fact:
    """The fact as deciders see it."""
    if fact.data is draft.data:
        return fact
    values = [getattr(fact, name) for name in Fact.__slots__]
    values[5] = draft.data
    return Fact(*values)


def nearest(
    stored: tuple[Near, Near], here: Sequence[tuple[datetime, int, Decimal]], at: datetime
) -> Neighbours:
    """The neighbours of ``at`` among the stored points and those of the batch, of equal times the later recorded."""
    before, after = stored
    index = bisect_right(here, at, key=lambda point: point[0])
    if index and (before is None or here[index - 1][0] >= before[0]):
        before = (here[index - 1][0], here[index - 1][2])
    if index < len(here) and (after is None or here[index][0] < after[0]):
        after = (here[index][0], here[index][2])
    return Neighbours(before[1] if before else None, after[1] if after else None)


def _content(fact: Fact, draft: Draft, state: int, subject: str) -> Callable[[], Found]:
    return lambda: Found(in_clear(fact, draft), state, subject)


def _state(found: Found, state: int, subject: str) -> Callable[[], Found]:
    return lambda: Found(found.fact, state, subject)
