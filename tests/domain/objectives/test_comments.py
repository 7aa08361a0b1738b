"""Comments and kudos, on an objective or on a check-in, in every state of the goal."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from domain.objectives.organisation import IMPORTER, active_goal, closed, drafted
from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.person import PersonShredded
from goal_ledger_domain.check_in import RecordCheckIn
from goal_ledger_domain.comment import AddComment, GiveKudos
from support.given_when_then import Record, meta, on

ON_GOAL, ON_CHECK_IN = "objective/web-shop", "check-in/c1"


def goal() -> Record:
    said = RecordCheckIn(meta(), "c1", objective="web-shop", confidence=Decimal(1))
    return active_goal().given(drafted("other")).told(said)


@pytest.mark.parametrize("on_what", [ON_GOAL, ON_CHECK_IN])
def test_a_comment_and_kudos_are_recorded_in_the_stream_of_the_objective(on_what: str) -> None:
    decision = (
        goal()
        .when(AddComment(meta(), "x", on_what, "Well done"))
        .then(facts.CommentAdded("x", on_what, text="Well done"))
    )
    assert (decision.id, decision.stream, decision.claims[0].subject) == ("x", ON_GOAL, on_what)
    decision = goal().when(GiveKudos(meta(), "x", on_what)).then(facts.KudosGiven("x", on_what))
    assert (decision.id, decision.stream, decision.claims[0].subject) == ("x", ON_GOAL, on_what)


@pytest.mark.parametrize("say", [AddComment, GiveKudos])
def test_the_same_words_again_give_the_same_answer_and_other_words_are_refused(say: Any) -> None:
    record = goal().told(say(meta(), "x", ON_GOAL, "Well done"))
    assert record.when(say(meta(), "x", ON_GOAL, "Well done")).then_nothing_new().same_as == record.facts[-1]
    record.when(say(meta(), "x", ON_GOAL, "Hm")).then_refused("id_taken")
    record.when(say(meta(), "x", "objective/other", "Well done")).then_refused("id_taken")
    record.when(say(meta("person/bo"), "x", ON_GOAL, "Well done")).then_refused("id_taken")


def test_a_comment_and_kudos_may_have_the_same_id() -> None:
    record = goal().told(AddComment(meta(), "x", ON_GOAL, "Well done"))
    assert record.when(GiveKudos(meta(), "x", ON_GOAL)).refusal is None


def test_words_are_taken_when_the_goal_is_closed_and_archived() -> None:
    record = goal().given(closed())
    assert record.when(AddComment(meta(), "x", ON_GOAL, "Well done")).refusal is None
    record.given(on(ON_GOAL, facts.ObjectiveArchived()))
    assert record.when(AddComment(meta(), "x", ON_CHECK_IN, "Well done")).refusal is None


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        (AddComment(meta(), "x y", ON_GOAL, "T"), "id_malformed", "comment"),
        (GiveKudos(meta(), "x y", ON_GOAL), "id_malformed", "kudos"),
        (AddComment(meta(), "x", ON_GOAL, "\n"), "text_empty", "text"),
        (AddComment(meta(), "x", ON_GOAL, "a\u202eb"), "text_has_control_characters", "text"),
        (AddComment(meta(), "x", ON_GOAL, "x" * 8001), "text_too_long", "text"),
        (AddComment(meta(), "x", "web-shop", "T"), "reference_malformed", "on"),
        (AddComment(meta(), "x", "key-result/open", "T"), "reference_malformed", "on"),
        (AddComment(meta(), "x", "objective/none", "T"), "unknown_objective", "on"),
        (AddComment(meta(), "x", "check-in/none", "T"), "unknown_check_in", "on"),
        (AddComment(meta(), "x", ON_GOAL, "T", "person/bo"), "author_only_in_import", "author"),
    ],
)
def test_words_that_cannot_be_are_refused_with_the_field(asked: Any, code: str, field: str) -> None:
    goal().when(asked).then_refused(code, field)


def test_an_import_brings_words_of_the_past_in_the_order_of_the_stream() -> None:
    record = active_goal()
    last = record.now
    importing = meta(IMPORTER, importing=True, effective_at=last)
    decision = record.when(AddComment(importing, "x", ON_GOAL, "Then", "person/bo")).then(
        facts.CommentAdded("x", ON_GOAL, "person/bo", "Then")
    )
    assert decision.drafts[0].effective_at == last
    record.told(AddComment(meta(), "now", ON_GOAL, "Now"))
    record.when(AddComment(importing, "x", ON_GOAL, "Then")).then_refused("effective_at_goes_back")
    past = meta(effective_at=last - timedelta(days=1))
    record.when(AddComment(past, "y", ON_GOAL, "T")).then_refused("effective_at_past")


def test_nothing_new_is_written_for_a_shredded_person() -> None:
    record = goal().given(on("person/bo", PersonShredded()))
    importing = meta(IMPORTER, importing=True)
    record.when(AddComment(importing, "x", ON_GOAL, "T", "person/bo")).then_refused("person_shredded")
