"""Systems, roles and API keys: who may do what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from goal_ledger_client.cli.session import AsJson, AsOf, KnownAt, out, query, send, without_none
from goal_ledger_client.cli.showing import table

system = typer.Typer(help="Systems that emit or subscribe: register, retire.", no_args_is_help=True)
role = typer.Typer(help="Roles: grant, revoke.", no_args_is_help=True)
key = typer.Typer(help="API keys: issue, rotate, revoke.", no_args_is_help=True)

Holder = Annotated[str, typer.Argument(help="person/<id> or system/<id>")]
Role = Annotated[str, typer.Argument(help="emitter, contributor, owner, admin, importer, analyst or auditor")]
KeyId = Annotated[str, typer.Argument(help="Id of the key")]
Why = Annotated[str, typer.Option("--reason", help="Why")]


@system.command("list")
def systems(
    context: typer.Context, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False
) -> None:
    """The systems and their feeds.

    Example: goal-ledger system list
    """
    query(context, "/v1/systems", _tell_systems, as_json, as_of=as_of, known_at=known_at)


def _tell_systems(body: dict[str, Any]) -> None:
    rows = [[one[name] for name in ("id", "name", "feeds", "retired")] for one in body["items"]]
    out.print(table("System", "Name", "Feeds", "Retired", rows=rows))


@system.command("register")
def register_system(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="1–40 of a–z 0–9 -; part of its topics' names")],
    name: Annotated[str, typer.Argument(help="What people call it")],
    as_json: AsJson = False,
) -> None:
    """Register a system: its topics are made, it is an emitter.

    Example: goal-ledger system register till "The tills"
    """
    send(context, "/v1/systems", {"id": id, "name": name}, "system", as_json)


@system.command("retire")
def retire_system(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="Id of the system")],
    reason: Why,
    as_json: AsJson = False,
) -> None:
    """Retire a system: it signs in no more, its readings are refused.

    Example: goal-ledger system retire till --reason "Sold"
    """
    send(context, f"/v1/systems/{id}/retire", {"reason": reason}, "retired:", as_json)


@role.command("list")
def roles(
    context: typer.Context, as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False
) -> None:
    """Who has which roles.

    Example: goal-ledger role list
    """
    query(context, "/v1/roles", _tell_roles, as_json, as_of=as_of, known_at=known_at)


def _tell_roles(body: dict[str, Any]) -> None:
    out.print(table("Holder", "Roles", rows=[[one["holder"], one["roles"]] for one in body["items"]]))


@role.command("grant")
def grant(context: typer.Context, holder: Holder, role: Role, as_json: AsJson = False) -> None:
    """Grant a role.

    Example: goal-ledger role grant person/bo contributor
    """
    send(context, "/v1/roles/grant", {"holder": holder, "role": role}, f"{role}:", as_json)


@role.command("revoke")
def revoke(context: typer.Context, holder: Holder, role: Role, reason: Why, as_json: AsJson = False) -> None:
    """Revoke a role.

    Example: goal-ledger role revoke person/bo contributor --reason "Another team"
    """
    body = {"holder": holder, "role": role, "reason": reason}
    send(context, "/v1/roles/revoke", body, f"no longer {role}:", as_json)


@key.command("list")
def keys(
    context: typer.Context,
    holder: Annotated[str | None, typer.Option(help="person/<id> or system/<id>")] = None,
    as_json: AsJson = False,
) -> None:
    """The API keys, without what is secret in them.

    Example: goal-ledger key list
    """
    query(context, "/v1/keys-issued", _tell_keys, as_json, holder=holder)


def _tell_keys(body: dict[str, Any]) -> None:
    rows = [[one[name] for name in ("id", "holder", "revoked")] for one in body["items"]]
    out.print(table("Key", "Holder", "Revoked", rows=rows))


@key.command("issue")
def issue(
    context: typer.Context,
    holder: Holder,
    id: Annotated[str | None, typer.Option(help="Chosen by you, else one is made")] = None,
    as_json: AsJson = False,
) -> None:
    """Issue an API key. It is shown here and never again.

    Example: goal-ledger key issue system/till --id till-2027
    """
    send(context, "/v1/keys-issued", without_none(id=id, holder=holder), "key", as_json)


@key.command("rotate")
def rotate(context: typer.Context, id: KeyId, as_json: AsJson = False) -> None:
    """Replace a key; the old one stops at once. The new one is shown here and never again.

    Example: goal-ledger key rotate till-2027
    """
    send(context, f"/v1/keys-issued/{id}/rotate", {}, "key", as_json)


@key.command("revoke")
def revoke_key(context: typer.Context, id: KeyId, reason: Why, as_json: AsJson = False) -> None:
    """Revoke a key.

    Example: goal-ledger key revoke till-2027 --reason "Found in a log"
    """
    send(context, f"/v1/keys-issued/{id}/revoke", {"reason": reason}, "key revoked:", as_json)


def register(app: typer.Typer) -> None:
    app.add_typer(system, name="system")
    app.add_typer(role, name="role")
    app.add_typer(key, name="key")
