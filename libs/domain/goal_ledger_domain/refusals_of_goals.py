"""Codes of refusals for objectives, key results, links, check-ins and comments."""

from __future__ import annotations

_FOUND: dict[str, tuple[str, str]] = {
    "unknown_objective": ("not_found", "There is no such objective in this workspace."),
    "unknown_key_result": ("not_found", "There is no such key result in this workspace."),
    "unknown_check_in": ("not_found", "There is no such check-in in this workspace."),
    "unknown_link": ("not_found", "The objective has no such link."),
    "unknown_change": ("not_found", "The objective has no such change after its activation."),
}

_STATE: dict[str, tuple[str, str]] = {
    "objective_is_draft": ("conflict", "The objective is a draft; this needs an activated one."),
    "draft_can_only_be_dropped": ("conflict", "A draft that is closed is closed as dropped."),
    "objective_closed": ("conflict", "The objective is closed; it can be reopened."),
    "objective_archived": ("conflict", "The objective is archived."),
    "objective_not_closed": ("conflict", "Only a closed objective can be archived or reopened."),
    "goal_cycle_closed": ("conflict", "The cycle of the objective is closed, and its goals with it."),
    "after_lock": ("conflict", "The check-in is effective after the lock of the objective's cycle."),
    "after_closing": ("conflict", "The check-in is effective after the closing of the objective."),
    "admin_only": ("forbidden", "In this state only an admin may do this."),
    "reopening_needs_cycle": (
        "conflict",
        "A goal whose cycle is closed is reopened in an open cycle, which is to be named.",
    ),
    "already_in_cycle": ("conflict", "The objective is in another cycle; move it, with a reason."),
    "not_in_cycle": ("conflict", "The objective is in no cycle; put it in one."),
    "already_carried_over": ("conflict", "The objective was carried over before; into which is given."),
    "same_cycle": ("conflict", "An objective is carried over into another cycle than its own."),
}

_DEFINITION: dict[str, tuple[str, str]] = {
    "direction_mismatch": ("invalid", "An increase needs a target above its baseline, a decrease one below."),
    "band_reversed": ("invalid", "The low of a band lies above its high."),
    "tolerance_negative": ("invalid", "The tolerance of a band is negative."),
    "not_monotone": ("invalid", "The values or scores of a ranged measure do not rise or fall strictly."),
    "window_malformed": (
        "invalid",
        "A window is neither a start and a later end, nor a moment and a duration.",
    ),
    "part_not_simple": ("invalid", "A part of a compound measure is itself compound or aligned."),
    "n_out_of_range": ("invalid", "n is stated without at_least, or not between 1 and the number of parts."),
    "ids_not_unique": ("invalid", "Two steps, parts or values of a list have the same id."),
    "weights_all_zero": (
        "invalid",
        "A commitment needs a weight above 0 among its key results, steps and parts.",
    ),
    "key_result_dropped": ("conflict", "The key result is dropped; it can be taken up again."),
    "too_many_active_objectives": (
        "conflict",
        "The owner has as many active objectives as the policy allows.",
    ),
    "too_many_key_results": ("conflict", "The objective has as many key results as its policy allows."),
}

_LINKS: dict[str, tuple[str, str]] = {
    "alignment_loop": ("conflict", "The alignment would close a loop; the path is given."),
    "aligned_to_itself": ("conflict", "An objective cannot be aligned to itself or to its own key result."),
    "parent_closed": ("conflict", "Nothing new is linked to a closed or archived objective."),
    "key_result_has_own_measure": (
        "conflict",
        "Contributing to a key result needs one whose measure is aligned.",
    ),
    "key_result_has_contributors": (
        "conflict",
        "Objectives contribute to the key result: it cannot get a measure of its own.",
    ),
    "unknown_part": ("invalid", "The measure has no such part."),
    "part_cannot_be_fed": ("invalid", "A checklist is ticked by people, not fed by readings."),
    "aggregation_mismatch": ("invalid", "The feed's kind has no such aggregation."),
    "binding_needs_cycle": (
        "conflict",
        "Without a window or a cycle there is no period to aggregate over; only last of a gauge does without.",
    ),
    "part_is_bound": (
        "conflict",
        "The new measure has no place for a part that is bound to a feed: unbind first.",
    ),
}

_WORDS: dict[str, tuple[str, str]] = {
    "check_in_empty": ("invalid", "A check-in says something: a value, status, confidence, note or blocker."),
    "check_in_retracted": ("conflict", "The check-in was retracted, for good."),
    "values_on_objective": ("invalid", "A check-in on an objective carries no values; its key results do."),
    "value_comes_from_feed": ("invalid", "The part is bound to a feed: a check-in carries no value for it."),
    "value_does_not_fit": ("invalid", "The value is not of the kind that the part measures."),
    "unknown_step": ("invalid", "The checklist has no such step."),
    "confidence_out_of_range": ("invalid", "Confidence is 0 to 1 in steps of 0.1."),
    "grade_out_of_range": ("invalid", "A grade is 0 to 1."),
    "author_only_in_import": ("forbidden", "Only an import names the author; else it is the actor."),
    "endorsed_by_same_person": (
        "conflict",
        "A change is endorsed by another person than the one who made it.",
    ),
    "endorsed_by_system": ("forbidden", "A change is endorsed by a person."),
}

GOALS: dict[str, tuple[str, str]] = {**_FOUND, **_STATE, **_DEFINITION, **_LINKS, **_WORDS}
