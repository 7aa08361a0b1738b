"""Units: their names, and who belongs to one: it and the units beneath it, and the people in them, as owners of goals."""

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


async def names_of_units(view: View) -> dict[str, str]:
    """By id, of all at the moment."""
    context, at = await view.context(), view.moment
    return {id: body["name"] for id, _, body in context.all("unit", at.known_to, at.true_at)}
