"""Import directions are tests: the contracts in pyproject.toml are kept, and the pure parts run on their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = (
    "goal_ledger_contracts.facts",
    "goal_ledger_domain.decide",
    "goal_ledger_scoring",
    "goal_ledger_history.from_facts",
    "goal_ledger_ledger.merkle",
)


def test_the_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    told = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("module", PURE)
def test_a_pure_part_imports_only_the_standard_library_and_its_own(module: str) -> None:
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        f"import {module}\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print('\\n'.join(n for n in new if n not in sys.stdlib_module_names and not n.startswith('_sysconfigdata') and not n.startswith('goal_ledger_')))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_the_read_side_asks_its_database_from_read_models_and_history_alone() -> None:
    api = ROOT / "services/projection/goal_ledger_projection/api"
    asking = [file.name for file in sorted(api.glob("*.py")) if re.search(r"\bSELECT\b", file.read_text())]
    assert asking == []
