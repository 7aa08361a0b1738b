"""Help is there at once, and a process loads no library before it needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"aiokafka", "asyncpg", "fastapi", "joserfc", "pyarrow", "sqlalchemy", "uvicorn"}
HELP = """
import sys
from {module} import {name}
sys.argv = ["it", {words}]
try:
    {name}()
finally:
    print(*sys.modules)
"""
QUERY = """
import sys
import goal_ledger_projection.query
from goal_ledger_projection.exports.pyarrow_later import load_pyarrow
print("pyarrow" in sys.modules, end=" ")
load_pyarrow()
print("pyarrow" in sys.modules)
"""


def _told(program: str) -> list[str]:
    """The words of its last line."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        ("goal_ledger_command.__main__", "app", "'operator', '--help'"),
        ("goal_ledger_projection.__main__", "app", "'--help'"),
        ("goal_ledger_client.cli.app", "main", "'--help'"),
        ("goal_ledger_verifier.main", "main", "'--help'"),
    ],
)
def test_help_loads_no_library_of_what_it_tells_of(module: str, name: str, words: str) -> None:
    loaded = _told(HELP.format(module=module, name=name, words=words))

    assert HEAVY & {one.partition(".")[0] for one in loaded} == set()


def test_the_query_process_loads_pyarrow_when_it_is_first_asked_for_an_export() -> None:
    assert _told(QUERY) == ["False", "True"]
