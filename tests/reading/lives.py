"""Random lives to be judged: those of ``history.lives``, and the same as they are imported, with times in the past."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.measures import Increase, Window
from goal_ledger_contracts.objective import KeyResultAdded, PartBound
from goal_ledger_contracts.workspace import IdentityLinked, PolicySet, RoleGranted
from goal_ledger_projection.folding.records import Record
from history.lives import BEGUN, KINDS, Goal, Life
from projection.query.conftest import Reading
from projection.query.story import ISSUER

TRIES = 5
"""A machine with much else to do may answer 503: ask again."""


class Told(Life):
    """A life that Ada may ask about. Every second one is slow: it sees clocks change and cycles end. Every third one is
    imported in part: its definitions took effect in the past, yet never before what their stream, or their policy's
    scope, held before (SPEC 3 "Backdating")."""

    def __init__(self, seed: int, facts: int = 64) -> None:
        self._reached: dict[str, datetime] = {}
        super().__init__(seed, facts)

    def tell(self, stream: str, data: FactData, at: datetime | None = None, **more: Any) -> None:
        """One fact more."""
        if self.seed % 2 and self.random.random() < 0.3:
            self.now += timedelta(days=self.random.randint(1, 9))
        self.now += timedelta(microseconds=self.random.choice((0, 1)))
        imported = at is None and self.seed % 3 == 0 and not _slots_in(data)
        if imported:
            at = self._in_the_past(_line(stream, data))
        super().tell(stream, data, at, **more)
        if imported:
            self._reached[_line(stream, data)] = self.facts[-1].effective_at

    def _in_the_past(self, line: str) -> datetime | None:
        since = self._reached.get(line, BEGUN)
        return since + (self.now - since) * self.random.choice((0, 0.5, 0.9, 1, 1))

    def _begin(self) -> None:
        super()._begin()
        stream = f"workspace/{self.workspace}"
        super().tell(stream, IdentityLinked(ISSUER, "sub-ada", "ada"))
        super().tell(stream, RoleGranted("person/ada", "analyst"))
        for source in self.feeds:
            self._feed_one(self.goals[0], source)

    def _feed_one(self, goal: Goal, source: str) -> None:
        """A key result fed from the start, so that what befalls a feed is seen in a score."""
        id, how = f"{goal.id}-{source}", self.random.choice(KINDS[self.feeds[source]])
        goal.key_results[id] = Increase(
            Decimal(40), Decimal(0), window=self.random.choice((None, Window(BEGUN)))
        )
        goal.bound[id, "value"] = source
        stream = f"objective/{goal.id}"
        self.tell(stream, KeyResultAdded(id, id, goal.key_results[id]))
        self.tell(stream, PartBound(id, "value", source, how))

    async def fold(self, reading: Reading) -> None:
        """By the worker's own code."""
        await reading.applier.apply(
            [Record(self.workspace, 1, seq, one, vouched=True) for seq, one in enumerate(self.stored, 1)]
        )

    def questions(self, many: int) -> Iterator[tuple[datetime, int]]:
        """At the end, and at random moments as known at random moments."""
        yield self.now, len(self.facts)
        for _ in range(many):
            asked = self.asked()
            yield asked.true_at, max(asked.known_to, 1)

    async def ask(self, reading: Reading, path: str, clocks: dict[str, str]) -> dict[str, Any]:
        """As Ada."""
        token = reading.issuer.token(self.workspace, "sub-ada")
        for _ in range(TRIES):
            answer = await reading.client.get(
                path, params=clocks, headers={"Authorization": f"Bearer {token}"}
            )
            if answer.status_code != 503:
                break
            await asyncio.sleep(1)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def _slots_in(data: FactData) -> bool:
    """What has a time of its own, or one that nobody asks about."""
    name = type(data).__name__
    return name.startswith(("CheckIn", "Reading", "Counter", "Moment", "WorkspaceCreated"))


def _line(stream: str, data: FactData) -> str:
    """Within what times never go back."""
    return f"{stream} {data.scope}" if isinstance(data, PolicySet) else stream
