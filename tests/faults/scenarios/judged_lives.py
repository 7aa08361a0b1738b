"""Hundreds of random lives judged by the independent reading of SPEC. No fault is made; it is the long run of properties
of which `make test` draws some lives: that the parts of an attribution add up and are those of the naive reading, and that
explanations, amendments, goalpost moves, commitments, restatements and the rhythm are."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from goal_ledger_local.stack import Stack

from faults.finding import Finding

LIVES = 300
FIRST = 1_000_000
"""Seeds from here on: other lives than those of `make test`."""
TESTS = Path(__file__).resolve().parents[2]
PROPERTIES = ("history/test_attribution.py", "history/test_attribution_by_naive_reading.py", "reading")


async def judged_lives(_: Stack, lives: int = LIVES) -> Finding:
    """Pytest runs them on a server of their own, as always; it says in its last line how many."""
    found = Finding("random lives are answered and explained as the naive reading of SPEC says")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", *(str(TESTS / one) for one in PROPERTIES)),
        cwd=TESTS.parent,
        env={**os.environ, "JUDGED_LIVES": str(lives), "JUDGED_FROM": str(FIRST)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _nothing = await process.communicate()
    lines = said.decode(errors="replace").splitlines() or ["Nothing was said."]
    found.note(lives=lives, said=lines[-1])
    found.expect(process.returncode == 0, "\n".join(lines[-40:]))
    return found
