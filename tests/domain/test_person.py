"""People: named, in units, shredded."""

from goal_ledger_contracts.person import (
    LeaveBegun,
    LeaveEnded,
    PersonAdded,
    PersonCameBack,
    PersonLeft,
    PersonRenamed,
    PersonShredded,
    UnitJoined,
    UnitLeft,
)
from goal_ledger_contracts.unit import UnitClosed, UnitCreated
from goal_ledger_domain.objective import DraftObjective
from goal_ledger_domain.person import (
    AddPerson,
    BeginLeave,
    ComeBack,
    EndLeave,
    JoinUnit,
    LeaveOrganisation,
    LeaveUnit,
    RenamePerson,
    ShredPerson,
    may_write_text,
    person_present,
    units_of,
)
from goal_ledger_domain.unit import NameLead
from support.given_when_then import Record, given, meta, on

R = meta(reason="Asked to be forgotten")


def people() -> Record:
    return given(
        on("unit/shop", UnitCreated("Shop")),
        on("unit/old", UnitCreated("Old"), UnitClosed()),
    ).told(AddPerson(meta(), "ada", "Ada"), JoinUnit(meta(), "ada", "shop"), AddPerson(meta(), "bob", "Bob"))


def shredded() -> Record:
    return people().told(ShredPerson(R, "ada"))


def test_a_person_is_added_with_a_display_name() -> None:
    given().when(AddPerson(meta(), "ada", "Ada Løvås")).then(PersonAdded("Ada Løvås"))
    given().when(AddPerson(meta(), "a b", "Ada")).then_refused("id_malformed", "person")
    given().when(AddPerson(meta(), "ada", " ")).then_refused("text_empty", "display_name")


def test_added_again_alike_there_is_nothing_new_and_otherwise_the_id_is_taken() -> None:
    people().when(AddPerson(meta(), "ada", "Ada")).then_nothing_new()
    people().when(AddPerson(meta(), "ada", "Other")).then_refused("id_taken", "person")


def test_a_person_is_renamed() -> None:
    record = people()
    record.when(RenamePerson(meta(), "ada", "Ada B")).then(PersonRenamed("Ada B"))
    record.when(RenamePerson(meta(), "ada", "Ada")).then_nothing_new()
    record.tell(RenamePerson(meta(), "ada", "Ada B"))
    record.when(RenamePerson(meta(), "ada", "Ada B")).then_nothing_new()
    record.when(RenamePerson(meta(), "ada", "Ada")).then(PersonRenamed("Ada"))
    record.when(RenamePerson(meta(), "none", "X")).then_refused("unknown_person", "person")


def test_a_person_joins_and_leaves_units() -> None:
    record = people()
    assert units_of(record.world, "ada") == {"shop"}
    record.when(JoinUnit(meta(), "bob", "shop")).then(UnitJoined("shop"))
    record.when(JoinUnit(meta(), "ada", "shop")).then_nothing_new()
    record.when(LeaveUnit(meta(), "ada", "shop")).then(UnitLeft("shop"))
    record.when(LeaveUnit(meta(), "bob", "shop")).then_nothing_new()


def test_a_unit_that_is_joined_is_known_and_open() -> None:
    people().when(JoinUnit(meta(), "bob", "none")).then_refused("unknown_unit", "unit")
    people().when(JoinUnit(meta(), "bob", "old")).then_refused("unit_closed", "unit")
    people().when(LeaveUnit(meta(), "none", "shop")).then_refused("unknown_person", "person")


def test_a_person_is_shredded_with_a_reason_and_once() -> None:
    people().when(ShredPerson(R, "ada")).then(PersonShredded())
    people().when(ShredPerson(meta(), "ada")).then_refused("reason_required")
    shredded().when(ShredPerson(meta(), "ada")).then_nothing_new()
    people().when(ShredPerson(R, "none")).then_refused("unknown_person", "person")


def test_a_shredded_person_takes_no_new_text_name_or_seat() -> None:
    record = shredded()
    record.when(RenamePerson(meta(), "ada", "Ada B")).then_refused("person_shredded", "person")
    record.when(AddPerson(meta(), "ada", "Ada")).then_refused("person_shredded", "person")
    record.when(JoinUnit(meta(), "ada", "shop")).then_refused("person_shredded", "person")
    assert not person_present(record.world, "ada")
    assert not may_write_text(record.world, "person/ada")
    assert may_write_text(record.world, "person/bob")
    assert may_write_text(record.world, "system/webshop")


def test_a_shredded_person_may_still_leave_a_unit() -> None:
    shredded().when(LeaveUnit(meta(), "ada", "shop")).then(UnitLeft("shop"))


def test_who_left_the_organisation_may_come_back() -> None:
    record = people()
    record.when(LeaveOrganisation(meta(), "ada")).then_refused("reason_required", "reason")
    record.when(LeaveOrganisation(R, "ada")).then(PersonLeft())
    record.when(ComeBack(R, "ada")).then_nothing_new()
    record.told(LeaveOrganisation(R, "ada"))
    record.when(LeaveOrganisation(R, "ada")).then_nothing_new()
    assert not person_present(record.world, "ada")
    record.when(ComeBack(meta(), "ada")).then_refused("reason_required", "reason")
    record.when(ComeBack(R, "ada")).then(PersonCameBack())
    record.told(ComeBack(R, "ada"))
    assert person_present(record.world, "ada")
    assert units_of(record.world, "ada") == {"shop"}


def test_who_left_is_given_nothing_new_and_keeps_what_was_written() -> None:
    record = people().given(on("unit/it", UnitCreated("IT"))).told(LeaveOrganisation(R, "ada"))
    record.when(JoinUnit(meta(), "ada", "it")).then_refused("person_left", "person")
    record.when(NameLead(meta(), "it", "ada")).then_refused("person_left", "person")
    record.when(DraftObjective(meta(), "o", "O", "person/ada")).then_refused("person_left", "owner")
    record.when(RenamePerson(meta(), "ada", "Ada B")).then(PersonRenamed("Ada B"))
    record.when(LeaveUnit(meta(), "ada", "shop")).then(UnitLeft("shop"))
    record.when(ShredPerson(R, "ada")).then(PersonShredded())
    assert may_write_text(record.world, "person/ada")


def test_who_is_shredded_neither_leaves_nor_comes_back() -> None:
    for asked in (LeaveOrganisation(R, "ada"), ComeBack(R, "ada")):
        shredded().when(asked).then_refused("person_shredded", "person")


def test_a_person_goes_on_leave_with_a_reason_and_comes_back_from_it() -> None:
    record = people()
    record.when(BeginLeave(meta(), "ada")).then_refused("reason_required")
    record.when(BeginLeave(R, "ada")).then(LeaveBegun())
    record.when(EndLeave(meta(), "ada")).then_nothing_new()
    record.tell(BeginLeave(R, "ada"))
    record.when(BeginLeave(meta(), "ada")).then_nothing_new()
    record.when(EndLeave(meta(), "ada")).then(LeaveEnded())


def test_who_left_the_organisation_on_leave_is_on_leave_until_it_is_ended() -> None:
    record = people().told(BeginLeave(R, "ada"), LeaveOrganisation(R, "ada"))
    record.when(BeginLeave(R, "ada")).then_refused("person_left", "person")
    record.when(EndLeave(meta(), "ada")).then(LeaveEnded())
    record.told(ComeBack(R, "ada")).when(BeginLeave(meta(), "ada")).then_nothing_new()
    shredded().when(BeginLeave(R, "ada")).then_refused("person_shredded", "person")
    shredded().when(EndLeave(meta(), "ada")).then_refused("person_shredded", "person")
