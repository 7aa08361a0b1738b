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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from goal_ledger_contracts.decision import (
    Claim,
    Decision,
    Draft,
    Found,
    Identity,
    Situation,
)
from goal_ledger_contracts.envelope import MAX_FACT_BYTES, CommandMark, Fact, to_bytes
from goal_ledger_contracts.facts import PERSONAL_FIELDS
from goal_ledger_contracts.position import Position

from goal_ledger_ledger.folded import SHREDDING, Folded, Tip
from goal_ledger_ledger.lookup import KeptAnswer, Looked, replayed
from goal_ledger_ledger.merkle import Frontier, leaf_hash
from goal_ledger_ledger.sealing import OwnerShredded, TextKeys, TextPlace, owners, seal_fact_data
from goal_ledger_ledger.series import Series, Unsettled
from goal_ledger_ledger.submission import (
    CommandAnswer,
    Domain,
    FactRef,
    FactTooLarge,
    KeyReused,
    NotRecorded,
    Submission,
)

BATCH_MAX_FACTS = 500
BATCH_MAX_BYTES = 8 * 1024 * 1024
DECIDING_MAX_S = 0.025
"""Nothing else runs in the process while a batch is decided; DESIGN allows 50 ms."""

Settled = CommandAnswer | Exception

NumberedFact = tuple[Fact, Draft, bytes, bytes]
"""A fact as it will be stored, the draft it was decided as, its bytes and its leaf hash."""


