"""The pages in a real browser (Debian's Chromium, driven by its own driver): axe-core over each, in both languages, light and
dark, at two widths; what the browser complains of; what is wider than the screen. Screenshots go to the cache, to be looked at.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from goal_ledger_demo import seeding
from goal_ledger_local.tools import ToolMissing, cache_dir

from judges.fetching import python_program
from judges.running import demo

AXE = "axe-core@4.14.0"
SELENIUM = "selenium==4.48.0"
SCREENSHOTS = cache_dir() / "screenshots"
TIMEOUT_S = 600
PROGRAM = Path(__file__).with_name("pages_in_browser.py")


def judge(directory: Path) -> list[str]:
    """What is found, by page. Raises ToolMissing, CalledProcessError if npm or pip cannot fetch a program, PartFailed."""
    browser, driver = _program("chromium"), _program("chromedriver")
    python = python_program(directory, SELENIUM, "python")
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(directory), AXE]
    subprocess.run(npm, check=True, timeout=TIMEOUT_S)
    axe = directory / "node_modules" / "axe-core" / "axe.min.js"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with demo() as (stack, _):
        stack.credentials.write_sign_ins(seeding.sign_ins(stack))
        words = [stack.describe()["pages_url"], axe, SCREENSHOTS, browser, driver]
        ran = subprocess.run(
            [python, PROGRAM, *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    if ran.returncode != 0:
        return [f"the browser's run ended with {ran.returncode}: {ran.stderr.strip()[-600:]}"]
    return list(json.loads(ran.stdout))


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(
            f"{name} (the pages are judged in it) was looked for in PATH: install it "
            "(Debian: apt-get install chromium chromium-driver fonts-dejavu-core)."
        )
    return found
