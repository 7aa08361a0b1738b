"""Who may do what (SPEC 11), as one table: roles across, permissions down, and what each role must be to the target.

Which permission a command needs stands in its row, which one a read or a question needs in the signature of its route.
Each service asks the table about what it has folded: the command side with the target, the read side without.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

GRANTABLE = ("emitter", "contributor", "owner", "admin", "importer", "analyst", "auditor")
"""Roles that are facts. *service* comes with the token's key set, *operator* with the operator's command line."""
ROLES = (*GRANTABLE, "service", "operator")


class Relation(Enum):
    """What the actor must be to the target."""

    ANY = "any"
    OWN_FEED = "a feed of its own"
    WORKS_ON = "a goal it owns, contributes to, or of a unit it is in (sub-units too)"
    OWNS = "a goal owned by itself or by a unit it leads (sub-units too)"
    WORKS_ON_OR_OWNS = "either of these"


class Permission(Enum):
    CREATE_WORKSPACE = "workspace.create"
    SHRED = "person.shred"
    ACCESS = "access.change"
    ORGANISE = "organisation.change"
    DEFINE_GOAL = "goal.define"
    CHECK_IN = "goal.check-in"
    TAKE_READING = "reading.take"
    JUDGE_READING = "reading.judge"
    IMPORT = "rows.import"
    READ_RECEIPTS = "receipts.read"
    READ_FEEDS = "feeds.read"
    READ_GOALS = "goals.read"
    READ_FACTS = "facts.read"
    EXPORT = "exports.read"
    READ_LOG = "log.read"
    READ_TEXT_KEYS = "keys.read"


_ANY, _FEED = Relation.ANY, Relation.OWN_FEED
_WORKS, _OWNS, _EITHER = Relation.WORKS_ON, Relation.OWNS, Relation.WORKS_ON_OR_OWNS
_NO = None

# fmt: off
_ROWS: dict[Permission, tuple[Relation | None, ...]] = {
    #                            emitter contributor owner    admin importer analyst auditor service operator
    Permission.CREATE_WORKSPACE: (_NO,   _NO,        _NO,     _NO,  _NO,     _NO,    _NO,    _NO,    _ANY),
    Permission.SHRED:            (_NO,   _NO,        _NO,     _ANY, _NO,     _NO,    _NO,    _NO,    _ANY),
    Permission.ACCESS:           (_NO,   _NO,        _NO,     _ANY, _NO,     _NO,    _NO,    _NO,    _ANY),
    Permission.ORGANISE:         (_NO,   _NO,        _NO,     _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.DEFINE_GOAL:      (_NO,   _NO,        _OWNS,   _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.CHECK_IN:         (_NO,   _WORKS,     _EITHER, _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.TAKE_READING:     (_FEED, _NO,        _NO,     _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.JUDGE_READING:    (_NO,   _NO,        _NO,     _ANY, _ANY,    _NO,    _NO,    _NO,    _ANY),
    Permission.IMPORT:           (_NO,   _NO,        _NO,     _NO,  _ANY,    _NO,    _NO,    _NO,    _NO),
    Permission.READ_RECEIPTS:    (_FEED, _NO,        _NO,     _ANY, _ANY,    _NO,    _ANY,   _NO,    _ANY),
    Permission.READ_FEEDS:       (_FEED, _ANY,       _ANY,    _ANY, _ANY,    _ANY,   _ANY,   _NO,    _ANY),
    Permission.READ_GOALS:       (_NO,   _ANY,       _ANY,    _ANY, _ANY,    _ANY,   _ANY,   _NO,    _ANY),
    Permission.READ_FACTS:       (_NO,   _NO,        _NO,     _ANY, _NO,     _ANY,   _ANY,   _NO,    _ANY),
    Permission.EXPORT:           (_NO,   _NO,        _NO,     _NO,  _NO,     _ANY,   _ANY,   _NO,    _ANY),
    Permission.READ_LOG:         (_NO,   _NO,        _NO,     _NO,  _NO,     _NO,    _ANY,   _ANY,   _ANY),
    Permission.READ_TEXT_KEYS:   (_NO,   _NO,        _NO,     _NO,  _NO,     _NO,    _NO,    _ANY,   _NO),
}
# fmt: on

TABLE: dict[tuple[Permission, str], Relation | None] = {
    (permission, role): relation
    for permission, row in _ROWS.items()
    for role, relation in zip(ROLES, row, strict=True)
}
"""(permission, role) → what the holder must be to the target; None: not allowed."""

OF_EVERY_PERSON = frozenset({Permission.READ_GOALS, Permission.READ_FEEDS})
"""What a linked person may do without any role: all goals are visible to all in the workspace."""


def ways(permission: Permission, roles: Iterable[str] = ROLES) -> frozenset[Relation]:
    """What holders of the roles must be to the target, any of these; empty: none of the roles allows it."""
    found = {TABLE[permission, role] for role in roles}
    return frozenset(relation for relation in found if relation is not None)


def depends_on_target(permission: Permission) -> bool:
    """Whether some role has the permission on some targets alone."""
    return bool(ways(permission) - {Relation.ANY})


def needed(permission: Permission) -> str:
    """What it takes, in words."""
    said = []
    for role in ROLES:
        relation = TABLE[permission, role]
        if relation is not None:
            said.append(f"the role {role}" + ("" if relation is Relation.ANY else f" and {relation.value}"))
    return ", or ".join(said)
