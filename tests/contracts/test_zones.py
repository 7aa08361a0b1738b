"""Time zones are those of the pinned package in every process, whatever the machine's own files say."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import pytest
from goal_ledger_contracts.zones import names, zone

ROOT = Path(__file__).parents[2]
PINNED = next(
    line.split("==")[1].split()[0]
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if line.startswith("tzdata==")
)
ASKING = """
from datetime import date, datetime, UTC, timedelta
from goal_ledger_contracts.zones import zone
from goal_ledger_domain.cycle import span
from goal_ledger_scoring.windows import day_start, plus
noon = datetime(2026, 12, 1, 12, tzinfo=zone("America/Vancouver")).astimezone(UTC)
print(noon.isoformat())
print(day_start(date(2026, 12, 1), "America/Vancouver").isoformat())
print(plus(datetime(2026, 6, 1, tzinfo=UTC), "P6M", "America/Vancouver").isoformat())
"""


def asked(tzpath: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", ASKING],
        env={"PYTHONTZPATH": tzpath},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout


def test_the_machines_files_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "America").mkdir()
    utc = files("tzdata").joinpath("zoneinfo", "UTC").read_bytes()
    (tmp_path / "America" / "Vancouver").write_bytes(utc)
    assert asked(str(tmp_path)) == asked("")
    assert "2026-12-01T12:00:00" not in asked(str(tmp_path))


def test_the_release_is_the_locked_one() -> None:
    assert version("tzdata") == PINNED


def test_every_name_of_the_release_opens_and_is_kept() -> None:
    assert {"Europe/Oslo", "America/Argentina/Buenos_Aires", "UTC"} < names()
    for name in names():
        assert zone(name) is zone(name)
        datetime(2026, 7, 1, tzinfo=zone(name)).astimezone(UTC)


@pytest.mark.parametrize(
    "name", ["", "Oslo", "europe/oslo", "../zones", "Europe", "/etc/localtime", "UTC\0", "x" * 9000]
)
def test_other_names_are_no_zone(name: str) -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        zone(name)


def test_nothing_else_opens_zones() -> None:
    """Of the product, only `zones.py` may name ZoneInfo: whatever opens one by itself reads the machine's files."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for part in ("libs", "services", "deploy")
        for path in (ROOT / part).rglob("*.py")
        if path.name != "zones.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
        and "zoneinfo" in {getattr(node, "module", None), *(one.name for one in node.names)}
    ]
    assert found == []
