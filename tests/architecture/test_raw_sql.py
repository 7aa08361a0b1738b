"""SQL as text stands where docs/decisions/raw-sql.md says so, file by file with the reason; everything else is SQLAlchemy Core."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "docs" / "decisions" / "raw-sql.md"
STATEMENT = re.compile(
    r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|COPY|CREATE|ALTER|DROP|TRUNCATE|LOCK|SET|SHOW|GRANT|REVOKE|ANALYZE"
    r"|BEGIN|COMMIT|ROLLBACK|VACUUM)[ \n]"
)
LISTED = re.compile(r"\| `(\S+)` \| (\w+) \|")
REASON = re.compile(r"^- \*(\w+)\*: ", re.MULTILINE)


def test_every_file_with_raw_statements_stands_in_the_record_with_its_reason() -> None:
    said = RECORD.read_text()
    listed = dict(LISTED.findall(said))
    assert listed.keys() == _raw(), (
        "docs/decisions/raw-sql.md lists other files than those with raw statements"
    )
    assert set(listed.values()) == set(REASON.findall(said))


def test_a_raw_statement_is_found_in_each_form() -> None:
    program = (
        '"""SELECT in words"""\nONE = "SELECT 1"\nTWO = f"""\nUPDATE {table} SET a = 1"""\nNO = "SELECTED"\n'
    )
    assert len(list(_statements(ast.parse(program)))) == 2


def _raw() -> set[str]:
    files = sorted((*ROOT.glob("libs/**/*.py"), *ROOT.glob("services/**/*.py")))
    ours = (file for file in files if "migrations" not in file.parts)
    return {str(file.relative_to(ROOT)) for file in ours if any(_statements(ast.parse(file.read_text())))}


def _statements(tree: ast.Module) -> Iterator[str]:
    """Of text that is no docstring, and of f-strings with their holes left out, what begins as SQL does."""
    no_text = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    no_text |= {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(tree):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(
            one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)
        )
        if id(node) not in no_text and STATEMENT.match(text):
            yield text
