"""Moments: one per name, slotted in anywhere, corrected, retracted."""

from datetime import timedelta

from goal_ledger_contracts.workspace import MomentCorrected, MomentRecorded, MomentRetracted
from goal_ledger_domain.moment import CorrectMoment, RecordMoment, RetractMoment
from support.given_when_then import START, Record, given, meta

AT, LATER = START - timedelta(days=3), START - timedelta(days=2)
R = meta(reason="It was Tuesday")


def launched() -> Record:
    return given().told(RecordMoment(meta(), "launch", AT))


def test_a_moment_is_recorded_when_it_was() -> None:
    draft = given().when(RecordMoment(meta(), "launch", AT)).then(MomentRecorded("launch", AT)).drafts[0]
    assert draft.effective_at == AT


def test_recorded_again_alike_it_is_nothing_new() -> None:
    record = launched()
    assert record.when(RecordMoment(meta(), "launch", AT)).then_nothing_new().same_as == record.facts[-1]


def test_there_is_one_per_name() -> None:
    refusal = launched().when(RecordMoment(meta(), "launch", LATER)).then_refused("id_taken", "name")
    assert refusal.details["at"] == "2026-01-02T08:00:00.000000Z"


def test_it_is_corrected_with_a_reason() -> None:
    draft = (
        launched().when(CorrectMoment(R, "launch", LATER)).then(MomentCorrected("launch", LATER)).drafts[0]
    )
    assert draft.effective_at == LATER
    launched().when(CorrectMoment(meta(), "launch", LATER)).then_refused("reason_required")


def test_a_correction_to_what_it_is_is_nothing_new() -> None:
    launched().when(CorrectMoment(meta(), "launch", AT)).then_nothing_new()


def test_a_late_repeat_of_the_first_recording_is_nothing_new_after_a_correction() -> None:
    record = launched().told(CorrectMoment(R, "launch", LATER))
    record.when(RecordMoment(meta(), "launch", AT)).then_nothing_new()
    record.when(RecordMoment(meta(), "launch", LATER)).then_nothing_new()


def test_it_is_retracted_with_a_reason_and_once() -> None:
    launched().when(RetractMoment(R, "launch")).then(MomentRetracted("launch"))
    launched().when(RetractMoment(meta(), "launch")).then_refused("reason_required")
    launched().told(RetractMoment(R, "launch")).when(RetractMoment(meta(), "launch")).then_nothing_new()


def test_retracted_it_cannot_be_corrected_but_may_be_recorded_anew() -> None:
    record = launched().told(RetractMoment(R, "launch"))
    record.when(CorrectMoment(R, "launch", LATER)).then_refused("moment_retracted")
    record.when(RecordMoment(meta(), "launch", LATER)).then(MomentRecorded("launch", LATER))


def test_what_was_never_recorded_is_unknown() -> None:
    given().when(CorrectMoment(R, "launch", AT)).then_refused("unknown_moment", "name")
    given().when(RetractMoment(R, "launch")).then_refused("unknown_moment", "name")


def test_it_cannot_lie_far_ahead_nor_have_a_name_outside_the_alphabet() -> None:
    record = given()
    ahead = RecordMoment(meta(), "launch", record.now + timedelta(hours=1))
    record.when(ahead).then_refused("effective_at_ahead", "at")
    record.when(RecordMoment(meta(), "launch", AT.replace(year=1))).then_refused("time_out_of_range", "at")
    record.when(RecordMoment(meta(), "the launch", AT)).then_refused("id_malformed", "name")


def test_it_is_effective_at_its_own_time_and_at_no_other_that_is_stated_beside_it() -> None:
    for stated, code in ((AT, None), (LATER, "effective_at_differs")):
        asked = RecordMoment(meta(effective_at=stated), "launch", AT)
        outcome = given().when(asked)
        if code is None:
            outcome.then(MomentRecorded("launch", AT))
        else:
            outcome.then_refused(code, "effective_at")
    corrected = CorrectMoment(meta(reason="Late", effective_at=AT), "launch", LATER)
    launched().when(corrected).then_refused("effective_at_differs", "effective_at")
