"""What four commands need to know of facts that are not folded, read before they are put in line.

A closing learns the score that suggests its grade; a carrying over the last values; a restart of a
counter which readings wait; a withholding whether its
pointer names a personal text. They are rare, and read outside the append; everything else is decided on the folded state alone. So that the score is that of
the very position at which the closing is recorded, it says which versions of which streams it was computed from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from goal_ledger_contracts.envelope import from_bytes
from goal_ledger_contracts.facts import PERSONAL_FIELDS
from goal_ledger_contracts.objective import ObjectiveCarriedOver
from goal_ledger_domain import limits
from goal_ledger_domain.carry_over import CarryOver
from goal_ledger_domain.goal import Active, Archived, Closed
from goal_ledger_domain.lifecycle import SIX_PLACES, CloseObjective
from goal_ledger_domain.restart import InQuarantine, RestartCounter
from goal_ledger_domain.state_table import closing_of
from goal_ledger_domain.workspace import WithholdText
from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.store import raw_connection
from sqlalchemy.ext.asyncio import AsyncEngine

from goal_ledger_command.closings import Closings

_FACT = "SELECT bytes FROM facts WHERE workspace = $1 AND event_id = $2"

_VERSION = "SELECT max(version) FROM facts WHERE workspace = $1 AND stream = $2"

_WAITING = """
WITH judged AS (
    SELECT f.seq, r.source, r.id
    FROM facts f CROSS JOIN LATERAL json_to_record(convert_from(f.bytes, 'UTF8')::json->'data')
         AS r (source text, id text)
    WHERE f.workspace = $1 AND f.stream = $2 AND f.type IN ('ReadingReleased', 'ReadingRejected')
)
SELECT r.source, r.id, r.time
FROM facts f CROSS JOIN LATERAL json_to_record(convert_from(f.bytes, 'UTF8')::json->'data')
     AS r (source text, id text, time timestamptz, why text)
WHERE f.workspace = $1 AND f.stream = $2 AND f.type = 'ReadingQuarantined' AND r.why = 'counter_backwards'
  AND r.time >= $3
  AND NOT EXISTS (SELECT FROM judged j WHERE j.source = r.source AND j.id = r.id AND j.seq > f.seq)
ORDER BY r.time, f.seq
LIMIT $4
"""

_CARRIED = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = $2 AND type = 'ObjectiveCarriedOver' ORDER BY version DESC LIMIT 1
"""

_CLOSING = """
SELECT bytes FROM facts WHERE workspace = $1 AND stream = $2 AND type = 'ObjectiveClosed' ORDER BY version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``problem``: why the command is refused, once it is authorised. ``seen``: the versions of the streams that what
    was added depends on."""

    command: Any
    problem: Problem | None = None
    seen: Mapping[str, int] = field(default_factory=dict)

    def need_unmoved(self, versions: Mapping[str, int]) -> None:
        """Raises StreamsChanged if one of these streams has another version by now."""
        if any(versions.get(stream, 0) != version for stream, version in self.seen.items()):
            raise StreamsChanged


class StreamsChanged(Exception):
    """Prepare the command again: there are newer facts."""


Look = Callable[[str], Awaitable[object]]
"""Brings the fold of a workspace up to its head."""


