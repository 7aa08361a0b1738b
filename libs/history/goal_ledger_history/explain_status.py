"""Why a status is shown: which rule held first, and the facts and dates that it looked at (SPEC 5 "Status")."""

from __future__ import annotations

from typing import Any

from goal_ledger_scoring.status import Word, is_fresh, is_outdated, stated_now
from goal_ledger_scoring.windows import Span

from goal_ledger_history.explanation import Cited, FeedSeen, PolicyInForce, StatusNode, StatusOf
from goal_ledger_history.goals import KeyResult
from goal_ledger_history.last_check_ins import LastCheckIn
from goal_ledger_history.statuses import Standing

CLOSED, OUTDATED, STATED, COMPUTED, PENDING = "closed", "outdated", "stated", "computed", "pending"
WORST = "worst_of_key_results"


def policies_of(standing: Standing) -> list[PolicyInForce]:
    """The policies in force at the standing's moment, the nearest first."""
    moment, background = standing.moment, standing.statuses.background
    found = background.policy_seqs(standing.goal.id, standing.defined.owner, moment.known_to, moment.true_at)
    return [PolicyInForce(scope, Cited(seq)) for scope, seq in found.items()]


def objective_status(standing: Standing) -> StatusNode:
    """Its own stated status, else the worst of its key results."""
    status, word = standing.status, standing.said.word
    counted = [one for one in standing.defined.key_results if not one.dropped]
    outdated = is_outdated(word, standing.rhythm, standing.owing_since)
    if standing.plan.is_closed:
        decided = CLOSED
    elif stated_now(word, standing.rhythm) is not None:
        decided = STATED
    elif counted:
        decided = WORST
    else:
        decided = OUTDATED if outdated else PENDING
    return StatusNode(
        shown=status.shown,
        decided_by=decided,
        outdated=outdated,
        fresh=None,
        feeds=[],
        computed=status.computed,
        expected=standing.expected,
        score=standing.amended.score,
        gap=status.gap,
        within_risk=False,
        key_results=[StatusOf(f"key-result/{one.id}", standing.shown[one.id]) for one in counted],
        **_said(standing, standing.said),
        **_span(standing, standing.cycle),
        **_common(standing),
    )


def key_result_status(standing: Standing, one: KeyResult) -> StatusNode:
    """Of one key result."""
    of_it, score = standing.key_result(one), standing.amended.key_results[one.id]
    status, word = of_it.status, of_it.said.word
    fed = standing.statuses.fed_parts(one, standing.moment)
    outdated = is_outdated(word, standing.rhythm, standing.owing_since)
    return StatusNode(
        shown=status.shown,
        decided_by=_decided(standing, word, is_fresh(fed, standing.rhythm), status.computed),
        outdated=outdated,
        fresh=status.fresh,
        feeds=[
            FeedSeen(bound.feed, part.last_at, part.interval)
            for (_, bound), part in sorted(
                zip(one.bindings.items(), fed, strict=True), key=lambda pair: pair[0]
            )
        ],
        computed=status.computed,
        expected=of_it.expected,
        score=score.score,
        gap=status.gap,
        within_risk=score.within_risk,
        key_results=[],
        **_said(standing, of_it.said),
        **_span(standing, standing.statuses.expected_span(standing.plan, one)),
        **_common(standing),
    )


def _decided(standing: Standing, word: Word, fed_and_fresh: bool, computed: str | None) -> str:
    if not fed_and_fresh and is_outdated(word, standing.rhythm, standing.owing_since):
        return OUTDATED
    if stated_now(word, standing.rhythm) is not None:
        return STATED
    return COMPUTED if fed_and_fresh and computed is not None else PENDING


def _said(standing: Standing, said: LastCheckIn) -> dict[str, Any]:
    stated = stated_now(said.word, standing.rhythm)
    return {
        "stated": stated,
        "stated_at": None if stated is None else said.word.stated_at,
        "stated_by": None if stated is None else _cited(said.stated_seq),
        "last_check_in_at": said.word.at,
        "last_check_in_by": _cited(said.seq),
    }


def _span(standing: Standing, span: Span | None) -> dict[str, Any]:
    moment, by = standing.moment, None
    if span is not None and span is standing.cycle:
        background = standing.statuses.background
        by = background.cycle_seq(standing.defined.cycle, moment.known_to, moment.true_at)
    return {
        "at": moment.true_at,
        "start": None if span is None else span.start,
        "end": None if span is None else span.end,
        "cycle_by": _cited(by),
    }


def _common(standing: Standing) -> dict[str, Any]:
    closing = standing.goal.closing if standing.plan.is_closed else None
    rhythm, rules = standing.rhythm, standing.rules
    return {
        "closed_by": None if closing is None else Cited(closing.seq),
        "active_since": standing.owing_since,
        "last_due_ends": rhythm.last_due_ends,
        "owed_since": rhythm.owed_since,
        "owed_ends": rhythm.owed_ends,
        "on_track_points": rules.on_track_points,
        "behind_points": rules.behind_points,
        "policies": policies_of(standing),
    }


def _cited(seq: int | None) -> Cited | None:
    return None if seq is None else Cited(seq)
