"""SPEC 11 as a matrix: every role, every permission, every relation to the target."""

from typing import Any

import pytest
from goal_ledger_contracts.decision import Situation
from goal_ledger_contracts.feed import FeedRegistered
from goal_ledger_contracts.measures import DoneOrNot
from goal_ledger_contracts.objective import CheckInRecorded, KeyResultAdded, ObjectiveDrafted
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.unit import LeadNamed, UnitCreated
from goal_ledger_contracts.workspace import RoleGranted, SystemRegistered, SystemRetired
from goal_ledger_domain import decide
from goal_ledger_domain.authorise import (
    PERMISSION_OF,
    ROLES,
    TABLE,
    Permission,
    authorise,
    authorise_command,
    held_by,
    is_admin,
    may,
)
from goal_ledger_domain.objective import DraftObjective, RewordObjective
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.world import World
from support.given_when_then import START, given, meta, on

ACME = "workspace/acme"


def organisation() -> World:
    """acme > shop > web; ada leads shop, bob is in shop, cyd in web; each owns a goal, and so does each unit."""
    people = ["ada", "bob", "cyd", "dan"]
    goals = {
        "of-acme": ("unit/acme", ()),
        "of-shop": ("unit/shop", ()),
        "of-web": ("unit/web", ()),
        "of-ada": ("person/ada", ()),
        "of-bob": ("person/bob", ("person/dan", "unit/web")),
    }
    return given(
        *(on(f"person/{one}", PersonAdded(one.title())) for one in people),
        on("unit/acme", UnitCreated("Acme")),
        on("unit/shop", UnitCreated("Shop", "acme"), LeadNamed("ada")),
        on("unit/web", UnitCreated("Web", "shop")),
        on("person/bob", UnitJoined("shop")),
        on("person/cyd", UnitJoined("web")),
        *(
            on(f"objective/{id}", ObjectiveDrafted("Goal", owner, contributors=contributors))
            for id, (owner, contributors) in goals.items()
        ),
        on("objective/of-ada", KeyResultAdded("kr1", "Done", DoneOrNot(), owner="person/dan")),
        on(ACME, SystemRegistered("webshop", "Shop"), SystemRegistered("crm", "CRM")),
        on(ACME, SystemRegistered("old", "Old"), SystemRetired("old")),
        on("feed/visitors", FeedRegistered("webshop", "counter")),
    ).world


WORLD = organisation()

EXPECTED: dict[Permission, dict[str, str]] = {
    Permission.CREATE_WORKSPACE: {"operator": "any"},
    Permission.SHRED: {"admin": "any", "operator": "any"},
    Permission.ACCESS: {"admin": "any", "operator": "any"},
    Permission.ORGANISE: {"admin": "any", "importer": "any", "operator": "any"},
    Permission.DEFINE_GOAL: {"owner": "owned", "admin": "any", "importer": "any", "operator": "any"},
    Permission.CHECK_IN: {
        "contributor": "worked on",
        "owner": "owned or worked on",
        "admin": "any",
        "importer": "any",
        "operator": "any",
    },
    Permission.TAKE_READING: {"emitter": "own feed", "admin": "any", "importer": "any", "operator": "any"},
    Permission.JUDGE_READING: {"admin": "any", "importer": "any", "operator": "any"},
    Permission.READ_RECEIPTS: {
        "emitter": "own feed",
        "admin": "any",
        "importer": "any",
        "auditor": "any",
        "operator": "any",
    },
    Permission.READ_FEEDS: {"emitter": "own feed"}
    | dict.fromkeys(("contributor", "owner", "admin", "importer", "analyst", "auditor", "operator"), "any"),
    Permission.READ_GOALS: dict.fromkeys(
        ("contributor", "owner", "admin", "importer", "analyst", "auditor", "operator"), "any"
    ),
    Permission.READ_FACTS: dict.fromkeys(("analyst", "auditor", "admin", "operator"), "any"),
    Permission.EXPORT: dict.fromkeys(("analyst", "auditor", "operator"), "any"),
    Permission.READ_LOG: dict.fromkeys(("auditor", "service", "operator"), "any"),
    Permission.READ_TEXT_KEYS: {"service": "any"},
}
"""The matrix of SPEC 11 in other words than the table's: what is not here is not allowed."""

