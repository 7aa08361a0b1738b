"""Every code that any part's source uses is on the page of refusals, with the status that it has there, and every code that
is logged or that a workspace stands still for is on a page that says what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from goal_ledger_contracts.refusal_codes import CLIENT, ELSEWHERE, QUARANTINE, SHARED, STANDING_STILL
from goal_ledger_domain.refusals import CODES, STATUS
from goal_ledger_projection.folding import positions

ROOT = Path(__file__).parents[2]
LISTED: dict[str, set[int]] = {}
for _kind_and_meaning in CODES.items():
    LISTED.setdefault(_kind_and_meaning[0], set()).add(STATUS[_kind_and_meaning[1][0]])
for _, _codes in ELSEWHERE:
    for _code, (_status, _) in _codes.items():
        LISTED.setdefault(_code, set()).add(_status)
RAISING = {"Problem", "NotAReading", "Unavailable"}


def _sources() -> Iterator[tuple[Path, ast.AST]]:
    for base in ("libs", "services"):
        for path in sorted((ROOT / base).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _used() -> Iterator[tuple[str, int | None, str]]:
    """(code, status if it is stated, file) of every problem raised and every ledger error."""
    for path, tree in _sources():
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Name(id="Problem"), args=[ast.Constant(value=int() as status), second, *_]
                ):
                    for code in _constants(second):
                        yield code, status, str(path.relative_to(ROOT))
                case ast.Call(func=ast.Name(id="NotAReading"), args=[ast.Constant(value=str() as code), *_]):
                    yield code, None, str(path.relative_to(ROOT))
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str() as code)):
                    yield code, None, str(path.relative_to(ROOT))
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == "code":
                            yield from (
                                (code, None, str(path.relative_to(ROOT))) for code in _constants(value)
                            )


def _constants(node: ast.AST) -> Iterator[str]:
    """A code as it is written, or both of a conditional."""
    for part in ast.walk(node) if isinstance(node, ast.IfExp) else (node,):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def test_every_code_that_the_source_uses_is_on_the_page() -> None:
    known = {*LISTED, *CLIENT, *QUARANTINE, "unknown", "ledger_error"}
    used = set(_used())

    assert {(code, file) for code, _, file in used if code not in known} == set()
    assert len({code for code, _, _ in used}) > 40


def test_every_code_of_the_read_side_has_a_title_there() -> None:
    titled = {*SHARED, *(code for _, codes in ELSEWHERE for code in codes)}
    asked = {code for code, _, file in _used() if file.startswith(("services/projection", "libs/edge"))}

    assert len(asked) > 20
    assert asked - titled == {"unknown"}, "a code of the deciders that is used there too stands in SHARED"


def test_the_status_on_the_page_is_the_one_that_is_answered() -> None:
    elsewhere = {code for _, codes in ELSEWHERE for code in codes}
    wrong = {
        (code, status, file)
        for code, status, file in _used()
        if status is not None and code in elsewhere and status not in LISTED[code]
    }

    assert wrong == set()


def test_every_reason_to_stand_still_is_on_the_page_with_what_to_do() -> None:
    page = (ROOT / "docs/operations/standing-still.md").read_text(encoding="utf-8")
    assert {positions.LOG_CONTRADICTED, positions.STORE_BEHIND_READER} == set(STANDING_STILL)
    assert [code for code in STANDING_STILL if f"`{code}`" not in page] == []


def test_every_code_that_is_logged_is_named_in_the_documentation() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    logged = {
        (call.args[0].value, str(path.relative_to(ROOT)))
        for path, tree in _sources()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("warning", "error", "critical")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and re.fullmatch(r"[a-z]+(_[a-z]+)+", str(call.args[0].value))
    }
    assert logged
    assert {(code, file) for code, file in logged if f"`{code}`" not in pages} == set()
