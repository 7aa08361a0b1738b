"""The README's tour is run as it is written, against the demo organisation; so are the guides' examples."""

import pytest
from end_to_end.pages import must_be_as_written, prelude, steps
from goal_ledger_demo import seeding
from goal_ledger_demo.proof import prove
from goal_ledger_local.stack import Stack

GUIDES = (
    "docs/guide/paging-and-clocks.md",
    "docs/guide/people-and-systems.md",
    "docs/guide/emitters.md",
    "docs/guide/analysts.md",
)


def test_the_demo_is_proven_and_the_tour_of_the_readme_says_what_happens(demo: Stack) -> None:
    proved = prove(demo.describe(), seeding.start_day(demo.directory), print)
    assert proved.roots_agree

    written = steps("README.md")
    assert len(written) > 10
    must_be_as_written(written, demo)


@pytest.mark.parametrize("page", GUIDES)
def test_the_examples_of_a_guide_say_what_happens(demo: Stack, page: str) -> None:
    written = steps(page)
    assert len(written) > 4
    must_be_as_written([*prelude(), *written], demo)
