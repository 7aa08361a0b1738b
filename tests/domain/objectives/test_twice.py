"""The property of every decider: the same command twice in a row records nothing new the second time.

Also here: each code of a refusal is raised somewhere, and nothing is raised that is not in the table.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import goal_ledger_domain
import pytest
from domain.objectives.any_command import BEGINNINGS, COMMAND, COMMANDS, METAS, STATES, asked
from goal_ledger_domain.deciders import GOALS as DECIDERS_OF_GOALS
from goal_ledger_domain.refusals_of_goals import GOALS
from hypothesis import given, settings
from hypothesis import strategies as st
from support.given_when_then import tells_nothing_new_twice


def test_every_command_of_the_objectives_is_tried() -> None:
    assert set(COMMANDS) == {command for file in DECIDERS_OF_GOALS for command in file.DECIDER.commands}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_command_twice_records_nothing_new(command: type) -> None:
    recorded = 0

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(
        st.sampled_from(STATES), st.lists(COMMAND, max_size=4), st.builds(command, METAS, **COMMANDS[command])
    )
    def whatever_was_before(state: str, earlier: list[Any], one: Any) -> None:
        nonlocal recorded
        record = BEGINNINGS[state]()
        for before in earlier:
            tells_nothing_new_twice(record, asked(record, before))
        facts_before = len(record.facts)
        tells_nothing_new_twice(record, asked(record, one))
        recorded += len(record.facts) - facts_before

    whatever_was_before()
    assert recorded, "no example was allowed: the property says nothing"


def raised() -> set[str]:
    here = Path(goal_ledger_domain.__file__).parent
    sources = [p.read_text() for p in here.glob("*.py") if not p.name.startswith("refusals")]
    return set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', "\n".join(sources)))


def test_each_code_of_the_objectives_is_raised_somewhere() -> None:
    assert set(GOALS) - raised() == set()
