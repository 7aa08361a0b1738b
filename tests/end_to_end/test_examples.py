"""The answers that OpenAPI shows are what the demo organisation answers now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from goal_ledger_demo.examples import Example, ask, comparable, examples, load
from goal_ledger_local.stack import Stack

EXAMPLES = list(examples())


@pytest.fixture(scope="module")
def at_rest(session_directory: Path) -> Iterator[Stack]:
    """The demo organisation, loaded as if it had begun on the fixed day."""
    with Stack(session_directory / "examples", durable=False) as stack:
        load(stack)
        yield stack


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.file.stem for one in EXAMPLES])
def test_the_running_demo_answers_as_openapi_shows(at_rest: Stack, example: Example) -> None:
    asked = comparable(ask(at_rest, example))
    assert asked == comparable(example.answer), "run: python -m goal_ledger_demo.examples"


def test_two_answers_differ_by_more_than_chance_and_the_time_of_loading() -> None:
    before = {"id": "a", "at": "2026-03-22T22:59:59.999999Z", "value": "51"}
    assert comparable(before | {"value": "52"}) != comparable(before)
    assert comparable(before | {"at": "2026-03-21T22:59:59.999999Z"}) != comparable(before)
    assert comparable({"recorded_at": "2026-11-30T20:00:00Z"}) == comparable(
        {"recorded_at": "2027-01-02T03:04:05.6Z"}
    )
    assert comparable({"recorded_at": None}) != comparable({"recorded_at": "2027-01-02T03:04:05.6Z"})
