"""A small domain for the ledger's tests: units that are counted, names, check-ins, counter readings.

It speaks the language of ``contracts.decision`` as the real deciders do, with the real fact classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from goal_ledger_contracts.decision import ENDED, Claim, Decision, Draft, Identity, Point, Situation
from goal_ledger_contracts.envelope import CommandMark, Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.feed import ReadingRecorded, ReadingRetracted
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.objective import CheckInRecorded, CheckInRetracted
from goal_ledger_contracts.person import PersonAdded, PersonShredded
from goal_ledger_contracts.unit import UnitCreated, UnitRenamed
from goal_ledger_contracts.workspace import WorkspaceCreated
from goal_ledger_domain.world import World
from goal_ledger_ledger.submission import Submission

KARI = "person/kari"


class Refused(Exception):
    """The tiny domain's refusal."""


class TinyDomain:
    fold_version = "tiny-1"
    folded = frozenset({"WorkspaceCreated", "UnitCreated", "UnitRenamed", "PersonAdded", "PersonShredded"})

    def empty(self) -> World:
        return World()

    def evolve(self, world: World, fact: Fact) -> None:
        match fact.data:
            case UnitCreated(name) | UnitRenamed(name):
                world.put("unit", fact.stream_id, name)
            case PersonAdded(name):
                world.put("person", fact.stream_id, name)
            case PersonShredded():
                world.put("person", fact.stream_id, "gone")
            case WorkspaceCreated(name):
                world.put("workspace", "", name)


def draft(situation: Situation, stream: str, data: FactData, actor: str = KARI) -> Draft:
    return Draft(stream, data, uuid7(), situation.now, actor, "correlation", "causation")


@dataclass(frozen=True)
class Commands:
    """Submissions for one workspace."""

    workspace: str

    def create(self) -> Submission:
        stream = f"workspace/{self.workspace}"

        def decide(world: World, situation: Situation) -> Decision:
            if world.get("workspace", "") is not None:
                raise Refused("exists")
            return Decision(
                self.workspace, stream, (draft(situation, stream, WorkspaceCreated("W", "Europe/Oslo")),)
            )

        return Submission(self.workspace, decide, creates_workspace=True)

    def unit(
        self, id: str, name: str = "Unit", *, key: str | None = None, body: str = "", once: bool = True
    ) -> Submission:
        """Create a unit; refused if it is there (``once``), else renamed, or nothing new under the same name."""
        stream = f"unit/{id}"

        def decide(world: World, situation: Situation) -> Decision:
            there = world.get("unit", id)
            if there is not None and once:
                raise Refused(id)
            if there == name:
                return Decision(id, stream)
            data = UnitCreated(name) if there is None else UnitRenamed(name)
            return Decision(id, stream, (draft(situation, stream, data),))

        return self._submission(
            decide, mark=mark(key, body), location=lambda decision: f"/units/{decision.id}"
        )

    def add_to(self, id: str, limit: int | None = None) -> Submission:
        """Rename the unit to its number plus one: what a lost update would lose."""
        stream = f"unit/{id}"

        def decide(world: World, situation: Situation) -> Decision:
            number = int(world.get("unit", id) or "0")
            if limit is not None and number >= limit:
                raise Refused("limit")
            assert situation.versions[stream] == number
            data = UnitRenamed(str(number + 1)) if number else UnitCreated("1")
            return Decision(id, stream, (draft(situation, stream, data),))

        return self._submission(decide)

    def person(self, id: str, name: str) -> Submission:
        stream = f"person/{id}"
        return self._submission(
            lambda world, situation: Decision(
                id, stream, (draft(situation, stream, PersonAdded(name), "operator"),)
            )
        )

    def shred(self, id: str) -> Submission:
        stream = f"person/{id}"

        def decide(world: World, situation: Situation) -> Decision:
            if world.get("person", id) == "gone":
                return Decision(id, stream)
            return Decision(id, stream, (draft(situation, stream, PersonShredded(), "operator"),))

        return self._submission(decide)

    def check_in(
        self, id: str, note: str | None = None, *, actor: str = KARI, key: str | None = None
    ) -> Submission:
        identity, stream = Identity("check-in", (id,)), "objective/o"

        def decide(world: World, situation: Situation) -> Decision:
            there = situation.found.get(identity)
            if there is None:
                made = draft(situation, stream, CheckInRecorded(id, note=note), actor)
                return Decision(id, stream, (made,), claims=(Claim(identity, 0, "o"),))
            if there.fact.data.note != note:
                raise Refused("id_taken")
            return Decision(id, stream, same_as=there.fact)

        return self._submission(decide, lookups=(identity,), mark=mark(key))

    def retract(self, id: str) -> Submission:
        identity, stream = Identity("check-in", (id,)), "objective/o"

        def decide(world: World, situation: Situation) -> Decision:
            there = situation.found.get(identity)
            if there is None or there.state == ENDED:
                raise Refused("check_in_unknown")
            made = draft(situation, stream, CheckInRetracted(id))
            claim = Claim(identity, 0, there.subject, ENDED, keeps_content=True)
            return Decision(id, stream, (made,), claims=(claim,))

        return self._submission(decide, lookups=(identity,))

    def reading(self, id: str, minute: int, value: int, seen: list[object] | None = None) -> Submission:
        """A counter's reading: refused below its neighbour before it or above the one after it."""
        identity, stream = Identity("reading", ("shop", id)), "feed/visitors"
        at = datetime(2026, 1, 1, minute // 60, minute % 60, tzinfo=UTC)

        def decide(world: World, situation: Situation) -> Decision:
            there = situation.found.get(identity)
            if there is not None:
                return Decision(id, stream, same_as=there.fact)
            near = situation.neighbours[stream, at]
            if seen is not None:
                seen.append((near.before, near.after))
            if (near.before or 0) > value or (near.after is not None and near.after < value):
                raise Refused("counter_backwards")
            made = draft(
                situation, stream, ReadingRecorded("shop", id, at, Decimal(value), "absolute"), "system/shop"
            )
            point = Point(stream, at, Decimal(value), 0, identity)
            return Decision(id, stream, (made,), claims=(Claim(identity, 0, stream),), points=(point,))

        return self._submission(decide, lookups=(identity,), neighbours=((stream, at),))

    def retract_reading(self, id: str) -> Submission:
        identity, stream = Identity("reading", ("shop", id)), "feed/visitors"

        def decide(world: World, situation: Situation) -> Decision:
            there = situation.found[identity]
            made = draft(situation, stream, ReadingRetracted("shop", id))
            gone = Point(stream, there.fact.data.time, there.fact.data.value, 0, identity, gone=True)
            claim = Claim(identity, 0, there.subject, ENDED, keeps_content=True)
            return Decision(id, stream, (made,), claims=(claim,), points=(gone,))

        return self._submission(decide, lookups=(identity,))

    def _submission(self, decide: Callable[[World, Situation], Decision], **more: object) -> Submission:
        return Submission(self.workspace, decide, **more)  # type: ignore[arg-type]


def mark(key: str | None, body: str = "") -> CommandMark | None:
    """A mark such as the shell makes: 64 hex digits each."""
    if key is None:
        return None
    return CommandMark(key.encode().hex().ljust(64, "0"), body.encode().hex().ljust(64, "0"))
