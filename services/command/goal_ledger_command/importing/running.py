"""Steps decided one after another: for real, in the same append as everybody's commands; or as a rehearsal.

*For real* each step is a submission of its own, handed to the ledger in pieces (:data:`PIECE_STEPS`), so that single
commands of the workspace come in between. What is missing is found on the very state that it is decided on.

*A rehearsal* decides the same steps on a copy of the state, each on what those before it would leave, and records
nothing. It looks up what is recorded as the import would; only counters' readings are not held against their
neighbours.

A step may come to several commands (a goal reworded and reassigned): they are decided in turn, and taken whole or not
at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.decision import Claim, Decision, Found, Identity, Point, Situation
from goal_ledger_contracts.envelope import Origin
from goal_ledger_contracts.permission import Permission
from goal_ledger_domain import evolve
from goal_ledger_domain.access import held_by
from goal_ledger_domain.authorise import authorise, authorise_command
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide
from goal_ledger_domain.deciders import rule_of
from goal_ledger_domain.world import World
from goal_ledger_edge.credentials import Credential, unknown
from goal_ledger_ledger.submission import CommandAnswer, Submission

from goal_ledger_command.credentials import actor_of
from goal_ledger_command.importing.late import Lateness
from goal_ledger_command.importing.order import steps_of
from goal_ledger_command.importing.report import (
    AFTER_CLOSING,
    CHANGED,
    CREATED,
    TIME_MOVED,
    UNCHANGED,
    Report,
    refused,
)
from goal_ledger_command.importing.rows import ImportRow
from goal_ledger_command.importing.steps import ImportStep
from goal_ledger_command.importing.when import Day, plain
from goal_ledger_command.importing.workbook import Workbook
from goal_ledger_command.shell import Shell

PIECE_STEPS = 250
DECIDED_AT_ONCE_STEPS = 50
"""Steps of a rehearsal that are decided before other requests get their turn."""
DEFAULT_REASON = "Import"
HTTP = Origin("http")


@dataclass(frozen=True, slots=True)
class Importer:
    """Who imports, and what all facts of the import share."""

    credential: Credential
    actor: str
    correlation_id: str
    causation_id: str
    traceparent: str | None = None

    def meta(self, step: ImportStep, row: ImportRow) -> Meta:
        is_reading = row.section == "readings"
        return Meta(
            actor=self.actor,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            reason=step.reason or row.reason or DEFAULT_REASON,
            effective_at=step.at,
            importing=True,
            origin=HTTP if is_reading else None,
        )


ReportsByRow = list[tuple[int, Report]]
"""Reports of steps, by the numbers of their rows."""


async def run(shell: Shell, importer: Importer, book: Workbook, done: int = 0) -> AsyncIterator[ReportsByRow]:
    """The reports of each piece of steps, recorded; ``done``: so many of the first are not taken again."""
    while piece := await _piece(importer, book, done):
        outcomes = await shell.ledger.submit_all([turn.submission() for turn in piece])
        told = [(turn.n, turn.report(outcome)) for turn, outcome in zip(piece, outcomes, strict=True)]
        for n, report in told:
            book.step_done(n, report)
        done += len(piece)
        yield told


async def _piece(importer: Importer, book: Workbook, done: int) -> list[_Turn]:
    """The next steps, made of their rows again."""
    made: dict[int, tuple[ImportRow, list[ImportStep]]] = {}
    turns, lateness = [], Lateness()
    for n, i in book.turns(done, PIECE_STEPS):
        if n not in made:
            row = book.row_as_read(n)
            assert row is not None
            made[n] = row, list(steps_of(row, book))
        row, steps = made[n]
        turns.append(_Turn(importer, n, row, steps[i], lateness))
    await asyncio.sleep(0)
    return turns


async def rehearse(shell: Shell, importer: Importer, book: Workbook) -> AsyncIterator[ReportsByRow]:
    """The reports of each piece of steps, had they been recorded."""
    workspace, done = importer.credential.workspace, 0
    await shell.look(workspace)
    world = (await shell.ledger.read(workspace))[0].copy()
    found: dict[Identity, Found] = {}
    while piece := await _piece(importer, book, done):
        wanted = {one: None for turn in piece for one in turn.step.lookups}
        _, looked = await shell.look(workspace, *wanted)
        reports = []
        for number, turn in enumerate(piece):
            situation = replace(looked, found={**_of(looked.found, turn), **_of(found, turn)})
            report = turn.rehearsed(world, situation, found)
            reports.append((turn.n, report))
            if book.step_done(turn.n, report):
                _forget(found, turn)
            if number % DECIDED_AT_ONCE_STEPS == 0:
                await asyncio.sleep(0)
        done += len(piece)
        yield reports


def _forget(found: dict[Identity, Found], turn: _Turn) -> None:
    """No other row of the import may state the same."""
    for one in turn.step.lookups:
        found.pop(one, None)


def _of(found: Any, turn: _Turn) -> dict[Identity, Found]:
    return {one: found[one] for one in turn.step.lookups if one in found}


class _Turn:
    """A step whose turn has come."""

    def __init__(
        self, importer: Importer, n: int, row: ImportRow, step: ImportStep, lateness: Lateness
    ) -> None:
        self.n, self.row, self.step, self._importer, self._lateness = n, row, step, importer, lateness
        self._creates = self._is_new = False
        self._warning: tuple[str, str] | None = None

    def submission(self) -> Submission:
        return Submission(
            workspace=self._importer.credential.workspace,
            decide=self.decided,
            lookups=self.step.lookups,
            neighbours=self.step.neighbours,
            traceparent=self._importer.traceparent,
        )

    def decided(self, world: World, situation: Situation) -> Decision:
        """What is still missing for the step. Raises Refusal, or Problem if the importer is none any more."""
        importer, workspace = self._importer, self._importer.credential.workspace
        if actor_of(world, importer.credential) != importer.actor:
            raise unknown(importer.credential)
        need_importer(world, importer.actor)
        missing = self.step.missing(world, situation, importer.meta(self.step, self.row))
        given = [] if missing is None else missing if isinstance(missing, list) else [missing]
        commands = [_at_an_instant(one) for one in given]
        self._creates = any(rule_of(one).creates for one in commands)
        decision = self._all(world, commands, situation) or Decision(self.row.id, f"workspace/{workspace}")
        self._is_new = bool(decision.drafts)
        is_late = self._lateness.of(world, decision.drafts)
        self._warning = AFTER_CLOSING if is_late else _time_moved(self.step, decision)
        return decision

    def _all(self, world: World, commands: Sequence[Any], situation: Situation) -> Decision | None:
        if len(commands) == 1:
            return self._one(world, commands[0], situation)
        decision, branch = None, world.branch()
        for command in commands:
            more = self._one(branch, command, situation)
            decision = more if decision is None else _together(decision, more)
            apply(branch, more, situation, {})
        return decision

    def _one(self, world: World, command: Any, situation: Situation) -> Decision:
        authorise_command(world, command, situation)
        return decide(world, command, situation)

    def report(self, outcome: CommandAnswer | Exception) -> Report:
        if not isinstance(outcome, CommandAnswer):
            return self._refused(outcome)
        return self._report()

    def _refused(self, why: Exception) -> Report:
        return refused(self.row.place, self.row.kind, self.row.id, why, self.step.within)

    def rehearsed(self, world: World, situation: Situation, found: dict[Identity, Found]) -> Report:
        try:
            decision = self.decided(world, situation)
        except Exception as why:
            return self._refused(why)
        apply(world, decision, situation, found)
        return self._report()

    def _report(self) -> Report:
        outcome = UNCHANGED if not self._is_new else CREATED if self._creates else CHANGED
        return Report(self.row.place, self.row.kind, self.row.id, outcome, warning=self._warning)


def _at_an_instant(command: Any) -> Any:
    """With the instant that a day has come to."""
    at = command.meta.effective_at
    if not isinstance(at, Day):
        return command
    return replace(command, meta=replace(command.meta, effective_at=plain(at)))


def _time_moved(step: ImportStep, decision: Decision) -> tuple[str, str] | None:
    """That a stated time could not be kept."""
    stated = step.at
    if not step.is_stated or stated is None or not decision.drafts:
        return None
    first = decision.drafts[0].effective_at
    if first <= (stated.ends if isinstance(stated, Day) else stated) or decision.drafts[0].stated_at:
        return None
    earliest = instant_text(first)
    return TIME_MOVED, f"Taken as of {earliest}: the record allows no earlier time."


def need_importer(world: World, actor: str) -> None:
    """Refuses ``not_allowed``."""
    authorise(world, actor, held_by(world, actor), Permission.IMPORT)


def _together(first: Decision, second: Decision) -> Decision:
    """Both, as one: recorded whole or not at all."""
    shift = len(first.drafts)

    def moved_claim(claim: Claim) -> Claim:
        return replace(claim, draft=claim.draft + shift)

    def moved_point(point: Point) -> Point:
        return replace(point, draft=point.draft + shift)

    return replace(
        first,
        drafts=first.drafts + second.drafts,
        claims=first.claims + tuple(map(moved_claim, second.claims)),
        points=first.points + tuple(map(moved_point, second.points)),
    )


def apply(world: World, decision: Decision, situation: Situation, found: dict[Identity, Found]) -> None:
    """Take a decision over into ``world`` and ``found``, as if it had been recorded."""
    facts = [draft.as_fact(situation.now) for draft in decision.drafts]
    for fact in facts:
        if fact.type in evolve.FOLDED:
            evolve.evolve(world, fact)
    for claim in decision.claims:
        before = found.get(claim.identity) or situation.found.get(claim.identity)
        content = before.fact if claim.keeps_content and before is not None else facts[claim.draft]
        found[claim.identity] = Found(content, claim.state, claim.subject)