class VersionsInBatch(Mapping[str, int]):
    """The versions of streams as the batch goes on; 0 for a stream that is not there."""

    __slots__ = ("_base", "_tips")

    def __init__(self, tips: Mapping[str, Tip], base: Mapping[str, Tip]) -> None:
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

    def __init__(
        self, folded: Folded, looked: Looked, now: datetime, keys: TextKeys | None, domain: Domain
    ) -> None:
        self.now = now
        self.base = folded.position
        """Where the state stood that it was decided on."""
        self.outcomes: list[Settled] = []
        self.missing_keys: set[str] = set()
        self.sealed_for: set[str] = set()
        """Whose keys its texts are sealed with."""
        self.rows: list[tuple[Fact, bytes, bytes, str | None]] = []
        """(fact as stored, its bytes, its leaf hash, traceparent)."""
        self.answers: dict[str, tuple[str, str, CommandAnswer]] = {}
        """To be kept, by mark: (mark of the body, the stream whose version is answered, the answer)."""
        self.identities: dict[Identity, tuple[int, int, str]] = {}
        """(seq of the fact with the content, state, subject)."""
        self.series = Series(looked)
        self.tips: dict[str, Tip] = {}
        self.shredded: set[str] = set()
        self.world = folded.world.branch()
        self.sent = False
        """It went out to the database, and is not known to have been refused."""
        self._folded, self._looked, self._keys, self._domain = folded, looked, keys, domain
        self._versions = VersionsInBatch(self.tips, folded.tips)
        self._found: dict[Identity, Callable[[], Found]] = {}
        self._remembered: dict[Any, Any] = {}
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
        """Decide one submission; whatever refuses it becomes its outcome.

        Raises:
            Unsettled: it belongs into the next batch.
            Exception: the facts could not be folded: the whole batch is void.
        """
        mark = submission.mark
        try:
            kept = self._kept(mark) if mark is not None else None
            if kept is not None:
                self.outcomes.append(kept)
                return
            decision = submission.decide(self.world, self._situation(submission))
            location = submission.location(decision) if submission.location is not None else None
            numbered = self._number(submission, decision)
        except Unsettled:
            raise
        except Exception as refusal:
            self.outcomes.append(refusal)
            return
        answer = self._take(decision, numbered, submission.traceparent, location)
        self.outcomes.append(answer)
        if mark is not None:
            self.answers[mark.key] = (mark.body, decision.stream, answer)

    def lay_over(self, looked: Looked) -> bool:
        """Put what this batch adds over what was looked up before it, or after it; False if that cannot be told."""
        if self.series.put or self.series.gone:
            return False
        for identity in self.identities.keys() & looked.digests.keys():
            there = self._find(identity)
            if there is None:
                return False
            looked.found[identity] = there
        for key, (body, _, answer) in self.answers.items():
            looked.answers[key] = KeptAnswer(body, answer)
        return True

    def digest(self, identity: Identity) -> bytes:
        return self._looked.digests.get(identity) or identity.digest

    def _kept(self, mark: CommandMark) -> CommandAnswer | None:
        """The answer that the mark has already. Raises :class:`KeyReused` if it was to another body."""
        here = self.answers.get(mark.key)
        kept = KeptAnswer(here[0], here[2]) if here is not None else self._looked.answers.get(mark.key)
        if kept is None:
            return None
        if kept.body != mark.body:
            raise KeyReused
        return replayed(kept.answer)

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
            self.series.neighbours(submission) if submission.neighbours else {},
            self._versions,
            submission.mark,
            self._remembered,
        )

    def _find(self, identity: Identity) -> Found | None:
        here = self._found.get(identity)
        return here() if here is not None else self._looked.found.get(identity)

    def _number(self, submission: Submission, decision: Decision) -> list[NumberedFact]:
        """The decision's facts as they will be stored, with bytes and hash. Nothing is taken over yet."""
        numbered: list[NumberedFact] = []
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
        place = TextPlace(self._folded.workspace, draft.event_id, draft.stream, draft.actor)
        whose = owners(draft.data, place)
        if not whose:
            return draft.data
        for owner in whose:
            if owner in self._folded.shredded or owner in self.shredded:
                raise OwnerShredded(owner)
        if self._keys is None:
            raise NotRecorded("The keys of personal texts cannot be reached; nothing was recorded.")
        missing = [owner for owner in whose if owner not in self._keys]
        if missing:
            self.missing_keys.update(missing)
            return draft.data
        self.sealed_for |= whose
        return seal_fact_data(draft.data, place, self._keys)

    def _take(
        self, decision: Decision, numbered: list[NumberedFact], traceparent: str | None, location: str | None
    ) -> CommandAnswer:
        """Take a decision over into the batch: from here on it is part of what later ones are decided on."""
        epoch, same = self._folded.epoch, decision.same_as
        if same is not None:
            ref = FactRef(same.seq, same.event_id, same.type)
            return CommandAnswer(
                decision.id, same.version, (ref,), Position(epoch, same.seq), False, location
            )
        refs = []
        for fact, draft, stored, leaf in numbered:
            name = fact.type
            self.rows.append((fact, stored, leaf, traceparent))
            self.tips[fact.stream] = (fact.version, leaf)
            self._size += len(stored)
            refs.append(FactRef(fact.seq, fact.event_id, name))
            if name == SHREDDING:
                self.shredded.add(fact.stream)
            if name in self._domain.folded:
                self._domain.evolve(self.world, in_clear(fact, draft))
                self._remembered = {}
        for claim in decision.claims:
            self._claim(claim, *numbered[claim.draft][:2])
        for point in decision.points:
            self.series.take(point, numbered[point.draft][0].seq)
        return CommandAnswer(
            decision.id, self._versions[decision.stream], tuple(refs), self.position, False, location
        )

    def _claim(self, claim: Claim, fact: Fact, draft: Draft) -> None:
        identity, state, subject, seq = claim.identity, claim.state, claim.subject, fact.seq
        if claim.keeps_content:
            before = self.identities.get(identity)
            seq = before[0] if before is not None else 0
            content = self._find(identity)
            if content is not None:
                self._found[identity] = lambda: Found(content.fact, state, subject)
        else:
            self._found[identity] = lambda: Found(in_clear(fact, draft), state, subject)
        self.identities[identity] = (seq, state, subject)


def decide_batch(
    folded: Folded,
    looked: Looked,
    submissions: Sequence[Submission],
    now: datetime,
    keys: TextKeys | None,
    domain: Domain,
) -> Batch:
    """Decide as many of the submissions as the batch takes, at least the first. See the top of this file.

    With ``missing_keys`` the batch is not to be written: the keys are made, then it is decided again. Without ``keys``
    (None: out of reach) commands with personal text are not recorded, the others are.
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
    return fact if fact.data is draft.data else replace(fact, data=draft.data)
