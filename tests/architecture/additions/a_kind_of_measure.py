"""A key result is measured in the new way: taken from a body, refused without sense, stored, scored."""

from decimal import Decimal

from common import Record
from goal_ledger_contracts.measures import Double
from goal_ledger_contracts.objective import ObjectiveDrafted
from goal_ledger_contracts.workspace import WorkspaceCreated
from goal_ledger_scoring.inputs import PartInput
from goal_ledger_scoring.measures import score_part

PATH, NAMED = "/v1/objectives/{objective}/key-results", {"objective": "o"}


def measured(base: str) -> dict[str, object]:
    return {"id": "k", "text": "Twice as much", "measure": {"kind": "double", "base": base, "unit": "items"}}


record = Record()
record.append("workspace/acme", WorkspaceCreated("Acme", "Europe/Oslo"))
record.append("objective/o", ObjectiveDrafted("Open", "person/ada"))

assert record.refused(PATH, NAMED, measured("0"), "operator") == "direction_mismatch"
decision = record.tell(PATH, NAMED, measured("5"), "operator")
assert decision.drafts[0].data.measure == Double(Decimal(5), "items")
assert record.definition("objective", "o")["key_results"][0]["measure"]["kind"] == "double"
scores = [score_part(Double(Decimal(5)), PartInput(value=Decimal(n))).score for n in (9, 10)]
assert scores == [0, 1]
