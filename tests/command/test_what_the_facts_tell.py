"""What the store keeps beside facts follows from the facts: recovery writes the same rows again, of each kind of command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goal_ledger_command.fold import FoldOfGoals
from goal_ledger_command.migrations import migrate
from goal_ledger_command.recovery.appending import append
from goal_ledger_command.recovery.continuing import Continuation, NextFact
from goal_ledger_command.settings import secret_of
from goal_ledger_ledger.folded import Folded
from goal_ledger_ledger.keyring import Keyring
from goal_ledger_ledger.merkle import Frontier
from goal_ledger_ledger.statements import create_head
from goal_ledger_ledger.store import create_engine, raw_connection
from goal_ledger_local.postgres import Postgres

from command.routes import BODIES, address, furnished
from command.service import Organisation, Service
from command.test_readings import batch, event

TABLES = {
    "facts": "seq, stream, version, type, event_id, recorded_at, hash, bytes",
    "heads": "epoch, seq, recorded_at, frontier, root",
    "identities": "key, seq, state, subject",
    "points": "identity, series, at, seq, value",
}
_ANSWERS = """
SELECT key, body, id, stream, version, first_seq, last_seq, epoch, seq, location FROM answers a WHERE workspace = $1
    AND EXISTS (SELECT FROM facts f WHERE f.workspace = a.workspace AND f.seq = a.last_seq
                AND convert_from(f.bytes, 'UTF8')::json #>> '{command,key}' = encode(a.key, 'hex'))
ORDER BY key
"""


async def test_answers_identities_and_points_follow_from_the_facts(
    service: Service, org: Organisation, postgres: Postgres
):
    await _some_of_all(org)
    ledger_url, keys_url = service.settings.ledger_database_url, service.settings.keys_database_url
    again_url = await postgres.create("again")
    await migrate(again_url, await postgres.create("keys"))
    there, again = (
        create_engine(ledger_url, application="tests"),
        create_engine(again_url, application="tests"),
    )
    keys = create_engine(keys_url, application="tests")
    keyring = Keyring(keys, secret_of(service.settings.master_key_file))
    try:
        async with raw_connection(there) as old, raw_connection(again) as new:
            await _append_all(old, new, keyring, org.workspace)
            assert await _kept(new, org.workspace) == await _kept(old, org.workspace)
    finally:
        for engine in (there, again, keys):
            await engine.dispose()


async def _some_of_all(org: Organisation) -> None:
    """Each route's command under a key of its own, and readings: a counter that goes back, released, corrected, retracted."""
    await furnished(org)
    events = [event(f"r{number}", value=value) for number, value in enumerate(("10", "20", "5", "30"))]
    assert (await batch(org, events)).status_code == 200
    named = {"feed": "visitors", "source": "/shop", "reason": "Because"}
    for verb, more in (
        ("release", {"id": "r2"}),
        ("correct", {"id": "r1", "time": "2026-11-01T00:00:00Z", "value": "8"}),
        ("retract", {"id": "r0"}),
    ):
        answer = await org.post(f"/v1/readings/{verb}", named | more, Idempotency_Key=f"reading-{verb}")
        assert answer.is_success, answer.text
    taken = [
        (await org.post(address(path), BODIES[path], Idempotency_Key=f"key-{number}")).is_success
        for number, path in enumerate(BODIES)
    ]
    assert sum(taken) > len(taken) / 2


async def _append_all(old: Any, new: Any, keyring: Keyring, workspace: str) -> None:
    domain = FoldOfGoals()
    folded = Folded(workspace, domain.empty(), 1)
    log = Continuation(workspace, 1, Frontier(), {}, None)
    facts: list[NextFact] = []
    for seq, stored in await old.fetch(
        "SELECT seq, bytes FROM facts WHERE workspace = $1 ORDER BY seq", workspace
    ):
        taken = log.see(seq, stored, None)
        assert taken is not None, (workspace, seq)
        facts.append(taken)
    async with new.transaction():
        await create_head(new, workspace)
        await append(new, keyring, domain, folded, facts)


async def _kept(raw: Any, workspace: str) -> dict[str, Sequence[Any]]:
    kept = {
        table: [
            tuple(row)
            for row in await raw.fetch(
                f"SELECT {columns} FROM {table} WHERE workspace = $1 ORDER BY 1, 2", workspace
            )
        ]
        for table, columns in TABLES.items()
    }
    return kept | {"answers": [tuple(row) for row in await raw.fetch(_ANSWERS, workspace)]}
