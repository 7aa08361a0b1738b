"""Hundreds of tamperings with records of random lives: the offline verifier names each at its place. No fault is made in
the stack; it is the long run of `tests/verifier`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from goal_ledger_local.stack import Stack
from verifier.campaign import TAMPERINGS_OF_EACH, missed

from faults.finding import Finding

LOGS = 56
FIRST = 1_000
"""Seeds from here on: other records than those of `make test`."""


async def tampered_records(_: Stack, logs: int = LOGS) -> Finding:
    """Each record is tampered with in every way, and verified as it was too."""
    found = Finding("each tampering is named at its place, and no clean record is accused")
    with tempfile.TemporaryDirectory(prefix="goal-ledger-tampered-") as directory:
        found.wrong += await asyncio.to_thread(missed, Path(directory), range(FIRST, FIRST + logs))
    found.note(records=logs, tamperings=logs * TAMPERINGS_OF_EACH)
    return found
