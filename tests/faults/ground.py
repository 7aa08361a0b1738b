"""A workspace to work in while parts are killed: an admin, active goals, a system with its feeds and inbox."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from goal_ledger_client import Answer, GoalLedger
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

ADMIN = "ada"
SYSTEM = "shop"
SALES, STOCK = "shop.sales", "shop.stock"
MEASURE = {"kind": "increase", "baseline": "0", "target": "1000000", "unit": "pieces"}


@dataclass(frozen=True, slots=True)
class Ground:
    """One workspace of a running stack. `key_results` are unfed; `emitter_key` is the system's API key."""

    stack: Stack
    workspace: str
    token: str
    key_results: tuple[str, ...]
    emitter_key: str

    @property
    def inbox(self) -> str:
        return f"progress.readings.{self.workspace}.{SYSTEM}"

    @property
    def receipts(self) -> str:
        return f"progress.receipts.{self.workspace}.{SYSTEM}"

    @property
    def rejected(self) -> str:
        return f"progress.rejected.{self.workspace}.{SYSTEM}"

    @property
    def command_url(self) -> str:
        return self.stack.services["command"].urls[0]

    @property
    def query_url(self) -> str:
        return self.stack.services["query"].urls[0]

    @property
    def kafka(self) -> str:
        return self.stack.kafka.bootstrap

    def client(self, token: str | None = None) -> GoalLedger:
        """A client that repeats by itself what could not be learnt."""
        return GoalLedger(self.command_url, self.query_url, token or self.token)

    def do(self, *steps: tuple[str, dict[str, Any]]) -> Answer:
        """Commands of the admin, one after another; the last answer. Raises Problem."""
        with self.client() as admin:
            return [admin.command(path, body) for path, body in steps][-1]


def break_ground(stack: Stack, prefix: str, *, goals: int = 2) -> Ground:
    """A fresh workspace `<prefix>-<random>`; blocks until it is there."""
    workspace = f"{prefix}-{secrets.token_hex(3)}"
    stack.operator(
        "create-workspace",
        *("--id", workspace, "--name", "Fault Works", "--time-zone", "Europe/Oslo"),
        *("--admin-person", ADMIN, "--admin-name", "Ada Berg", "--issuer", ISSUER, "--subject", ADMIN),
    )
    token = stack.mint_token(ADMIN, workspace)
    ground = Ground(stack, workspace, token, tuple(f"result-{n}" for n in range(goals)), "")
    ground.do(*_access(), *_goals(goals))
    with ground.client() as admin:
        issued = admin.command("/v1/keys-issued", {"holder": f"system/{SYSTEM}"})
    assert issued.body is not None
    return Ground(stack, workspace, token, ground.key_results, str(issued.body["key"]))


def _access() -> Sequence[tuple[str, dict[str, Any]]]:
    feeds = ((SALES, "event_count", "pieces"), (STOCK, "gauge", "pieces"))
    return (
        *(
            ("/v1/roles/grant", {"holder": f"person/{ADMIN}", "role": role})
            for role in ("auditor", "analyst")
        ),
        ("/v1/systems", {"id": SYSTEM, "name": "The shop"}),
        ("/v1/roles/grant", {"holder": f"system/{SYSTEM}", "role": "emitter"}),
        *(("/v1/feeds", {"name": n, "system": SYSTEM, "kind": kind, "unit": u}) for n, kind, u in feeds),
    )


def _goals(goals: int) -> list[tuple[str, dict[str, Any]]]:
    steps: list[tuple[str, dict[str, Any]]] = []
    for number in range(goals):
        goal = f"goal-{number}"
        steps += [
            ("/v1/objectives", {"id": goal, "title": f"Goal {number}", "owner": f"person/{ADMIN}"}),
            (
                f"/v1/objectives/{goal}/key-results",
                {"id": f"result-{number}", "text": "Many pieces", "measure": MEASURE},
            ),
            (f"/v1/objectives/{goal}/activate", {}),
        ]
    return steps


Say = Callable[[str], None]