TARGETS = {
    "any": ("system/none", "objective/of-acme", True),
    "owned": ("person/ada", "objective/of-web", True),
    "worked on": ("person/bob", "objective/of-web", True),
    "owned or worked on": ("person/cyd", "objective/of-web", True),
    "own feed": ("system/webshop", "feed/visitors", True),
}
"""An actor and a target that stand in the relation."""
OUTSIDE = {"own feed": ("system/crm", "feed/visitors")}
"""An actor and a target that do not; else bob and a goal that he has nothing to do with."""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("permission", Permission)
def test_every_role_may_what_the_matrix_says_and_no_more(permission: Permission, role: str) -> None:
    relation = EXPECTED[permission].get(role)
    held = frozenset({role})
    if relation is None:
        assert TABLE[permission, role] is None
        assert not any(may(WORLD, actor, held, permission, target) for actor, target in _strangers())
        return
    actor, target, allowed = TARGETS[relation]
    assert may(WORLD, actor, held, permission, target) is allowed
    outside, other = OUTSIDE.get(relation, ("system/none", "objective/of-ada"))
    assert may(WORLD, outside, held, permission, other) is (relation == "any")


def _strangers() -> list[tuple[str, str | None]]:
    return [("system/webshop", "feed/visitors"), ("system/crm", "objective/of-web"), ("system/crm", None)]


CONTRIBUTOR, OWNER = frozenset({"contributor"}), frozenset({"owner"})
CHECK_IN, DEFINE = Permission.CHECK_IN, Permission.DEFINE_GOAL


@pytest.mark.parametrize(
    ("person", "goals"),
    [
        ("ada", {"of-ada"}),
        ("bob", {"of-shop", "of-web", "of-bob"}),
        ("cyd", {"of-web", "of-bob"}),
        ("dan", {"of-bob", "of-ada"}),
    ],
)
def test_a_contributor_checks_in_on_goals_it_owns_contributes_to_or_of_its_units(
    person: str, goals: set[str]
) -> None:
    assert _allowed(person, CONTRIBUTOR, CHECK_IN) == goals


@pytest.mark.parametrize(
    ("person", "goals"),
    [("ada", {"of-ada", "of-shop", "of-web"}), ("bob", {"of-bob"}), ("cyd", set()), ("dan", set())],
)
def test_an_owner_commands_goals_owned_by_itself_or_by_units_it_leads(person: str, goals: set[str]) -> None:
    assert _allowed(person, OWNER, DEFINE) == goals


def test_an_owner_checks_in_wherever_a_contributor_would_and_on_what_it_owns() -> None:
    assert _allowed("ada", OWNER, CHECK_IN) == {"of-ada", "of-shop", "of-web"}
    assert _allowed("bob", OWNER, CHECK_IN) == {"of-shop", "of-web", "of-bob"}


def _allowed(person: str, held: frozenset[str], permission: Permission) -> set[str]:
    actor = f"person/{person}"
    return {id for id, _ in WORLD.all("objective") if may(WORLD, actor, held, permission, f"objective/{id}")}


def test_every_linked_person_reads_all_goals_but_a_system_only_with_a_role() -> None:
    assert may(WORLD, "person/dan", frozenset(), Permission.READ_GOALS)
    assert not may(WORLD, "system/webshop", frozenset({"emitter"}), Permission.READ_GOALS)
    assert may(WORLD, "system/webshop", frozenset({"emitter", "analyst"}), Permission.READ_GOALS)
    assert not may(WORLD, "person/dan", frozenset(), Permission.READ_FACTS)


def test_without_any_role_nothing_is_changed() -> None:
    for permission in set(PERMISSION_OF.values()):
        assert not may(WORLD, "person/ada", frozenset(), permission, "objective/of-ada")


def test_an_unknown_goal_is_left_to_the_decider_to_refuse_as_unknown() -> None:
    assert may(WORLD, "person/bob", OWNER, DEFINE, "objective/none")
    assert may(WORLD, "person/bob", OWNER, DEFINE, None)
    assert not may(WORLD, "person/bob", CONTRIBUTOR, DEFINE, "objective/none")


