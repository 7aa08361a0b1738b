"""``operator new-epoch``: part of every restore of the store that Kafka cannot make good. See docs/operations/recovery.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import typer
from goal_ledger_contracts.position import Position
from goal_ledger_domain.refusals import Refusal
from goal_ledger_ledger.checkpoint import BadNote, Checkpoint
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.submission import CommandAnswer, LedgerError, OutcomeUnknown, UnknownWorkspace
from rich.console import Console

from goal_ledger_command.cli.operations import (
    NOT_DONE,
    REFUSED,
    WRONG_USAGE,
    fail,
    meta,
    settings_or_fail,
)
from goal_ledger_command.restoring import by_workspace, read_head, store_restored
from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import heads_key_of, open_for_operator


def begin_epochs(
    reason: str,
    workspace: str | None,
    lost_positions: list[str],
    lost_heads: list[Path],
    *,
    every: bool,
    as_json: bool,
) -> None:
    """Of one workspace or of every one."""
    if (workspace is None) != every:
        fail(WRONG_USAGE, "name one workspace, or give --all")
    settings = settings_or_fail()
    positions = [_position(text) for text in lost_positions]
    heads = [_head(settings, path) for path in lost_heads]
    asyncio.run(_all(settings, workspace, reason, heads, positions, as_json))


async def _all(
    settings: Settings,
    workspace: str | None,
    reason: str,
    heads: list[Checkpoint],
    positions: list[Position],
    as_json: bool,
) -> None:
    name = workspace or ""
    try:
        async for name, answer in _raised(settings, workspace, reason, heads, positions):
            _tell(name, answer, as_json)
    except (Refusal, UnknownWorkspace) as refused:
        fail(REFUSED, f"{name}: {refused.code}: {refused.sentence}")
    except LedgerError as failed:
        fail(NOT_DONE, f"{name}: {failed.code}: {failed.sentence} Those named before are done.")


async def _raised(
    settings: Settings,
    workspace: str | None,
    reason: str,
    heads: list[Checkpoint],
    positions: list[Position],
) -> AsyncIterator[tuple[str, CommandAnswer]]:
    async with open_for_operator(settings) as ledger:
        for name in [workspace] if workspace is not None else await ledger.workspaces():
            yield name, await _one(ledger, name, reason, heads, positions)


async def _one(
    ledger: Ledger, workspace: str, reason: str, heads: list[Checkpoint], positions: list[Position]
) -> CommandAnswer:
    lost = by_workspace(heads, positions, workspace)
    try:
        return await ledger.begin_epoch(workspace, lost.epoch, store_restored(meta(reason), lost))
    except OutcomeUnknown as unknown:
        unknown.sentence += " Run it again: an epoch more harms nobody."
        raise


def _tell(workspace: str, answer: CommandAnswer, as_json: bool) -> None:
    told: dict[str, Any] = {"workspace": workspace, "position": str(answer.position)}
    told |= {"epoch": answer.position.epoch, "fork_seq": answer.position.seq - 1}
    if as_json:
        typer.echo(json.dumps(told))
        return
    sentence = "{workspace}: epoch {epoch}; facts up to {fork_seq} are kept, later positions are lost"
    Console().print(sentence.format(**told), markup=False, soft_wrap=True)


def _position(text: str) -> Position:
    try:
        return Position.parse(text)
    except ValueError as wrong:
        fail(WRONG_USAGE, f"--lost-position: {wrong}")


def _head(settings: Settings, path: Path) -> Checkpoint:
    known = heads_key_of(settings)
    try:
        return read_head(path.read_text(), None if known is None else known.public_key, settings.heads_origin)
    except (OSError, BadNote) as wrong:
        fail(WRONG_USAGE, f"--lost-head {path}: {wrong}")
