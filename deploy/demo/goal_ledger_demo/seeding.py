"""Load the demo organisation through the public API; a second time every step is answered as the first time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from goal_ledger_client import Answer, GoalLedger
from goal_ledger_contracts.zones import zone
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

from goal_ledger_demo import organisation as org

TOKENS_TTL_S = 30 * 24 * 3600


def start_day(directory: Path) -> date:
    """The day from which the demo counts, noted in the data directory at the first run."""
    noted = directory / "start-day"
    if not noted.exists():
        today = datetime.now(zone(org.TIME_ZONE)).date()
        noted.write_text((today - timedelta(days=org.TODAY)).isoformat())
    return date.fromisoformat(noted.read_text().strip())


def create_workspace(stack: Stack) -> None:
    """The workspace with its first admin, by the operator's command line; once."""
    stack.operator(
        "create-workspace",
        *("--id", org.WORKSPACE, "--name", org.NAME, "--time-zone", org.TIME_ZONE),
        *(
            "--admin-person",
            "kari",
            "--admin-name",
            org.PEOPLE["kari"],
            "--issuer",
            ISSUER,
            "--subject",
            "kari",
        ),
    )


def seed(stack: Stack, start: date, tell: Callable[[int, int], None]) -> Answer:
    """Sends every step; ``tell`` is called with (done, of how many). Returns the last answer."""
    steps = list(org.steps(start))
    described = stack.describe()
    clients = {
        person: GoalLedger(
            described["command_url"], described["query_url"], stack.mint_token(person, org.WORKSPACE)
        )
        for person in org.PEOPLE
    }
    try:
        for number, step in enumerate(steps, 1):
            answer = clients[step.who].command(step.path, complete(step), key=step.key)
            tell(number, len(steps))
    finally:
        for client in clients.values():
            client.close()
    return answer


def complete(step: org.Step) -> dict[str, Any]:
    """The step's body, with the local issuer where one is named."""
    return step.body | {"issuer": ISSUER} if step.path == "/v1/identities" else step.body


def emitter_key(stack: Stack) -> str:
    """The web shop's API key: issued once by the admin, kept beside the other secrets (mode 0600)."""
    kept = stack.directory / "secrets" / "webshop-key"
    if not kept.exists():
        described = stack.describe()
        token = stack.mint_token("kari", org.WORKSPACE)
        with GoalLedger(described["command_url"], described["query_url"], token) as admin:
            answer = admin.command("/v1/keys-issued", {"holder": f"system/{org.SYSTEM}"})
        kept.touch(mode=0o600)
        kept.write_text(json.loads(json.dumps(answer.body))["key"])
    return kept.read_text()


def tokens(stack: Stack) -> dict[str, str]:
    """Ready-made tokens by role."""
    minted = {
        role: stack.mint_token(person, org.WORKSPACE, ttl_s=TOKENS_TTL_S)
        for role, person in org.TOKEN_ROLES.items()
    }
    return minted | {"emitter": emitter_key(stack)}


def sign_ins(stack: Stack) -> list[dict[str, Any]]:
    """Whom one click on the pages signs in: everybody of the demo but the importer."""
    return [
        {
            "person": person,
            "name": name,
            "roles": list(org.ROLES[person]),
            "token": stack.mint_token(person, org.WORKSPACE, ttl_s=TOKENS_TTL_S),
        }
        for person, name in org.PEOPLE.items()
        if person != "importer"
    ]
