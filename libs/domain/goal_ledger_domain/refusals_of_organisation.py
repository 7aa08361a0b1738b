"""Codes of refusals for workspace, policy, moments, access, systems, units, people, cycles, feeds and readings."""

from __future__ import annotations

from goal_ledger_contracts.refusal_codes import SHARED

ORGANISATION: dict[str, tuple[str, str]] = {
    # workspace and policy
    "workspace_exists": ("conflict", "There is another workspace of this id."),
    "unknown_workspace": ("not_found", "There is no such workspace."),
    "pointer_malformed": (
        "invalid",
        "A pointer to a withheld text is not a JSON pointer within a fact's data.",
    ),
    "number_out_of_range": ("invalid", "A number of a policy lies outside its range; the range is given."),
    "bands_reversed": SHARED["bands_reversed"],
    # moments
    "unknown_moment": ("not_found", "There is no such moment in this workspace."),
    "moment_retracted": ("conflict", "The moment was retracted and cannot be corrected."),
    # access and systems
    "identity_taken": ("conflict", "The identity is linked to another person."),
    "unknown_identity": ("not_found", "The identity was never linked in this workspace."),
    "unknown_key": ("not_found", "There is no such key in this workspace."),
    "key_revoked": ("conflict", "The key is revoked."),
    "last_admin": (
        "conflict",
        "No admin would be left who can sign in: grant the role to another first (or `operator grant`).",
    ),
    "digest_malformed": ("invalid", "A key's digest is not a SHA-256 in lower-case hex."),
    "unknown_system": ("not_found", "There is no such system in this workspace."),
    "system_retired": ("conflict", "The system is retired."),
    # units and people
    "unknown_unit": ("not_found", "There is no such unit in this workspace."),
    "unit_closed": ("conflict", "The unit is closed: nothing new is taken there."),
    "unit_loop": ("conflict", "The unit would lie below itself; the path is given."),
    "unit_too_deep": ("conflict", "The tree of units would have more levels than its limit."),
    "unknown_person": ("not_found", "There is no such person in this workspace."),
    "person_left": ("conflict", "The person left the organisation: nothing new is given to them."),
    "person_shredded": ("conflict", "The person is shredded: no new text, name or task is taken."),
    # cycles
    "unknown_cycle": ("not_found", "There is no such cycle in this workspace."),
    "dates_reversed": SHARED["dates_reversed"],
    "cycle_outside_parent": ("conflict", "A cycle would lie outside the dates of its parent cycle."),
    "cycle_not_open": ("conflict", "The cycle is only planned."),
    "cycle_locked": ("conflict", "The cycle is locked for grading."),
    "cycle_closed": ("conflict", "The cycle is closed."),
    "cycle_has_goals": ("conflict", "Some of the cycle's goals are drafts or active; they are listed."),
    # feeds and readings
    "unknown_feed": ("not_found", "There is no such feed in this workspace."),
    "unknown_restart": ("not_found", "The feed's counter has no restart at that time."),
    "nothing_redefined": (
        "conflict",
        "The feed has that very definition; a counter that began anew is restarted.",
    ),
    "feed_not_counter": ("conflict", "Only a counter is restarted; the feed was none at that time."),
    "base_above_reading": ("conflict", "The first reading from the restart on lies below its base."),
    "limits_reversed": ("invalid", "The lower plausibility limit is above the upper one."),
    "feed_of_another_system": ("forbidden", "The feed belongs to another system."),
    "mode_mismatch": (
        "invalid",
        "The mode does not follow the feed's kind (gauge, counter: absolute; event count: increment).",
    ),
    "reading_name_malformed": (
        "invalid",
        "Source or id of a reading is empty, too long or holds control characters.",
    ),
    "reading_unknown": ("not_found", "There is no such reading."),
    "reading_not_quarantined": ("conflict", "The reading is not in quarantine."),
    "reading_quarantined": ("conflict", "The reading is in quarantine: release or reject it."),
    "reading_rejected": ("conflict", "The reading was rejected."),
    "reading_retracted": ("conflict", "The reading was retracted."),
    "reading_unit_mismatch": ("invalid", "A correction is in another unit than the feed."),
}
