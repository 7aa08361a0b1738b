"""Access as facts: identities linked to people, roles granted, keys issued to people and systems.

A key itself never comes here: only its id and the SHA-256 of the whole string. Who left the organisation or is
shredded signs in no more, neither by identity nor by key; what was linked and granted stays in the record.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import Fact
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.permission import GRANTABLE, Permission
from goal_ledger_contracts.workspace import (
    IdentityLinked,
    IdentityUnlinked,
    KeyIssued,
    KeyRevoked,
    KeyRotated,
    RoleGranted,
    RoleRevoked,
)

from goal_ledger_domain import limits, text
from goal_ledger_domain.command import Meta, draft, need_reason, nothing_new
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.person import person_present, present_person
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.system import Registered, registered
from goal_ledger_domain.target import WORKSPACE
from goal_ledger_domain.workspace import ACCESS, last_effective_at, touch, workspace
from goal_ledger_domain.world import World

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    meta: Meta
    issuer: str
    subject: str
    person: str


@dataclass(frozen=True, slots=True)
class UnlinkIdentity:
    meta: Meta
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class GrantRole:
    """``holder`` is ``person/<id>`` or ``system/<id>``."""

    meta: Meta
    holder: str
    role: str


@dataclass(frozen=True, slots=True)
class RevokeRole:
    meta: Meta
    holder: str
    role: str


@dataclass(frozen=True, slots=True)
class IssueKey:
    meta: Meta
    key: str
    holder: str
    digest: str


@dataclass(frozen=True, slots=True)
class RotateKey:
    """The old key is no longer taken."""

    meta: Meta
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class RevokeKey:
    meta: Meta
    key: str


@dataclass(frozen=True, slots=True)
class Valid:
    holder: str
    digest: str


@dataclass(frozen=True, slots=True)
class Revoked:
    holder: str


Key = Valid | Revoked


def person_of(world: World, issuer: str, subject: str) -> str | None:
    """``person/<id>`` of a token's (issuer, subject); None if it is not linked here, or the person is there no more."""
    linked: str | None = world.get("identity", _identity(issuer, subject))
    return f"person/{linked}" if linked is not None and person_present(world, linked) else None


def holder_of_key(world: World, key_id: str, sha256hex: str) -> str | None:
    """``system/<id>`` or ``person/<id>`` whose key has this digest; None if unknown, rotated away or revoked.

    Keys of a person who left or is shredded are not taken.
    """
    key: Key | None = world.get("key", key_id)
    if not isinstance(key, Valid) or not hmac.compare_digest(key.digest, sha256hex):
        return None
    kind, _, id = key.holder.partition("/")
    return key.holder if kind != "person" or person_present(world, id) else None


def roles(world: World, holder: str) -> frozenset[str]:
    """The roles that the holder has now. A system is an emitter from its registration on."""
    held: frozenset[str] | None = world.get("roles", holder)
    return held or frozenset()


def held_by(world: World, actor: str) -> frozenset[str]:
    """The actor's roles from the facts; those of ``operator`` by its name."""
    return frozenset({"operator"}) if actor == "operator" else roles(world, actor)


def is_admin(world: World, actor: str) -> bool:
    """Whether the actor may what admins may on goals: admins, importers and the operator."""
    return bool(held_by(world, actor) & {"admin", "importer", "operator"})


def admins(world: World) -> set[str]:
    """Who has the role admin and can sign in: with an identity, or with a key. Walks all of access."""
    linked = {f"person/{person}" for _, person in world.all("identity")}
    with_key = {key.holder for _, key in world.all("key") if isinstance(key, Valid)}
    return {one for one in linked | with_key if "admin" in roles(world, one) and _is_there(world, one)}


def _is_there(world: World, holder: str) -> bool:
    kind, _, id = holder.partition("/")
    return person_present(world, id) if kind == "person" else isinstance(world.get("system", id), Registered)


def _identity(issuer: str, subject: str) -> str:
    return f"{len(issuer)}:{issuer}{subject}"


def evolve(world: World, fact: Fact) -> None:
    touch(world, fact, ACCESS)
    match fact.data:
        case IdentityLinked(issuer, subject, person):
            world.put("identity", _identity(issuer, subject), person)
        case IdentityUnlinked(issuer, subject):
            world.put("identity", _identity(issuer, subject), None)
            world.put("unlinked", _identity(issuer, subject), fact.data.person)
        case RoleGranted(holder, role):
            world.put("roles", holder, roles(world, holder) | {role})
        case RoleRevoked(holder, role):
            world.put("roles", holder, roles(world, holder) - {role})
        case KeyIssued(key, holder, digest):
            world.put("key", key, Valid(holder, digest))
        case KeyRotated(key, digest):
            world.put("key", key, Valid(world.get("key", key).holder, digest))
        case KeyRevoked(key):
            world.put("key", key, Revoked(world.get("key", key).holder))


def _record(world: World, meta: Meta, id: str, data: FactData, situation: Situation) -> Decision:
    here = workspace(world)
    return Decision(
        id, here.stream, (draft(meta, situation, here.stream, data, after=last_effective_at(world, ACCESS)),)
    )


