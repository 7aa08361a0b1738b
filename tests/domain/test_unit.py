"""Units: a tree without loops; a closed unit takes nothing new."""

from goal_ledger_contracts.person import PersonAdded, PersonShredded
from goal_ledger_contracts.unit import (
    LeadNamed,
    PilotWaveJoined,
    PilotWaveLeft,
    UnitClosed,
    UnitCreated,
    UnitMoved,
    UnitRenamed,
)
from goal_ledger_domain import limits
from goal_ledger_domain.unit import (
    CloseUnit,
    CreateUnit,
    JoinPilotWave,
    LeavePilotWave,
    MoveUnit,
    NameLead,
    RenameUnit,
)
from goal_ledger_domain.unit_tree import Closed, Open, leads_over, unit, units_above
from support.given_when_then import Record, given, meta, on

R = meta(reason="New organisation")


def company() -> Record:
    """acme > sales > shop; it stands apart; old is closed."""
    return given(
        on("unit/acme", UnitCreated("Acme")),
        on("unit/sales", UnitCreated("Sales", "acme")),
        on("unit/shop", UnitCreated("Shop", "sales")),
        on("unit/it", UnitCreated("IT")),
        on("unit/old", UnitCreated("Old"), UnitClosed()),
        on("person/ada", PersonAdded("Ada")),
        on("person/gone", PersonAdded("Gone"), PersonShredded()),
    )


def test_a_unit_is_created_under_another() -> None:
    company().when(CreateUnit(meta(), "web", "Web", "shop")).then(UnitCreated("Web", "shop"))
    assert list(units_above(company().world, "shop")) == ["shop", "sales", "acme"]
    assert list(units_above(company().world, "none")) == []


def test_created_again_alike_it_is_nothing_new_even_after_a_new_name() -> None:
    company().when(CreateUnit(meta(), "shop", "Shop", "sales")).then_nothing_new()
    renamed = company().told(RenameUnit(meta(), "shop", "Web shop"))
    renamed.when(CreateUnit(meta(), "shop", "Shop", "sales")).then_nothing_new()
    renamed.when(CreateUnit(meta(), "shop", "Web shop", "sales")).then_nothing_new()


def test_another_unit_of_that_id_is_refused() -> None:
    company().when(CreateUnit(meta(), "shop", "Shop", "it")).then_refused("id_taken", "unit")


def test_a_unit_is_created_under_one_that_is_known_and_open() -> None:
    company().when(CreateUnit(meta(), "web", "Web", "none")).then_refused("unknown_unit", "parent")
    company().when(CreateUnit(meta(), "web", "Web", "old")).then_refused("unit_closed", "parent")
    company().when(CreateUnit(meta(), "w/b", "Web")).then_refused("id_malformed", "unit")
    company().when(CreateUnit(meta(), "web", "")).then_refused("text_empty", "name")


def test_the_tree_has_a_limited_depth() -> None:
    record = given(on("unit/u1", UnitCreated("U")))
    for level in range(2, limits.UNIT_DEPTH_MAX_LEVELS + 1):
        record.tell(CreateUnit(meta(), f"u{level}", "U", f"u{level - 1}"))
    deepest = f"u{limits.UNIT_DEPTH_MAX_LEVELS}"
    record.when(CreateUnit(meta(), "more", "U", deepest)).then_refused("unit_too_deep", "parent")
    record.told(CreateUnit(meta(), "top", "U"), CreateUnit(meta(), "below", "U", "top"))
    above = f"u{limits.UNIT_DEPTH_MAX_LEVELS - 1}"
    record.when(MoveUnit(R, "top", above)).then_refused("unit_too_deep", "parent")
    record.when(MoveUnit(R, "below", above)).then(UnitMoved(above))


def test_a_unit_is_renamed() -> None:
    company().when(RenameUnit(meta(), "shop", "Web shop")).then(UnitRenamed("Web shop"))
    company().when(RenameUnit(meta(), "shop", "Shop")).then_nothing_new()
    company().when(RenameUnit(meta(), "none", "X")).then_refused("unknown_unit", "unit")
    company().when(RenameUnit(meta(), "old", "X")).then_refused("unit_closed", "unit")


def test_a_unit_is_moved_with_a_reason() -> None:
    company().when(MoveUnit(R, "shop", "it")).then(UnitMoved("it"))
    company().when(MoveUnit(R, "shop", None)).then(UnitMoved(None))
    company().when(MoveUnit(meta(), "shop", "it")).then_refused("reason_required")
    company().when(MoveUnit(meta(), "shop", "sales")).then_nothing_new()
    company().when(MoveUnit(R, "shop", "old")).then_refused("unit_closed", "parent")
    company().when(MoveUnit(R, "old", "it")).then_refused("unit_closed", "unit")
    company().when(MoveUnit(R, "shop", "none")).then_refused("unknown_unit", "parent")


def test_a_unit_never_lies_below_itself_and_the_path_is_shown() -> None:
    refusal = company().when(MoveUnit(R, "acme", "shop")).then_refused("unit_loop", "parent")
    assert refusal.details["path"] == ["acme", "sales", "shop", "acme"]
    company().when(MoveUnit(R, "shop", "shop")).then_refused("unit_loop", "parent")


def test_a_unit_is_closed_with_a_reason_and_once() -> None:
    company().when(CloseUnit(R, "shop")).then(UnitClosed())
    company().when(CloseUnit(meta(), "shop")).then_refused("reason_required")
    company().when(CloseUnit(meta(), "old")).then_nothing_new()
    assert isinstance(unit(company().world, "shop"), Open)
    assert isinstance(unit(company().world, "old"), Closed)


def test_closing_a_unit_leaves_those_below_as_they_are() -> None:
    record = company().told(CloseUnit(R, "sales"))
    assert isinstance(unit(record.world, "shop"), Open)


def test_a_lead_is_named_and_taken_away() -> None:
    record = company()
    record.when(NameLead(meta(), "sales", "ada")).then(LeadNamed("ada"))
    record.when(NameLead(meta(), "sales", None)).then_nothing_new()
    record.tell(NameLead(meta(), "sales", "ada"))
    record.when(NameLead(meta(), "sales", "ada")).then_nothing_new()
    assert unit(record.world, "sales").lead == "ada"
    assert leads_over(record.world, "ada", "shop")
    assert not leads_over(record.world, "ada", "acme")
    record.when(NameLead(meta(), "sales", None)).then(LeadNamed(None))


def test_a_lead_is_somebody_who_is_there_and_of_an_open_unit() -> None:
    company().when(NameLead(meta(), "sales", "nobody")).then_refused("unknown_person", "person")
    company().when(NameLead(meta(), "sales", "gone")).then_refused("person_shredded", "person")
    company().when(NameLead(meta(), "old", "ada")).then_refused("unit_closed", "unit")


def test_a_unit_joins_and_leaves_a_pilot_wave() -> None:
    record = company()
    record.when(JoinPilotWave(meta(), "shop", "wave-1")).then(PilotWaveJoined("wave-1"))
    record.when(LeavePilotWave(meta(), "shop", "wave-1")).then_nothing_new()
    record.tell(JoinPilotWave(meta(), "shop", "wave-1"))
    record.when(JoinPilotWave(meta(), "shop", "wave-1")).then_nothing_new()
    record.when(LeavePilotWave(meta(), "shop", "wave-1")).then(PilotWaveLeft("wave-1"))
    record.when(JoinPilotWave(meta(), "old", "wave-1")).then_refused("unit_closed", "unit")
    record.when(JoinPilotWave(meta(), "shop", "")).then_refused("text_empty", "wave")
