"""The pages of codes and limits are what the tables say, and no code is used that is not in its table."""

import ast
from pathlib import Path

import pytest
from goal_ledger_domain import documents, limits
from goal_ledger_domain.refusals import CODES, GENERAL, STATUS
from goal_ledger_domain.refusals_of_goals import GOALS
from goal_ledger_domain.refusals_of_organisation import ORGANISATION

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "libs/domain/goal_ledger_domain").glob("*.py"))


@pytest.mark.parametrize("name", documents.PAGES)
def test_the_page_is_written_from_the_table(name: str) -> None:
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert page == documents.PAGES[name](), "run: python -m goal_ledger_domain.documents docs"


def test_every_code_is_in_one_table_and_of_a_known_kind() -> None:
    assert len(CODES) == len(GENERAL) + len(GOALS) + len(ORGANISATION)
    assert {kind for kind, _ in CODES.values()} <= set(STATUS)


def _words() -> set[str]:
    """Every string in the deciders' source, tables aside."""
    return {
        node.value
        for path in SOURCES
        if not path.stem.startswith("refusals")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_is_used() -> None:
    assert set(CODES) - _words() == set()


def test_every_code_that_is_raised_is_in_the_table() -> None:
    raised = {
        (path.name, call.args[0].value)
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Refusal"
        and isinstance(call.args[0], ast.Constant)
    }
    assert {(file, code) for file, code in raised if code not in CODES} == set()
    assert raised


def test_every_limit_says_its_unit_or_what_it_counts() -> None:
    units = (
        "CHARACTERS",
        "BYTES",
        "ITEMS",
        "LEVELS",
        "DIGITS_BEFORE",
        "DIGITS_AFTER",
        "YEAR",
        "YEARS",
        "MAX",
    )
    names = [name for name in vars(limits) if name.isupper()]
    assert all(name.endswith(units) for name in names), names