def _same(world: World, id: str) -> Decision:
    return nothing_new(id, workspace(world).stream)


def _link(world: World, command: LinkIdentity, situation: Situation) -> Decision:
    issuer = text.exact(command.issuer, "issuer", limits.ISSUER_MAX_CHARACTERS)
    subject = text.exact(command.subject, "subject", limits.ISSUER_MAX_CHARACTERS)
    linked = world.get("identity", _identity(issuer, subject))
    if linked not in (None, command.person):
        raise Refusal("identity_taken", "This identity is linked to another person.", field="subject")
    present_person(world, command.person)
    if linked is not None:
        return _same(world, command.person)
    return _record(
        world, command.meta, command.person, IdentityLinked(issuer, subject, command.person), situation
    )


def _unlink(world: World, command: UnlinkIdentity, situation: Situation) -> Decision:
    name = _identity(command.issuer, command.subject)
    linked: str | None = world.get("identity", name)
    if linked is None:
        before: str | None = world.get("unlinked", name)
        if before is None:
            raise Refusal("unknown_identity", "This identity was never linked here.", field="subject")
        return _same(world, before)
    need_reason(command.meta, "unlinking an identity")
    data = IdentityUnlinked(command.issuer, command.subject, linked)
    return _record(world, command.meta, linked, data, situation)


def _need_holder(world: World, holder: str) -> None:
    kind, id = text.reference(holder, "holder", "person", "system")
    if kind == "person":
        present_person(world, id, "holder")
    else:
        registered(world, id, "holder")


def _grant(world: World, command: GrantRole, situation: Situation) -> Decision:
    text.choice(command.role, "role", GRANTABLE)
    _need_holder(world, command.holder)
    if command.role in roles(world, command.holder):
        return _same(world, command.holder)
    data = RoleGranted(command.holder, command.role)
    return _record(world, command.meta, command.holder, data, situation)


def _revoke_role(world: World, command: RevokeRole, situation: Situation) -> Decision:
    text.choice(command.role, "role", GRANTABLE)
    text.reference(command.holder, "holder", "person", "system")
    if command.role not in roles(world, command.holder):
        return _same(world, command.holder)
    need_reason(command.meta, "revoking a role")
    data = RoleRevoked(command.holder, command.role)
    return _record(world, command.meta, command.holder, data, situation)


def _need_digest(digest: str) -> None:
    if _DIGEST.fullmatch(digest) is None:
        raise Refusal("digest_malformed", "digest is not a SHA-256 in lower-case hex.", field="digest")


def _issue(world: World, command: IssueKey, situation: Situation) -> Decision:
    text.id_of(command.key, "key")
    _need_digest(command.digest)
    present: Key | None = world.get("key", command.key)
    same = Valid(command.holder, command.digest)
    if present not in (None, same):
        raise Refusal("id_taken", f"There is another key {command.key}.", field="key")
    _need_holder(world, command.holder)
    if present is not None:
        return _same(world, command.key)
    data = KeyIssued(command.key, command.holder, command.digest)
    return _record(world, command.meta, command.key, data, situation)


def _rotate(world: World, command: RotateKey, situation: Situation) -> Decision:
    present = _key(world, command.key)
    _need_digest(command.digest)
    if isinstance(present, Revoked):
        raise Refusal("key_revoked", f"The key {command.key} is revoked.", field="key")
    if present.digest == command.digest:
        return _same(world, command.key)
    return _record(world, command.meta, command.key, KeyRotated(command.key, command.digest), situation)


def _revoke_key(world: World, command: RevokeKey, situation: Situation) -> Decision:
    if isinstance(_key(world, command.key), Revoked):
        return _same(world, command.key)
    need_reason(command.meta, "revoking a key")
    return _record(world, command.meta, command.key, KeyRevoked(command.key), situation)


def _key(world: World, id: str) -> Key:
    found: Key | None = world.get("key", id)
    if found is None:
        raise Refusal("unknown_key", f"There is no key {id[:64]}.", field="key")
    return found


DECIDER = Decider(
    commands={
        LinkIdentity: Rule(_link, may=Permission.ACCESS, on=WORKSPACE, shows="person", creates=True),
        UnlinkIdentity: Rule(_unlink, may=Permission.ACCESS, on=WORKSPACE, shows="person", ends_access=True),
        GrantRole: Rule(_grant, may=Permission.ACCESS, on=WORKSPACE, shows="holder"),
        RevokeRole: Rule(_revoke_role, may=Permission.ACCESS, on=WORKSPACE, shows="holder", ends_access=True),
        IssueKey: Rule(_issue, may=Permission.ACCESS, on=WORKSPACE, shows="key", creates=True),
        RotateKey: Rule(_rotate, may=Permission.ACCESS, on=WORKSPACE, shows="key"),
        RevokeKey: Rule(_revoke_key, may=Permission.ACCESS, on=WORKSPACE, shows="key", ends_access=True),
    },
    folds=dict.fromkeys(
        (
            IdentityLinked,
            IdentityUnlinked,
            RoleGranted,
            RoleRevoked,
            KeyIssued,
            KeyRotated,
            KeyRevoked,
        ),
        evolve,
    ),
)
