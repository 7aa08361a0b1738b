"""What the fault campaign says of a restart that took long: slow, never lost."""

from __future__ import annotations

import pytest
from faults.campaign import RECOVERED_WITHIN_S, Kill, row, verdict
from faults.verdict import Verdict
from faults.waiting import NotInTime
from goal_ledger_local.processes import NotReadyInTime, PartFailed


def test_a_slow_restart_is_slow_and_nothing_is_lost() -> None:
    slow = Kill("kafka", in_flight=3, back_s=91.0)
    found = verdict([slow, Kill("query", in_flight=1, back_s=RECOVERED_WITHIN_S)])
    assert (found.wrong, found.slow) == ([], ["kafka: 91 s until work went on, 60 s are wanted"])
    assert found.exit_code == 4
    assert list(found.lines())[-1] == "Nothing was seen lost, doubled or wrong; something was slow."
    assert "SLOW 91 s" in row(slow) and "WRONG" not in row(slow)


def test_what_is_lost_is_wrong_however_slow_it_was() -> None:
    found = verdict([Kill("kafka", in_flight=3, back_s=91.0, wrong=["works: lost a"])])
    assert (found.exit_code, found.slow != []) == (1, True)
    assert list(found.lines())[-1] == "Something was lost, doubled or wrong."


@pytest.mark.parametrize(
    "late", [NotReadyInTime("kafka was not ready in time"), NotInTime("not within 300 s")]
)
def test_a_run_that_ends_for_lack_of_time_says_slow_and_that_the_rest_was_not_compared(
    late: Exception,
) -> None:
    found = Verdict()
    found.ended_by(late)
    assert (found.wrong, found.slow, found.exit_code) == ([], [str(late)], 4)
    assert any("was not" in line for line in found.stopped)


def test_a_part_that_ended_is_wrong() -> None:
    found = Verdict()
    found.ended_by(PartFailed("relay ended with 1"))
    assert (found.wrong, found.slow, found.exit_code) == (["relay ended with 1"], [], 1)
