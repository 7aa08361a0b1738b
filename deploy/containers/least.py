"""What each container can read, write, reach and open, asked from inside it: no more than it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from goal_ledger_local.handing_out import SERVERS
from goal_ledger_local.logins import PARTS

from containers.engine import Engine, expect

REACHES = {
    "command": ["postgres", "postgres-keys", "kafka"],
    "relay": ["postgres", "kafka"],
    "worker": ["postgres-read", "kafka"],
    "changed": ["postgres-read", "kafka"],
    "query": ["postgres-read"],
    "reconciler": ["postgres-read", "kafka"],
    "migrate-command": ["postgres", "postgres-keys"],
    "migrate-projection": ["postgres-read", "kafka"],
}
CHANGES_NOTHING = ("query", "reconciler")


def see_least_privilege(engine: Engine) -> None:
    """Says what each has, and expects that it is what it needs. Raises Failed."""
    print("what each container has, asked from inside:", flush=True)
    for part in REACHES:
        _see_machine(part, json.loads(engine.ask_inside(part, "machine.py")))
        _see_databases(part, json.loads(engine.ask_inside(part, "databases.py")))
    for server in SERVERS:
        _see_server(engine, server, 999, sorted(_secrets_of_server(server)))
    _see_server(engine, "kafka", 1000, [])
    _see_server(engine, "gateway", 101, [])
    published = [name for name in engine.names() if engine.podman("port", name).strip()]
    expect(published == [engine.name("gateway")], "only the gateway has a port outside", published)


def _secrets_of_server(server: str) -> set[str]:
    return {"superuser"} | {one.role for of in PARTS.values() for one in of.logins if one.host == server}


def _see_machine(part: str, found: Mapping[str, Any]) -> None:
    secrets = sorted(("pgpass", *PARTS[part].files))
    plain = {"user": 10001, "capabilities": 0, "writes": [], "told_secrets": [], "leads_out": False}
    expect(plain.items() <= found.items(), f"{part}: a user without rights, writes in /tmp alone", found)
    expect(found["secrets"] == secrets, f"{part}: reads {', '.join(secrets)}", found)
    expect(found["reaches"] == REACHES[part], f"{part}: reaches {', '.join(found['reaches'])}", found)


def _see_databases(part: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    owns = part.startswith("migrate-")
    for database, of in found.items():
        role = f"{database}_owner" if owns else part
        held = (of["role"], of["more_than_plain"], of["makes_tables"], of["enters"])
        expect(held == (role, False, owns, [database]), f"{part}: enters {database} as {role}, no other", of)
        if not owns:
            _see_tables(f"{part} in {database}", of)


def _see_tables(where: str, of: Mapping[str, Any]) -> None:
    changes = of["changes"]
    named = f"; changes {len(changes)} of them" if changes else "; changes nothing"
    holds = "public.facts" not in changes and not (
        where.startswith(CHANGES_NOTHING) and (changes or of["adds"])
    )
    told = f"{where}: reads {len(of['reads'])} of {of['of']} tables, adds to {len(of['adds'])}"
    expect(holds, told + named, of)


def _see_server(engine: Engine, server: str, user: int, secrets: list[str]) -> None:
    asked = "id -u; grep CapEff /proc/self/status; ls /secrets 2> /dev/null || true"
    found = engine.exec(server, "sh", "-c", asked).split()
    held = f"reads {', '.join(secrets)}" if secrets else "no secrets"
    wanted = [str(user), "CapEff:", "0" * 16, *secrets]
    expect(found == wanted, f"{server}: user {user} without rights, {held}", found)
