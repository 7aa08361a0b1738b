"""What the programs have in common: they run in a copy of the tree, to which something was added."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import goal_ledger_domain
from goal_ledger_command.api import key_results, objectives, units
from goal_ledger_command.api.command_route import CommandRoute
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact, from_bytes, to_bytes
from goal_ledger_contracts.position import Position
from goal_ledger_domain.authorise import authorise_command
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide
from goal_ledger_domain.evolve import evolve
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World
from goal_ledger_projection.read_models.changes import Loaded
from goal_ledger_projection.read_models.fact import FactRead as StoredFact
from goal_ledger_projection.read_models.fold import fold

ROUTERS = (objectives.commands, units.commands, key_results.commands)
COMMANDS = [route.command for one in ROUTERS for route in one.routes if isinstance(route, CommandRoute)]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)

assert Path(goal_ledger_domain.__file__).is_relative_to(sys.argv[1]), "not the copy"


class Record:
    """A workspace's facts, their state, and the definitions that the read side makes of them."""

    def __init__(self) -> None:
        self.world, self.stored = World(), list[bytes]()
        self._versions: dict[str, int] = {}

    def append(self, stream: str, data: Any, actor: str = "operator") -> None:
        version = self._versions.get(stream, 0) + 1
        self._versions[stream] = version
        at = NOW + timedelta(minutes=len(self.stored))
        fact = Fact(
            event_id=f"00000000-0000-7000-8000-{len(self.stored):012}",
            workspace="acme",
            seq=len(self.stored) + 1,
            stream=stream,
            version=version,
            data=data,
            effective_at=at,
            recorded_at=at,
            actor=actor,
            correlation_id="c",
            causation_id="c",
            previous=None if version == 1 else "0" * 64,
        )
        self.stored.append(to_bytes(fact))
        assert from_bytes(self.stored[-1]) == fact
        evolve(self.world, fact)

    def tell(self, path: str, named: dict[str, str], body: dict[str, Any], actor: str) -> Decision:
        """The command at that address, authorised and decided. Raises Refusal."""
        declared = next(one for one in COMMANDS if one.path == path)
        meta = Meta(actor, "c", "c", reason="Because")
        command = declared.make(meta, named, declared.body.model_validate(body), None)
        situation = Situation(NOW + timedelta(days=1), Position(1, len(self.stored)))
        authorise_command(self.world, command, situation)
        decision = decide(self.world, command, situation)
        for draft in decision.drafts:
            self.append(draft.stream, draft.data, actor)
        return decision

    def refused(self, path: str, named: dict[str, str], body: dict[str, Any], actor: str) -> str:
        """The code."""
        try:
            self.tell(path, named, body, actor)
        except Refusal as refusal:
            return refusal.code
        raise AssertionError("it was allowed")

    def definition(self, kind: str, id: str) -> dict[str, Any]:
        """On the read side."""
        facts = [StoredFact("acme", seq, stored) for seq, stored in enumerate(self.stored, 1)]
        return fold(facts, Loaded()).latest["acme", kind, id][1]
