"""Access: identities linked to people, roles, systems and the keys that systems sign in with."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Maker, Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Holder, Id, NewId, Plain, new_id
from goal_ledger_domain.access import (
    GrantRole,
    IssueKey,
    LinkIdentity,
    RevokeKey,
    RevokeRole,
    RotateKey,
    UnlinkIdentity,
)
from goal_ledger_domain.system import RegisterSystem, RetireSystem
from pydantic import Field

commands = command_routes("access")


class NewSystem(CommandBody):
    id: str = Field(examples=["web-shop"], description="1–40 of a–z 0–9 -; part of the names of its topics")
    name: str = Field(examples=["The web shop"])


class NewIdentity(CommandBody):
    issuer: str = Field(examples=["https://login.example.org"])
    subject: str = Field(description="Opaque; in clear: no place for personal data")
    person: Id


class KnownIdentity(CommandBody):
    issuer: str = Field(examples=["https://login.example.org"])
    subject: str


class RoleOf(CommandBody):
    holder: Holder
    role: str = Field(examples=["contributor"])


class NewKey(CommandBody):
    id: NewId
    holder: Holder


@commands.post("/v1/systems")
@row(creates="/v1/systems/{id}", system="id")
def register_system(meta: Meta, body: NewSystem) -> RegisterSystem:
    """Register a system that emits readings or subscribes; its topics are made."""
    return RegisterSystem(meta, system=body.id, name=body.name)


@commands.post("/v1/systems/{system}/retire")
def retire_system(meta: Meta, system: str, body: Plain = Plain()) -> RetireSystem:
    """Retire a system. Needs a reason."""
    return RetireSystem(meta, system=system)


@commands.post("/v1/identities")
@row(creates="/v1/identities/{id}")
def link_identity(meta: Meta, body: NewIdentity) -> LinkIdentity:
    """Link an identity of the issuer (issuer, subject) to a person."""
    return LinkIdentity(meta, issuer=body.issuer, subject=body.subject, person=body.person)


@commands.post("/v1/identities/unlink")
def unlink_identity(meta: Meta, body: KnownIdentity) -> UnlinkIdentity:
    """Unlink an identity: whoever signs in with it is nobody here from now on. Needs a reason."""
    return UnlinkIdentity(meta, issuer=body.issuer, subject=body.subject)


@commands.post("/v1/roles/grant")
def grant_role(meta: Meta, body: RoleOf) -> GrantRole:
    """Grant a role."""
    return GrantRole(meta, holder=body.holder, role=body.role)


@commands.post("/v1/roles/revoke")
def revoke_role(meta: Meta, body: RoleOf) -> RevokeRole:
    """Revoke a role. Needs a reason."""
    return RevokeRole(meta, holder=body.holder, role=body.role)


@commands.post("/v1/keys-issued")
@row(creates="/v1/keys-issued/{id}", key="id")
def issue_key(meta: Meta, maker: Maker, body: NewKey) -> IssueKey:
    """Issue an API key. The key itself is in the first answer only, as ``key``."""
    key = new_id(body.id)
    return IssueKey(meta, key=key, holder=body.holder, digest=maker.digest_of_new(key))


@commands.post("/v1/keys-issued/{key}/rotate")
def rotate_key(meta: Meta, key: str, maker: Maker, body: Plain = Plain()) -> RotateKey:
    """Replace the secret of a key; the old one stops at once. The new one is in the first answer only."""
    return RotateKey(meta, key=key, digest=maker.digest_of_new(key))


@commands.post("/v1/keys-issued/{key}/revoke")
def revoke_key(meta: Meta, key: str, body: Plain = Plain()) -> RevokeKey:
    """Revoke a key. Needs a reason."""
    return RevokeKey(meta, key=key)
