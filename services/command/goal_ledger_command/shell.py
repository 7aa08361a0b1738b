"""From a request to an answer: who asks, may they, is it what they saw, what does it come to, where is it kept.

The whole of it is :meth:`Shell.perform`. Who the actor is, and what they may, is decided on the same fold as the
command itself: a role revoked one command earlier no longer counts.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from goal_ledger_contracts.decision import Decision, Identity, Situation
from goal_ledger_contracts.envelope import Origin
from goal_ledger_contracts.objective import ObjectiveCarriedOver
from goal_ledger_contracts.position import Position
from goal_ledger_domain.access import roles
from goal_ledger_domain.authorise import authorise_command
from goal_ledger_domain.command import Meta, need_version
from goal_ledger_domain.decide import decide, exclusive, lookups, neighbours
from goal_ledger_domain.evolve import evolve
from goal_ledger_domain.world import World
from goal_ledger_edge.credentials import ApiKey, Credential, unknown
from goal_ledger_ledger.submission import CommandAnswer, Submission, UnknownWorkspace

from goal_ledger_command.credentials import actor_of
from goal_ledger_command.marks import IdempotencyHashes
from goal_ledger_command.preparing import Prepared, Preparing, StreamsChanged
from goal_ledger_command.recorded_keys import RecordedKeys

PREPARED_AGAIN_FOR_S = 1.0
"""So long a closing is scored again if there are newer facts of what counts in it; then it is taken as it is."""


class LedgerOfCommands(Protocol):
    """What the shell needs of :class:`goal_ledger_ledger.sequencer.Ledger`."""

    async def submit(self, submission: Submission) -> CommandAnswer: ...
    async def submit_all(self, submissions: list[Submission]) -> list[CommandAnswer | Exception]: ...
    async def read(self, workspace: str) -> tuple[World, Position]: ...
    def at_hand(self, workspace: str) -> World | None: ...


@dataclass(slots=True)
class CommandRequest:
    """A request for one command, taken apart. ``make`` gives the command once the actor is known."""

    credential: Credential
    make: Callable[[Meta], Any]
    method: str
    path: str
    body: Any
    reason: str | None
    effective_at: Any
    correlation_id: str
    causation_id: str
    key: str | None = None
    """The Idempotency-Key."""
    version: int | None = None
    """Of If-Match."""
    location: Callable[[Decision], str | None] | None = None
    traceparent: str | None = None
    origin: Origin | None = None


class Shell:
    """One per process; its ledger may be shared with the intake."""

    def __init__(
        self,
        ledger: LedgerOfCommands,
        marks: IdempotencyHashes,
        preparing: Preparing | None = None,
        keys: RecordedKeys | None = None,
    ) -> None:
        self.ledger, self.marks, self._preparing, self._keys = ledger, marks, preparing, keys

    async def perform(self, asked: CommandRequest) -> CommandAnswer:
        """Decide and record. Raises Problem, Refusal or a LedgerError; then nothing is recorded, or it says so."""
        meta = await self._meta(asked)
        command = asked.make(meta)
        until = time.monotonic() + PREPARED_AGAIN_FOR_S
        while True:
            prepared = await self._prepared(asked.credential.workspace, command)
            if time.monotonic() > until:
                prepared = dataclasses.replace(prepared, seen={})
            try:
                return await self._submit(asked, meta, prepared)
            except StreamsChanged:
                continue

    async def _submit(self, asked: CommandRequest, meta: Meta, prepared: Prepared) -> CommandAnswer:
        command, mark = prepared.command, None
        if asked.key is not None:
            mark = self.marks.of(meta.actor, asked.method, asked.path, asked.key, asked.body)

        def decided(world: World, situation: Situation) -> Decision:
            present = self._present(world, asked.credential, command)
            authorise_command(world, present, situation)
            if prepared.problem is not None:
                raise prepared.problem
            prepared.need_unmoved(situation.versions)
            return need_version(decide(world, present, situation), situation, asked.version)

        return await self.ledger.submit(
            Submission(
                workspace=asked.credential.workspace,
                decide=decided,
                lookups=lookups(command),
                neighbours=neighbours(command),
                mark=mark,
                traceparent=asked.traceparent,
                location=asked.location,
                exclusive=exclusive(command),
            )
        )

    async def _prepared(self, workspace: str, command: Any) -> Prepared:
        """The command with what it needs of facts that are not folded; or why it is refused, once it is authorised."""
        if self._preparing is None:
            return Prepared(command)
        return await self._preparing.prepared(workspace, command, self.look)

    async def carried(self, workspace: str, objective: str) -> ObjectiveCarriedOver | None:
        """The one carrying over of an objective, from the record."""
        return None if self._preparing is None else await self._preparing.carried(workspace, objective)

    async def rehearsed(self, workspace: str, command: Any, world: World, situation: Situation) -> Decision:
        """What the command would come to in this state, which it changes. Raises as :meth:`perform`."""
        prepared = await self._prepared(workspace, command)
        authorise_command(world, command, situation)
        if prepared.problem is not None:
            raise prepared.problem
        decision = decide(world, prepared.command, situation)
        for draft in decision.drafts:
            evolve(world, draft.as_fact(situation.now))
        return decision

    async def actor_and_world(self, credential: Credential) -> tuple[str, World]:
        """Who this is, and the state as the head stood at most a second ago. Problem 401 or 403.

        A key that no fact names is refused before a workspace is loaded for it: whoever made it up learns nothing.
        """
        await self._need_recorded(credential)
        try:
            world, _ = await self.ledger.read(credential.workspace)
        except UnknownWorkspace:
            raise unknown(credential) from None
        actor = actor_of(world, credential)
        if actor is None:
            world = (await self.look(credential.workspace))[0]
            actor = actor_of(world, credential)
        if actor is None:
            raise unknown(credential)
        return actor, world

    async def _need_recorded(self, credential: Credential) -> None:
        if self._keys is None or not isinstance(credential, ApiKey):
            return
        world = self.ledger.at_hand(credential.workspace)
        if (world is None or actor_of(world, credential) is None) and not await self._keys.holds(credential):
            raise unknown(credential)

    async def look(self, workspace: str, *wanted: Identity) -> tuple[World, Situation]:
        """State and look-ups as of now, by way of a submission that decides nothing."""
        try:
            await self.ledger.submit(Submission(workspace, _show, lookups=wanted))
        except _Seen as seen:
            return seen.world, seen.situation
        raise AssertionError("a look decides nothing")

    async def meta_of(self, asked: CommandRequest) -> Meta:
        """Who asks, and what they say about it. Problem 401 or 403."""
        return await self._meta(asked)

    async def _meta(self, asked: CommandRequest) -> Meta:
        actor, world = await self.actor_and_world(asked.credential)
        return Meta(
            actor=actor,
            correlation_id=asked.correlation_id,
            causation_id=asked.causation_id,
            reason=asked.reason,
            effective_at=asked.effective_at,
            importing="importer" in roles(world, actor),
            origin=asked.origin,
        )

    @staticmethod
    def _present(world: World, credential: Credential, command: Any) -> Any:
        """The command as its actor may give it on this very fold."""
        meta = command.meta
        if actor_of(world, credential) != meta.actor:
            raise unknown(credential)
        importing = "importer" in roles(world, meta.actor)
        if importing == meta.importing:
            return command
        return dataclasses.replace(command, meta=dataclasses.replace(meta, importing=importing))


class _Seen(Exception):
    def __init__(self, world: World, situation: Situation) -> None:
        self.world, self.situation = world, situation


def _show(world: World, situation: Situation) -> NoReturn:
    raise _Seen(world, situation)
