"""Readings over HTTP: CloudEvents one by one or in a batch; each is decided for itself and gets its receipt.

A batch goes to the ledger in pieces, so that single commands of the same workspace come in between; a bad item costs
no other. Dry runs decide on the present fold and record nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.decision import Decision, Situation
from goal_ledger_contracts.envelope import CommandMark, Origin
from goal_ledger_contracts.strict_json import NotJson
from goal_ledger_domain.access import roles
from goal_ledger_domain.authorise import authorise_reading
from goal_ledger_domain.command import Meta
from goal_ledger_domain.decide import decide, lookups, neighbours
from goal_ledger_domain.reading import TakeReading
from goal_ledger_domain.world import World
from goal_ledger_edge.credentials import Credential, unknown
from goal_ledger_ledger.submission import CommandAnswer, LedgerError, Submission
from goal_ledger_messaging.reading_event import NotAReading, ReadingEvent, from_json
from goal_ledger_observability.context import usable_traceparent

from goal_ledger_command.credentials import actor_of
from goal_ledger_command.receipts import ReadingOverHttp, Receipt, WouldBe, undecidable, unreadable
from goal_ledger_command.shell import Shell

PIECE_ITEMS = 500
"""So many readings are handed to the ledger at once."""
PARSED_AT_ONCE_ITEMS = 200
"""So many are taken apart before other requests get their turn."""

HTTP = Origin("http")


@dataclass(frozen=True, slots=True, eq=False)
class Sender:
    """Who sends the readings, and what they share."""

    credential: Credential
    meta: Meta
    traceparent: str | None
    world: World
    """The state of about now: it tells which look-ups can be left out."""
    dry_run: bool = False

    def authenticate(self, world: World, situation: Situation) -> None:
        """Whether the credential is still the actor's; asked once as long as the state stays the same."""
        if self not in situation.remembered:
            if actor_of(world, self.credential) != self.meta.actor:
                raise unknown(self.credential)
            situation.remembered[self] = True


async def sender_of(
    shell: Shell, credential: Credential, ids: tuple[str, str], trace: str | None, dry: bool
) -> Sender:
    """Problem 401 or 403. ``ids``: correlation and causation."""
    actor, world = await shell.actor_and_world(credential)
    meta = Meta(
        actor=actor,
        correlation_id=ids[0],
        causation_id=ids[1],
        importing="importer" in roles(world, actor),
        origin=HTTP,
    )
    return Sender(credential, meta, trace, world, dry)


async def take_batch(shell: Shell, sender: Sender, events: Sequence[Any]) -> list[Receipt]:
    """The receipts of parsed structured events, in their order. Raises LedgerError if nothing at all was recorded.

    Handed to the ledger in pieces, in order: while it writes one, the next is taken apart.
    """
    taken: list[ReadingOverHttp | Receipt] = []
    recording: list[asyncio.Task[list[CommandAnswer | Exception]]] = []
    for start in range(0, len(events), PIECE_ITEMS):
        piece: list[ReadingOverHttp] = []
        for number, event in enumerate(events[start : start + PIECE_ITEMS], 1):
            taken.append(one := _read(event))
            if isinstance(one, ReadingOverHttp):
                piece.append(one)
            if number % PARSED_AT_ONCE_ITEMS == 0:
                await asyncio.sleep(0)
        if piece:
            submissions = [submission(sender, one) for one in piece]
            recording.append(asyncio.create_task(_record(shell, submissions)))
        await asyncio.sleep(0)
    recorded = await asyncio.gather(*recording)
    failures = [one[0] for one in recorded if isinstance(one[0], LedgerError) and one[0] is one[-1]]
    if recorded and len(failures) == len(recorded):
        raise failures[0]  # nothing of it was recorded: 503 for the whole
    outcomes = itertools.chain.from_iterable(recorded)
    return [one.receipt(next(outcomes)) if isinstance(one, ReadingOverHttp) else one for one in taken]


def _read(event: Any) -> ReadingOverHttp | Receipt:
    try:
        if isinstance(event, NotJson):
            raise NotAReading("bad_json", str(event))
        return ReadingOverHttp(from_json(event))
    except NotAReading as bad:
        return unreadable(bad)
    except Exception as failed:
        return {"source": None, "id": None, **undecidable(failed)}


async def _record(shell: Shell, submissions: list[Submission]) -> list[CommandAnswer | Exception]:
    """What became of each; a failure of the workspace as a whole is that of each."""
    try:
        return await shell.ledger.submit_all(submissions)
    except LedgerError as failed:
        return [failed] * len(submissions)


async def take_one(
    shell: Shell, sender: Sender, event: ReadingEvent, mark: CommandMark | None
) -> tuple[CommandAnswer, ReadingOverHttp]:
    """Raises Refusal, Problem, LedgerError, or of a dry run WouldBe."""
    taken = ReadingOverHttp(event)
    return await shell.ledger.submit(submission(sender, taken, mark)), taken


def submission(sender: Sender, taken: ReadingOverHttp, mark: CommandMark | None = None) -> Submission:
    event = taken.event
    command = TakeReading(
        sender.meta,
        feed=event.feed,
        source=event.source,
        id=event.id,
        time=event.time,
        value=event.value,
        unit=event.unit,
        mode=event.mode,
        sequence=event.sequence,
        backfill=event.backfill,
    )

    def decided(world: World, situation: Situation) -> Decision:
        sender.authenticate(world, situation)
        authorise_reading(world, command, situation)
        taken.decision = decide(world, command, situation)
        if sender.dry_run:
            raise WouldBe(taken)
        return taken.decision

    return Submission(
        workspace=sender.credential.workspace,
        decide=decided,
        lookups=lookups(command),
        neighbours=neighbours(command, sender.world),
        mark=mark,
        traceparent=_trace(event.traceparent) or sender.traceparent,
    )


def _trace(given: str | None) -> str | None:
    return given if given is not None and usable_traceparent(given) else None
