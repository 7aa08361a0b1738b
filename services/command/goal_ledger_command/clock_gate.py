"""Nothing is recorded by a process whose clock is not the database's: ``recorded_at`` never runs backwards, so one process
an hour ahead would push everybody's an hour ahead, for ever."""

from __future__ import annotations

from goal_ledger_database.pulse import Pulse
from goal_ledger_ledger.submission import ClockSkewed, NotRecorded, WriteGate


class ClockGate:
    """Asks the gate behind it first. Closed until the clocks were compared once."""

    def __init__(self, pulse: Pulse, behind: WriteGate) -> None:
        self._pulse, self._behind = pulse, behind

    async def check(self, workspace: str) -> None:
        """Raises ClockSkewed, NotRecorded, and what the gate behind raises."""
        await self._behind.check(workspace)
        if not self._pulse.looked.is_set():
            raise NotRecorded(
                "Nothing is recorded: the ledger's database has not answered yet. Send it again."
            )
        if self._pulse.is_skewed:
            raise ClockSkewed(
                f"The clock of this process is {self._pulse.skew_s:+.1f} s from the database's; nothing was recorded."
            )
