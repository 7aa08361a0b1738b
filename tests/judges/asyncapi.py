"""The AsyncAPI document of the topics, before the specification's own parser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from goal_ledger_local.tools import REPOSITORY

PACKAGE = "@asyncapi/parser@3.6.3"
TIMEOUT_S = 600


def judge(directory: Path) -> list[str]:
    """What it finds. Raises CalledProcessError if npm cannot fetch it."""
    fetched = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(directory), PACKAGE]
    subprocess.run(fetched, check=True, timeout=TIMEOUT_S)
    shutil.copy(Path(__file__).with_name("asyncapi.mjs"), directory)
    asked = ["node", str(directory / "asyncapi.mjs"), str(REPOSITORY / "docs" / "asyncapi.json")]
    ran = subprocess.run(asked, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return [] if ran.returncode == 0 else (ran.stdout + ran.stderr).splitlines()
