"""Policies: set in revisions for the workspace, a unit or an objective; what is not set is inherited."""

from decimal import Decimal

import pytest
from goal_ledger_contracts.objective import ObjectiveDrafted
from goal_ledger_contracts.person import PersonAdded, UnitJoined
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_contracts.workspace import Policy, PolicySet
from goal_ledger_domain.policy import SetPolicy, in_force
from support.given_when_then import given, meta, on

R = meta(reason="Agreed in the board")
TREE = [
    on("unit/acme", UnitCreated("Acme")),
    on("unit/shop", UnitCreated("Shop", "acme")),
    on("person/ada", PersonAdded("Ada"), UnitJoined("shop")),
    on("objective/o1", ObjectiveDrafted("Web shop", "unit/shop")),
]


def test_a_policy_is_set_in_revisions_of_its_scope() -> None:
    record = given(*TREE)
    record.when(SetPolicy(R, "workspace", Policy(grace_days=1))).then(
        PolicySet("workspace", 1, Policy(grace_days=1))
    )
    record.told(SetPolicy(R, "workspace", Policy(grace_days=1)))
    record.when(SetPolicy(R, "workspace", Policy(grace_days=2))).then(
        PolicySet("workspace", 2, Policy(grace_days=2))
    )
    record.when(SetPolicy(R, "unit/shop", Policy(grace_days=2))).then(
        PolicySet("unit/shop", 1, Policy(grace_days=2))
    )


def test_it_needs_a_reason() -> None:
    given().when(SetPolicy(meta(), "workspace", Policy(grace_days=1))).then_refused("reason_required")


def test_the_policy_that_is_set_already_is_nothing_new() -> None:
    asked = SetPolicy(meta(), "workspace", Policy(grace_days=1))
    given().told(SetPolicy(R, "workspace", Policy(grace_days=1))).when(asked).then_nothing_new()
    given().when(SetPolicy(meta(), "workspace", Policy())).then_nothing_new()


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("unit/none", "unknown_unit"),
        ("objective/none", "unknown_objective"),
        ("feed/x", "reference_malformed"),
    ],
)
def test_its_scope_exists(scope: str, code: str) -> None:
    given(*TREE).when(SetPolicy(R, scope, Policy())).then_refused(code, "scope")


@pytest.mark.parametrize(
    ("policy", "code", "field"),
    [
        (Policy(time_zone="Mars"), "time_zone_unknown", "policy/time_zone"),
        (Policy(roll_up="sum"), "choice_unknown", "policy/roll_up"),
        (Policy(on_track_points=Decimal("NaN")), "value_not_decimal", "policy/on_track_points"),
        (Policy(on_track_points=Decimal(101)), "number_out_of_range", "policy/on_track_points"),
        (
            Policy(on_track_points=Decimal(5), behind_points=Decimal(4)),
            "bands_reversed",
            "policy/behind_points",
        ),
        (Policy(cadence_weeks=0), "number_out_of_range", "policy/cadence_weeks"),
        (Policy(anchor_weekday=8), "number_out_of_range", "policy/anchor_weekday"),
        (Policy(grace_days=-1), "number_out_of_range", "policy/grace_days"),
        (Policy(max_key_results=0), "number_out_of_range", "policy/max_key_results"),
        (Policy(max_active_objectives=0), "number_out_of_range", "policy/max_active_objectives"),
    ],
)
def test_values_that_make_no_sense_are_refused_with_their_field(
    policy: Policy, code: str, field: str
) -> None:
    given().when(SetPolicy(R, "workspace", policy)).then_refused(code, field)


def test_the_nearest_scope_wins_field_by_field() -> None:
    record = given(*TREE).told(
        SetPolicy(R, "workspace", Policy(grace_days=5, cadence_weeks=2, roll_up="both")),
        SetPolicy(R, "unit/acme", Policy(cadence_weeks=3, anchor_weekday=1)),
        SetPolicy(R, "unit/shop", Policy(anchor_weekday=2)),
        SetPolicy(R, "objective/o1", Policy(max_key_results=4)),
    )
    found = in_force(record.world, "unit/shop", "o1")
    assert (found.grace_days, found.cadence_weeks, found.anchor_weekday) == (5, 3, 2)
    assert (found.max_key_results, found.time_zone) == (4, "Europe/Oslo")
    assert in_force(record.world, "person/ada") == Policy(
        grace_days=5, cadence_weeks=2, roll_up="both", time_zone="Europe/Oslo"
    )
