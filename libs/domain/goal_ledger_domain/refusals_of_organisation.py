"""Codes of refusals for workspace, policy, moments, access, systems, units, people, cycles, feeds and readings."""

from __future__ import annotations

ORGANISATION: dict[str, tuple[str, str]] = {
    "workspace_exists": ("conflict", "The workspace exists already."),
    "unknown_workspace": ("not_found", "There is no such workspace."),
    "unknown_unit": ("not_found", "There is no such unit in this workspace."),
    "unknown_person": ("not_found", "There is no such person in this workspace."),
    "unknown_cycle": ("not_found", "There is no such cycle in this workspace."),
    "unknown_feed": ("not_found", "There is no such feed in this workspace."),
    "unknown_system": ("not_found", "There is no such system in this workspace."),
    "unit_closed": ("conflict", "The unit is closed: nothing new is taken there."),
    "person_shredded": ("conflict", "The person is shredded: no new text or name is taken."),
    "cycle_closed": ("conflict", "The cycle is closed."),
}
