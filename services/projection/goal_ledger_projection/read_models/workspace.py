"""The definitions that facts of the stream `workspace/<id>` make.

workspace (id: the workspace)
    {name, time_zone, created_seq, created_at, restored: [{fork_seq, epoch, seq, at, lost_heads: [{seq, root}]}]}
policy (id: the scope: `workspace`, `unit/<id>`, `objective/<id>`)
    {scope, revision, event_id, policy: {time_zone?, on_track_points?, behind_points?, roll_up?, cadence_weeks?,
    anchor_weekday?, grace_days?, feeds_count_as_word?, max_key_results?, max_active_objectives?}}
    What is not set there is inherited: a unit's objective from the unit, unit from its parent, else workspace.
moment (id: its name)
    {name, at, event_id, retracted: false | true}        take the greatest seq <= K; `effective_at` plays no part
access (id: the holder, `person/<id>` or `system/<id>`)
    {holder, roles: [], identities: [{issuer, subject}]}
identity (id: issuer, a space, subject)
    {issuer, subject, holder?}                           whom a token speaks for; unlinked: nobody
key (id: the key id)
    {key, holder, digest, revoked: false | true}         digest: SHA-256 of the whole key, hex
system (id: the system)
    {system, name, retired: false | true}
withheld (id: the event id of the fact whose text is withheld)
    {pointers: []}                                       every answer reads `[withheld]` there
"""

from __future__ import annotations

from goal_ledger_projection.read_models.defines import Defines, DefinesByType, by_member, by_stream
from goal_ledger_projection.read_models.fact import CannotApply, FactRead, JsonObject


def person_reference(person: str) -> str:
    """`person/<id>`, however the fact writes it."""
    return person if "/" in person else f"person/{person}"


def identity_name(fact: FactRead) -> str:
    return f"{fact.data['issuer']} {fact.data['subject']}"


def workspace(before: JsonObject | None, fact: FactRead) -> JsonObject:
    data = fact.data
    if fact.type == "WorkspaceCreated":
        return {
            "name": data["name"],
            "time_zone": data["time_zone"],
            "created_seq": fact.seq,
            "created_at": fact.effective_at,
            "restored": [],
        }
    restored = {**data, "seq": fact.seq, "at": fact.body["recorded_at"]}
    body = _known(before, fact)
    return {**body, "restored": [*body["restored"], restored]}


def policy(_: JsonObject | None, fact: FactRead) -> JsonObject:
    return {**fact.data, "event_id": fact.event_id}


def moment(before: JsonObject | None, fact: FactRead) -> JsonObject:
    if fact.type == "MomentRetracted":
        return {**_known(before, fact), "event_id": fact.event_id, "retracted": True}
    return {
        "name": fact.data["name"],
        "at": fact.data["at"],
        "event_id": fact.event_id,
        "retracted": False,
    }


def access(before: JsonObject | None, fact: FactRead) -> JsonObject:
    data = fact.data
    if fact.type == "IdentityLinked":
        body = before or _nobody(person_reference(data["person"]))
        return {**body, "identities": [*_identities_without(body, data), _identity(data)]}
    if fact.type == "IdentityUnlinked":
        body = _known(before, fact)
        return {**body, "identities": _identities_without(body, data)}
    body = before or _nobody(data["holder"])
    roles = [role for role in body["roles"] if role != data["role"]]
    return {**body, "roles": [*roles, data["role"]] if fact.type == "RoleGranted" else roles}


def _nobody(holder: str) -> JsonObject:
    return {"holder": holder, "roles": [], "identities": []}


def _identity(data: JsonObject) -> JsonObject:
    return {"issuer": data["issuer"], "subject": data["subject"]}


def _identities_without(body: JsonObject, data: JsonObject) -> list[JsonObject]:
    return [one for one in body["identities"] if one != _identity(data)]


def identity(_: JsonObject | None, fact: FactRead) -> JsonObject:
    linked = fact.type == "IdentityLinked"
    return {**_identity(fact.data), "holder": person_reference(fact.data["person"]) if linked else None}


def key(before: JsonObject | None, fact: FactRead) -> JsonObject:
    if fact.type == "KeyIssued":
        return {**fact.data, "revoked": False}
    body = _known(before, fact)
    return {**body, "revoked": True} if fact.type == "KeyRevoked" else {**body, "digest": fact.data["digest"]}


def system(before: JsonObject | None, fact: FactRead) -> JsonObject:
    if fact.type == "SystemRegistered":
        return {**fact.data, "retired": False}
    return {**_known(before, fact), "retired": True}


def withheld(before: JsonObject | None, fact: FactRead) -> JsonObject:
    pointers = before["pointers"] if before else []
    return {"pointers": [*(p for p in pointers if p != fact.data["pointer"]), fact.data["pointer"]]}


def _known(before: JsonObject | None, fact: FactRead) -> JsonObject:
    if before is None:
        raise CannotApply(fact.seq, f"{fact.type} of what was never made")
    return before


_WORKSPACE = by_stream("workspace", workspace)
_MOMENT = by_member("moment", "name", moment)
_ROLES = by_member("access", "holder", access)
_LINKED = Defines("access", lambda fact: person_reference(fact.data["person"]), access)
_IDENTITY = Defines("identity", identity_name, identity)
_KEY = by_member("key", "key", key)
_SYSTEM = by_member("system", "system", system)

DEFINES: DefinesByType = {
    "WorkspaceCreated": (_WORKSPACE,),
    "StoreRestored": (_WORKSPACE,),
    "PolicySet": (by_member("policy", "scope", policy),),
    "MomentRecorded": (_MOMENT,),
    "MomentCorrected": (_MOMENT,),
    "MomentRetracted": (_MOMENT,),
    "IdentityLinked": (_LINKED, _IDENTITY),
    "IdentityUnlinked": (_LINKED, _IDENTITY),
    "RoleGranted": (_ROLES,),
    "RoleRevoked": (_ROLES,),
    "KeyIssued": (_KEY,),
    "KeyRotated": (_KEY,),
    "KeyRevoked": (_KEY,),
    "SystemRegistered": (_SYSTEM,),
    "SystemRetired": (_SYSTEM,),
    "TextWithheld": (by_member("withheld", "fact", withheld),),
}