def test_a_refusal_says_what_it_takes() -> None:
    with pytest.raises(Refusal) as refused:
        authorise(WORLD, "person/bob", OWNER, Permission.EXPORT)
    assert (refused.value.code, refused.value.kind) == ("not_allowed", "forbidden")
    assert refused.value.sentence == "This needs the role analyst, or the role auditor, or the role operator."


def test_a_retired_system_may_nothing() -> None:
    with pytest.raises(Refusal) as refused:
        authorise(WORLD, "system/old", frozenset({"emitter"}), Permission.TAKE_READING, "feed/visitors")
    assert refused.value.code == "not_allowed"


def test_every_command_has_its_permission() -> None:
    assert {command.__name__ for command in decide.COMMANDS} == set(PERMISSION_OF)


def test_roles_come_from_facts_and_the_operators_from_its_name() -> None:
    record = given(on("person/ada", PersonAdded("Ada")), on(ACME, RoleGranted("person/ada", "importer")))
    assert held_by(record.world, "person/ada") == {"importer"}
    assert held_by(record.world, "operator") == {"operator"}
    assert is_admin(record.world, "person/ada")
    assert is_admin(record.world, "operator")
    assert not is_admin(record.world, "person/bob")


def _authorised(world: World, command: Any, situation: Situation | None = None) -> bool:
    try:
        authorise_command(world, command, situation or Situation(START, Position(1, 1)))
    except Refusal as refusal:
        assert refusal.code == "not_allowed"
        return False
    return True


def test_drafting_needs_to_own_what_is_drafted_for() -> None:
    record = given(
        on("person/ada", PersonAdded("Ada")),
        on("unit/shop", UnitCreated("Shop"), LeadNamed("ada")),
        on("unit/it", UnitCreated("IT")),
        on(ACME, RoleGranted("person/ada", "owner")),
    )
    for owner, allowed in (
        ("unit/shop", True),
        ("person/ada", True),
        ("unit/it", False),
        ("person/b", False),
    ):
        asked = DraftObjective(meta("person/ada"), objective="o", title="T", owner=owner)
        assert _authorised(record.world, asked) is allowed


def test_a_command_on_a_goal_is_authorised_by_that_goal() -> None:
    record = given(
        on("person/ada", PersonAdded("Ada")),
        on(ACME, RoleGranted("person/ada", "owner")),
        on("objective/mine", ObjectiveDrafted("Mine", "person/ada")),
        on("objective/other", ObjectiveDrafted("Other", "person/bob")),
    )
    assert _authorised(record.world, RewordObjective(meta("person/ada"), objective="mine", title="T"))
    assert not _authorised(record.world, RewordObjective(meta("person/ada"), objective="other", title="T"))


def test_commands_on_key_results_check_ins_and_comments_are_authorised_by_their_goal() -> None:
    from goal_ledger_contracts.decision import Found
    from goal_ledger_domain.authorise import target_of
    from goal_ledger_domain.check_in import CorrectCheckIn, RecordCheckIn
    from goal_ledger_domain.comment import AddComment
    from goal_ledger_domain.key_result import RewordKeyResult

    record = given(
        on("objective/o", ObjectiveDrafted("Mine", "person/ada"), KeyResultAdded("k", "K", DoneOrNot())),
        on("objective/o", CheckInRecorded("c", "k")),
    )
    for command in (
        RewordKeyResult(meta(), key_result="k", text="K2"),
        RecordCheckIn(meta(), check_in="d", key_result="k"),
        RecordCheckIn(meta(), check_in="d", objective="o"),
        CorrectCheckIn(meta(), check_in="c"),
        AddComment(meta(), comment="m", on="objective/o", text="Good"),
        AddComment(meta(), comment="m", on="check-in/c", text="Good"),
    ):
        wanted = decide.lookups(command)
        found = {i: Found(record.facts[-1], 0, "") for i in wanted if i.names == ("c",)}
        situation = Situation(START, Position(1, 9), found=found)
        assert target_of(record.world, command, situation) == "objective/o", command
