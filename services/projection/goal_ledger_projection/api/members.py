"""Who belongs to a unit: it and the units beneath it, and the people in them, as owners of goals."""

from __future__ import annotations

import json

from goal_ledger_projection.api.objectives import beneath
from goal_ledger_projection.api.view import View
from goal_ledger_projection.read_models.definitions import OF_KIND


async def members(view: View, unit: str) -> frozenset[str]:
    """`unit/<id>` and `person/<id>` of all who belong to it at the moment."""
    units = beneath(await view.context(), unit, view.moment)
    rows = await view.snapshot.fetch(OF_KIND, "person", view.clocks.seq, view.clocks.as_of)
    people = {
        f"person/{row['id']}"
        for row in rows
        if any(f"unit/{one.removeprefix('unit/')}" in units for one in json.loads(row["body"])["units"])
    }
    return units | people
