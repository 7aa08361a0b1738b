"""Contracts, domain and scoring use no binary float and import the standard library and contracts only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LIBS = Path(__file__).parents[2] / "libs"
PURE = ("contracts", "domain", "scoring")
SOURCES = sorted(path for part in PURE for path in (LIBS / part).rglob("*.py"))
FLOAT_FUNCTIONS = {"float", "complex"}
FLOAT_MODULES = {"math", "cmath", "statistics", "random", "numpy"}


def float_uses(tree: ast.AST) -> list[str]:
    """Where a binary float could touch a value: literals, ``float``, true division of integers, float modules."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex()):
                found.append(f"line {node.lineno}: the literal {node.value}")
            case ast.Name(id=name) if name in FLOAT_FUNCTIONS:
                found.append(f"line {node.lineno}: {name}")
            case ast.Import(names=names) if {one.name.partition(".")[0] for one in names} & FLOAT_MODULES:
                found.append(f"line {node.lineno}: import")
            case ast.ImportFrom(module=str() as module) if module.partition(".")[0] in FLOAT_MODULES:
                found.append(f"line {node.lineno}: import from {module}")
            case ast.Attribute(attr="total_seconds" | "timestamp" | "from_float"):
                found.append(f"line {node.lineno}: {node.attr}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LIBS)))
def test_no_binary_float_is_anywhere_in_the_source(path: Path) -> None:
    assert float_uses(ast.parse(path.read_text())) == []


def test_the_search_finds_what_it_looks_for() -> None:
    for source in ("x = 0.1", "float('1')", "import math", "from math import pi", "at.timestamp()"):
        assert float_uses(ast.parse(source))


@pytest.mark.parametrize("part", PURE)
def test_a_pure_part_imports_the_standard_library_and_contracts_only(part: str) -> None:
    names = [
        f"goal_ledger_{part}.{path.stem}"
        for path in (LIBS / part / f"goal_ledger_{part}").glob("*.py")
        if path.stem != "__init__"
    ]
    program = (
        "import importlib, sys\n"
        "before = set(sys.modules)\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print('\\n'.join({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    known = sys.stdlib_module_names
    new = {name for name in told.stdout.split() if name not in known and "sysconfigdata" not in name}
    assert new - {"goal_ledger_contracts", f"goal_ledger_{part}"} == set()
