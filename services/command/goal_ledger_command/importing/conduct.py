"""An import on its way: decided step after step, a report for each row in the order of the file, the counts at the end."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.submission import LedgerError

from goal_ledger_command.api.refusals import of_ledger_error
from goal_ledger_command.importing.pieces import Pieces, Staged
from goal_ledger_command.importing.planning import ready
from goal_ledger_command.importing.report import OUTCOMES, Report
from goal_ledger_command.importing.running import Importer, rehearse, run
from goal_ledger_command.importing.workbook import Workbook
from goal_ledger_command.shell import Shell


class Conduct:
    """One import. ``kept``: where its pieces are, and how far it has come, if it was sent in pieces."""

    def __init__(
        self,
        shell: Shell,
        importer: Importer,
        book: Workbook,
        *,
        dry_run: bool,
        kept: tuple[Pieces, Staged] | None = None,
    ) -> None:
        self._shell, self._importer, self._dry_run, self._kept = shell, importer, dry_run, kept
        self.book, self.done = book, 0
        self._counts: Counter[str] = Counter()

    @property
    def in_pieces(self) -> bool:
        return self._kept is not None

    async def reports(self) -> AsyncIterator[Report | None]:
        """None: more steps are done."""
        await self._take_up()
        async for more in self._decided():
            self.done += more
            yield None
            for report in ready(self.book):
                yield self._counted(report)
        for report in ready(self.book):
            yield self._counted(report)

    async def _take_up(self) -> None:
        """What was done before it broke off."""
        while self._kept is not None and not self._dry_run:
            pieces, staged = self._kept
            found = await pieces.told(staged, self.done)
            if found is None:
                return
            self.done, told = found
            for n, report in told:
                self.book.step_done(n, report)

    async def _decided(self) -> AsyncIterator[int]:
        if self._dry_run:
            async for told in rehearse(self._shell, self._importer, self.book):
                yield len(told)
            return
        async for told in run(self._shell, self._importer, self.book, self.done):
            if self._kept is not None:
                pieces, staged = self._kept
                await pieces.done(staged, self.done, told)
            yield len(told)

    def _counted(self, report: Report) -> Report:
        self._counts[report.outcome] += 1
        self._counts["warnings"] += report.warning is not None
        return report

    async def summary(self) -> dict[str, Any]:
        """Once all reports are given: the import is over, its pieces go."""
        if self._kept is not None and not self._dry_run:
            pieces, staged = self._kept
            await pieces.forget(staged)
        _, position = await self._shell.ledger.read(self._importer.credential.workspace)
        counts = {outcome: self._counts[outcome] for outcome in OUTCOMES}
        told = {"import_id": self._importer.correlation_id, "counts": counts}
        more = {"warnings": self._counts["warnings"], "dry_run": self._dry_run, "position": str(position)}
        return told | more


async def lines_of_reports(work: Conduct, places: asyncio.Semaphore) -> AsyncIterator[bytes]:
    """``{"rows": n}`` first, then a line per row, then the summary; or a problem where it broke off.

    Of an import in pieces also ``{"steps_done": …, "steps": …}`` on the way.
    """
    yield _line({"rows": work.book.told_rows})
    try:
        async with places:
            async for report in work.reports():
                if report is not None:
                    yield _line(report.document())
                elif work.in_pieces:
                    yield _line({"steps_done": work.done, "steps": work.book.steps})
        yield _line({"summary": await work.summary()})
    except LedgerError as failed:
        yield _line({"problem": of_ledger_error(failed).document()})
    except Problem as problem:
        yield _line({"problem": problem.document()})
    finally:
        work.book.close()


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
