"""A unit gets another colour: by an admin alone, once; the read side shows it and looks at its context anew."""

from common import Record
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_contracts.workspace import RoleGranted, WorkspaceCreated
from goal_ledger_projection.read_models.definitions import CONTEXT_FACTS

PATH, RED = "/v1/units/{unit}/recolour", {"colour": "red"}

record = Record()
record.append("workspace/acme", WorkspaceCreated("Acme", "Europe/Oslo"))
for person, role in (("ada", "admin"), ("bob", "owner")):
    record.append(f"person/{person}", PersonAdded(person))
    record.append("workspace/acme", RoleGranted(f"person/{person}", role))
record.append("unit/shop", UnitCreated("Shop"))

assert record.refused(PATH, {"unit": "shop"}, RED, "person/bob") == "not_allowed"
assert len(record.tell(PATH, {"unit": "shop"}, RED, "person/ada").drafts) == 1
assert not record.tell(PATH, {"unit": "shop"}, RED, "person/ada").drafts
assert record.definition("unit", "shop")["colour"] == "red"
assert "UnitRecoloured" in CONTEXT_FACTS
