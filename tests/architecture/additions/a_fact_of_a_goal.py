"""An objective is parked: only by who may define it, once, and the read side shows it."""

from common import COMMANDS, Record
from goal_ledger_contracts.objective import ObjectiveDrafted
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_contracts.workspace import RoleGranted, WorkspaceCreated
from goal_ledger_domain.deciders import RULES

PATH, UNTIL = "/v1/objectives/{objective}/park", {"until": "spring"}

record = Record()
record.append("workspace/acme", WorkspaceCreated("Acme", "Europe/Oslo"))
for person in ("ada", "bob"):
    record.append(f"person/{person}", PersonAdded(person))
    record.append("workspace/acme", RoleGranted(f"person/{person}", "owner"))
record.append("objective/o", ObjectiveDrafted("Open", "person/ada"))

declared = next(one for one in COMMANDS if one.path == PATH)
assert RULES[declared.command].may.value == "goal.define"
assert record.refused(PATH, {"objective": "o"}, UNTIL, "person/bob") == "not_allowed"
assert record.refused(PATH, {"objective": "none"}, UNTIL, "person/ada") == "unknown_objective"
assert len(record.tell(PATH, {"objective": "o"}, UNTIL, "person/ada").drafts) == 1
assert not record.tell(PATH, {"objective": "o"}, UNTIL, "person/ada").drafts
assert record.definition("objective", "o")["parked"] == UNTIL
