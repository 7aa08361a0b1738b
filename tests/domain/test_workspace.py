"""The workspace: created by the operator, with its first admin; texts withheld."""

from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_contracts.workspace import IdentityLinked, RoleGranted, TextWithheld, WorkspaceCreated
from goal_ledger_domain.access import person_of, roles
from goal_ledger_domain.workspace import CreateWorkspace, FirstAdmin, WithholdText
from support.given_when_then import Record, given, meta

OPERATOR = meta("operator")
ADMIN = FirstAdmin("ada", "Ada Lovelace", "https://issuer", "sub-1")


def create(**changed: object) -> CreateWorkspace:
    return CreateWorkspace(
        **{"meta": OPERATOR, "workspace": "acme", "name": "Acme", "time_zone": "Europe/Oslo"} | changed
    )


def test_a_workspace_is_created() -> None:
    decision = Record().when(create()).then(WorkspaceCreated("Acme", "Europe/Oslo"))
    assert decision.stream == "workspace/acme"


def test_with_its_first_admin_who_may_then_sign_in() -> None:
    record = Record()
    record.when(create(first_admin=ADMIN)).then(
        WorkspaceCreated("Acme", "Europe/Oslo"),
        PersonAdded("Ada Lovelace"),
        IdentityLinked("https://issuer", "sub-1", "ada"),
        RoleGranted("person/ada", "admin"),
    )
    record.tell(create(first_admin=ADMIN))
    assert person_of(record.world, "https://issuer", "sub-1") == "person/ada"
    assert roles(record.world, "person/ada") == {"admin"}


def test_created_again_alike_there_is_nothing_new_and_otherwise_it_exists() -> None:
    given().when(create()).then_nothing_new()
    given().when(create(name="Other")).then_refused("workspace_exists")


def test_its_time_zone_is_in_the_iana_database() -> None:
    for wrong in ("Oslo", "", "../etc/passwd", "Europe/Nowhere"):
        Record().when(create(time_zone=wrong)).then_refused("time_zone_unknown", "time_zone")


def test_its_id_is_narrow_and_its_name_clean() -> None:
    Record().when(create(workspace="Acme")).then_refused("id_malformed", "workspace")
    Record().when(create(name="A\u202e")).then_refused("text_has_control_characters", "name")


def test_a_command_for_no_workspace_is_refused() -> None:
    Record().when(WithholdText(meta(reason="R"), uuid7(), "/note")).then_refused("unknown_workspace")


def test_a_text_is_withheld_with_a_reason() -> None:
    event = uuid7()
    asked = WithholdText(meta(reason="Names a customer"), event, "/note")
    given().when(asked).then(TextWithheld(event, "/note"))
    given().when(WithholdText(meta(), event, "/note")).then_refused("reason_required")


def test_a_withheld_text_is_an_event_id_and_a_pointer() -> None:
    given().when(WithholdText(meta(reason="R"), "not-an-id", "/note")).then_refused("id_malformed", "fact")
    for wrong in ("note", "", "/" + "x" * 200):
        given().when(WithholdText(meta(reason="R"), uuid7(), wrong)).then_refused(
            "pointer_malformed", "pointer"
        )


def test_a_text_withheld_twice_is_nothing_new() -> None:
    asked = WithholdText(meta(reason="R"), uuid7(), "/note")
    given().told(asked).when(asked).then_nothing_new()
