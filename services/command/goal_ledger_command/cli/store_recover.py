"""``operator store recover``: Kafka's tail back into a store that was set back. See docs/operations/recovery.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import typer
from goal_ledger_domain.refusals import Refusal
from goal_ledger_ledger.submission import LedgerError
from rich.console import Console

from goal_ledger_command.cli.operations import NOT_DONE, REFUSED, WRONG_USAGE, fail, meta, settings_or_fail
from goal_ledger_command.fold import FoldOfGoals
from goal_ledger_command.recovery.recovering import Recoverable, Recovery
from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import store_for_operator


def recover_store(
    workspaces: list[str],
    reason: str | None,
    *,
    dry_run: bool,
    as_far_as_it_goes: bool,
    signed_only: bool,
    as_json: bool,
) -> None:
    """Of these workspaces; of none: of all that are behind."""
    if not dry_run and not (reason or "").strip():
        fail(WRONG_USAGE, "say why: --reason; or look first: --dry-run")
    teller = _Teller(as_json, dry_run)
    try:
        settings = settings_or_fail()
        if signed_only and settings.head_signing_key_file is None:
            fail(WRONG_USAGE, "--signed-only needs HEAD_SIGNING_KEY_FILE: it tells which heads are ours")
        asyncio.run(_all(settings, workspaces, reason, dry_run, as_far_as_it_goes, signed_only, teller))
    except Refusal as refused:
        fail(REFUSED, f"{refused.code}: {refused.sentence}")
    except LedgerError as failed:
        fail(NOT_DONE, f"{failed.code}: {failed.sentence}")
    teller.end()


async def _all(
    settings: Settings,
    wanted: list[str],
    reason: str | None,
    dry_run: bool,
    as_far_as_it_goes: bool,
    signed_only: bool,
    teller: _Teller,
) -> None:
    async with _opened(settings) as recovery:
        async for looked in recovery.look(wanted):
            found = [one.signed_only() if signed_only else one for one in looked]
            able = [one for one in found if one.stopped_because is None or as_far_as_it_goes]
            epochs = {}
            if able and not dry_run:
                now = datetime.now(UTC)
                epochs = await recovery.recover(able, meta(reason), now, teller.progress)
            for one in found:
                teller.tell(one, epochs.get(one.workspace))


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Recovery]:
    """Raises NotRecorded if a database or Kafka cannot be asked."""
    key = settings.signing_key()
    async with store_for_operator(settings) as opened:
        yield Recovery(
            opened.engine,
            settings.kafka,
            opened.keyring,
            FoldOfGoals(),
            None if key is None else key.public_key(),
            settings.heads_origin,
            opened.ledger.erase_again,
        )


class _Teller:
    """Reports to stdout, progress to a terminal's stderr."""

    def __init__(self, as_json: bool, dry_run: bool) -> None:
        self._as_json, self._dry_run = as_json, dry_run
        self._out, self._terminal = Console(), Console(stderr=True)
        self._told = self._left = 0

    def progress(self, workspace: str, done: int, of: int) -> None:
        if self._terminal.is_terminal:
            self._terminal.print(f"{workspace}: {done} of {of} facts", end="\r", markup=False)

    def tell(self, found: Recoverable, epoch: int | None) -> None:
        self._told += 1
        self._left += found.stopped_because is not None and epoch is None
        if self._as_json:
            typer.echo(json.dumps(_document(found, epoch)))
            return
        for line in _sentences(found, epoch, self._dry_run):
            self._out.print(line, markup=False, soft_wrap=True)

    def end(self) -> None:
        """Exit code 1 if a workspace was left alone."""
        if not self._told and not self._as_json:
            self._out.print("Nothing is behind what Kafka holds.")
        if self._left:
            raise typer.Exit(REFUSED)


def _document(found: Recoverable, epoch: int | None) -> dict[str, Any]:
    return {
        "workspace": found.workspace,
        "kept": found.kept,
        "recovered": 0 if epoch is None else found.facts,
        "recoverable": found.facts,
        "last_seq": found.reaches,
        "signed_to": found.signed_to,
        "highest_in_kafka": found.highest,
        "foreign_records": found.foreign,
        "lost_heads": [{"seq": one.size, "root": one.root.hex()} for one in found.lost_heads],
        "stopped_because": found.stopped_because,
        "epoch": epoch,
        "unknown_beyond": f"{found.epoch}-{found.reaches}",
    }


def _sentences(found: Recoverable, epoch: int | None, dry_run: bool) -> list[str]:
    name = found.workspace
    span = f"facts {found.kept + 1} to {found.reaches}" if found.facts else "no fact"
    lines = []
    if epoch is not None:
        lines.append(f"{name}: {span} put back; epoch {epoch}")
    elif found.stopped_because is None or dry_run:
        lines.append(f"{name}: {span} would come back")
    if found.stopped_because is not None:
        lines.append(f"{name}: {'' if epoch else 'LEFT ALONE: '}{found.stopped_because}")
    if found.signed_to < found.reaches and found.facts:
        first = max(found.signed_to, found.kept) + 1
        lines.append(
            f"{name}: facts {first} to {found.reaches} are under no signed head; their chains continue"
        )
    if found.stopped_because is None and found.highest > found.reaches:
        first = found.reaches + 1
        lines.append(f"{name}: facts {first} to {found.highest} are under no signed head: not put back")
    if found.lost_heads:
        lines.append(f"{name}: {len(found.lost_heads)} signed heads cover facts that are not there")
    if found.foreign:
        lines.append(f"{name}: {found.foreign} records do not continue the log: not taken")
    unknown = f"{name}: what was acknowledged beyond {found.epoch}-{found.reaches} and never published is unknown and lost"
    return [*lines, unknown]