class Preparing:
    """Completes commands. Reads the ledger's store."""

    def __init__(self, engine: AsyncEngine, ledger: Ledger) -> None:
        self._engine, self._ledger = engine, ledger

    async def prepared(self, workspace: str, command: Any, look: Look) -> Prepared:
        """The command, with what it lacked."""
        try:
            match command:
                case CloseObjective(suggested=None) if not _is_of_the_past(command):
                    return await self._suggested(workspace, command, look)
                case CarryOver(baseline="last"):
                    return await self._last_values(workspace, command, look)
                case RestartCounter():
                    return await self._waiting(workspace, command)
                case WithholdText():
                    await self._need_text(workspace, command)
        except Problem as problem:
            return Prepared(command, problem)
        return Prepared(command)

    async def _suggested(self, workspace: str, command: CloseObjective, look: Look) -> Prepared:
        """With the score as the grade that is suggested; without one if nothing is measured.

        Of a goal that is closed: with what was suggested then, so that the same closing again is the same.
        """
        await look(workspace)
        world, _ = await self._ledger.read(workspace)
        match world.get("objective", command.objective):
            case Active():
                at = command.meta.effective_at
                past = None if at is None or at >= datetime.now(UTC) else at
                closings = Closings(workspace, world, self._engine)
                score = await closings.score(command.objective, past)
                suggested = None if score is None else score.quantize(SIX_PLACES)
                return Prepared(replace(command, suggested=suggested), seen=closings.seen)
            case Closed() | Archived():
                suggested = await self._suggested_before(workspace, command.objective)
                return Prepared(replace(command, suggested=suggested))
        return Prepared(command)

    async def _suggested_before(self, workspace: str, objective: str) -> Decimal | None:
        async with raw_connection(self._engine) as raw:
            row = await raw.fetchrow(_CLOSING, workspace, f"objective/{objective}")
        suggested: Decimal | None = None if row is None else from_bytes(row[0]).data.suggested
        return suggested

    async def _last_values(self, workspace: str, command: CarryOver, look: Look) -> Prepared:
        """With the values that its baselines may become: those in force now, or when the goal was closed."""
        await look(workspace)
        world, _ = await self._ledger.read(workspace)
        state = world.get("objective", command.objective)
        if state is None or state.goal.carried_into is not None:
            return Prepared(command)
        closings = Closings(workspace, world, self._engine)
        values = await closings.last_values(command.objective, closing_of(state))
        return Prepared(replace(command, last_values=tuple(values)), seen=closings.seen)

    async def carried(self, workspace: str, objective: str) -> ObjectiveCarriedOver | None:
        """The one carrying over of an objective, from the record."""
        async with raw_connection(self._engine) as raw:
            row = await raw.fetchrow(_CARRIED, workspace, f"objective/{objective}")
        carried: ObjectiveCarriedOver | None = None if row is None else from_bytes(row[0]).data
        return carried

    async def _waiting(self, workspace: str, command: RestartCounter) -> Prepared:
        """With the readings that wait because their counter went backwards, from the restart on."""
        stream = f"feed/{command.feed}"
        async with raw_connection(self._engine) as raw:
            version = await raw.fetchval(_VERSION, workspace, stream)
            rows = await raw.fetch(_WAITING, workspace, stream, command.at, limits.JUDGED_AGAIN_MAX_ITEMS)
        waiting = tuple(InQuarantine(row["source"], row["id"], row["time"]) for row in rows)
        return Prepared(replace(command, waiting=waiting), seen={stream: version or 0})

    async def _need_text(self, workspace: str, command: WithholdText) -> None:
        """Problem 404 ``unknown_fact``, 422 ``no_personal_text``. A malformed id is the decider's to refuse."""
        try:
            event_id = UUID(command.fact)
        except ValueError:
            return
        async with raw_connection(self._engine) as raw:
            row = await raw.fetchrow(_FACT, workspace, event_id)
        if row is None:
            raise Problem(404, "unknown_fact", "There is no such fact in this workspace.", field="/fact")
        data = from_bytes(row[0]).data
        if command.pointer not in _pointers(data):
            raise Problem(
                422,
                "no_personal_text",
                f"The pointer names no personal text of this {type(data).__name__}.",
                field="/pointer",
            )


def _is_of_the_past(command: CloseObjective) -> bool:
    """An importer's, with the grade that was given then."""
    meta = command.meta
    return meta.importing and meta.effective_at is not None and command.grade is not None


def _pointers(data: Any) -> set[str]:
    """JSON pointers of the personal texts that the data holds."""
    found: set[str] = set()
    for name, _ in PERSONAL_FIELDS[type(data)]:
        value = getattr(data, name)
        if isinstance(value, tuple):
            found |= {f"/{name}/{number}" for number in range(len(value))}
        elif value is not None:
            found.add(f"/{name}")
    return found
