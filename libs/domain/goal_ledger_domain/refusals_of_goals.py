"""Codes of refusals for objectives, key results, links, check-ins and comments."""

from __future__ import annotations

GOALS: dict[str, tuple[str, str]] = {
    "unknown_objective": ("not_found", "There is no such objective in this workspace."),
    "unknown_key_result": ("not_found", "There is no such key result in this workspace."),
    "unknown_check_in": ("not_found", "There is no such check-in in this workspace."),
    "alignment_loop": ("conflict", "The alignment would close a loop; the path is given."),
    "key_result_has_own_measure": (
        "conflict",
        "Contributing to a key result needs one whose measure is aligned.",
    ),
    "direction_mismatch": ("invalid", "An increase needs a target above its baseline, a decrease one below."),
    "value_comes_from_feed": ("invalid", "The part is bound to a feed: a check-in carries no value for it."),
}
