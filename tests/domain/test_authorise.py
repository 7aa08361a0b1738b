"""SPEC 11 as a matrix: every role, every permission, every relation to the target."""

from dataclasses import dataclass
from typing import Any

import pytest
from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.feed import FeedRegistered
from goal_ledger_contracts.measures import DoneOrNot
from goal_ledger_contracts.objective import CheckInRecorded, KeyResultAdded, ObjectiveDrafted
from goal_ledger_contracts.permission import ROLES, TABLE, Permission
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.unit import LeadNamed, UnitCreated
from goal_ledger_contracts.workspace import RoleGranted, SystemRegistered, SystemRetired
from goal_ledger_domain import decide
from goal_ledger_domain.access import held_by, is_admin
from goal_ledger_domain.authorise import authorise, authorise_command, authorise_somewhere, may
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decider import Decider, Rule
from goal_ledger_domain.deciders import RULES
from goal_ledger_domain.goal import its_key_result, its_objective
from goal_ledger_domain.objective import DraftObjective, RewordObjective
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.target import WORKSPACE, found_by
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
    Permission.IMPORT: {"importer": "any"},
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
        assert not any(may(WORLD, actor, held, permission, *targets) for actor, *targets in _strangers())
        return
    actor, target, allowed = TARGETS[relation]
    assert may(WORLD, actor, held, permission, target) is allowed
    outside, other = OUTSIDE.get(relation, ("system/none", "objective/of-ada"))
    assert may(WORLD, outside, held, permission, other) is (relation == "any")


def _strangers() -> list[tuple[str, ...]]:
    return [("system/webshop", "feed/visitors"), ("system/crm", "objective/of-web"), ("system/crm",)]


EVERY_PERSON = {(p, r) for p in (Permission.READ_GOALS, Permission.READ_FEEDS) for r in ROLES}
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
    for permission in {rule.may for rule in RULES.values()}:
        assert not may(WORLD, "person/ada", frozenset(), permission, "objective/of-ada")


@pytest.mark.parametrize(
    "targets", [(), ("objective/none",), ("feed/none",), ("milestone/m",), ("",), ("objective/of-bob", "")]
)
def test_what_nobody_finds_nobody_may_touch_but_who_may_everywhere(targets: tuple[str, ...]) -> None:
    for permission, role in TABLE:
        if (permission, role) in EVERY_PERSON:
            continue
        everywhere = EXPECTED[permission].get(role) == "any"
        for actor in ("person/bob", "system/webshop"):
            assert may(WORLD, actor, {role}, permission, *targets) is everywhere, (permission, role, actor)


def test_a_role_that_may_somewhere_is_told_apart_from_one_that_may_nowhere() -> None:
    authorise_somewhere(WORLD, "system/webshop", {"emitter"}, Permission.READ_RECEIPTS)
    assert not may(WORLD, "system/webshop", {"emitter"}, Permission.READ_RECEIPTS)
    with pytest.raises(Refusal) as refused:
        authorise_somewhere(WORLD, "person/bob", CONTRIBUTOR, Permission.READ_RECEIPTS)
    assert refused.value.code == "not_allowed"


def test_every_target_of_several_is_asked_about() -> None:
    both = ("objective/of-shop", "objective/of-ada")
    assert may(WORLD, "person/ada", OWNER, DEFINE, *both)
    assert not may(WORLD, "person/ada", OWNER, DEFINE, *both, "objective/of-bob")


def test_a_refusal_says_what_it_takes() -> None:
    with pytest.raises(Refusal) as refused:
        authorise(WORLD, "person/bob", OWNER, Permission.EXPORT)
    assert (refused.value.code, refused.value.kind) == ("not_allowed", "forbidden")
    assert refused.value.sentence == "This needs the role analyst, or the role auditor, or the role operator."


def test_a_retired_system_may_nothing() -> None:
    with pytest.raises(Refusal) as refused:
        authorise(WORLD, "system/old", frozenset({"emitter"}), Permission.TAKE_READING, "feed/visitors")
    assert refused.value.code == "not_allowed"


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
        found = {i: Found(record.facts[-1], 0, "o|k") for i in wanted if i.names == ("c",)}
        situation = Situation(START, Position(1, 9), found=found)
        target = RULES[type(command)].on.find(record.world, command, situation)
        assert target == ("objective/o",), command


def _owner_of_mine() -> World:
    return given(
        on("person/ada", PersonAdded("Ada")),
        on(ACME, RoleGranted("person/ada", "owner")),
        on("objective/mine", ObjectiveDrafted("Mine", "person/ada")),
        on("objective/other", ObjectiveDrafted("Other", "person/bob")),
    ).world


def test_an_owner_continues_no_goal_of_another() -> None:
    world = _owner_of_mine()
    for ancestor, allowed in (("mine", True), ("other", False)):
        asked = DraftObjective(
            meta("person/ada"), objective="o", title="T", owner="person/ada", carried_from=ancestor
        )
        assert _authorised(world, asked) is allowed


def test_what_is_unknown_is_said_to_be_so_to_all_whose_roles_allow_it_somewhere() -> None:
    world = _owner_of_mine()
    situation = Situation(START, Position(1, 1))
    for actor, code in (("person/ada", "unknown_objective"), ("person/bob", "not_allowed")):
        with pytest.raises(Refusal) as refused:
            authorise_command(world, RewordObjective(meta(actor), objective="none", title="T"), situation)
        assert refused.value.code == code


@dataclass(frozen=True, slots=True)
class MoveMilestone:
    """A command as somebody may add it: what it acts on is named as nothing was before."""

    meta: Meta
    milestone: str


def _moved(world: World, command: MoveMilestone, situation: Situation) -> Decision:
    return Decision(command.milestone, f"milestone/{command.milestone}")


def test_a_rule_does_not_import_whose_target_its_command_does_not_name() -> None:
    for on_what in (its_objective, its_key_result, WORKSPACE):
        rule = Rule(_moved, may=DEFINE, on=on_what, shows="milestone")
        with pytest.raises(TypeError, match="MoveMilestone"):
            Decider(commands={MoveMilestone: rule})
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'on'"):
        Rule(_moved, may=DEFINE, shows="milestone")  # type: ignore[call-arg]


def test_a_command_whose_target_is_found_nowhere_is_for_those_alone_who_may_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = given(
        on(ACME, RoleGranted("person/ada", "owner")), on(ACME, RoleGranted("person/boss", "admin"))
    ).world
    by_milestone = found_by("milestone")
    for nothing in ((), ("milestone/m",), ("objective/",), ("objective/m",)):
        target = by_milestone(lambda world, command, situation, found=nothing: found)
        rule = Rule(_moved, may=DEFINE, on=target, shows="milestone")
        decider = Decider(commands={MoveMilestone: rule})
        monkeypatch.setitem(RULES, MoveMilestone, decider.commands[MoveMilestone])
        assert not _authorised(world, MoveMilestone(meta("person/ada"), "m"))
        assert _authorised(world, MoveMilestone(meta("person/boss"), "m"))
