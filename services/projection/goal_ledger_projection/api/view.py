"""Where a question becomes a view: who asks, what may be seen, at which clocks, in one snapshot.

The gate has found out who asks, before anything else of the request was looked at. Then the order is: read the question,
wait for the position asked for, open the snapshot, look up in it who that is now, resolve the clocks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
from goal_ledger_contracts.permission import Permission
from goal_ledger_contracts.position import Position
from goal_ledger_database.sessions import CONNECTION_FAILED
from goal_ledger_edge.credentials import Credential, PersonToken, authorization_of, credential_of
from goal_ledger_edge.gate import caller_of
from goal_ledger_edge.positions import HEADER
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Right, right_of
from goal_ledger_edge.tokens import TokenVerifier
from goal_ledger_edge.visits import Visit
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.scores_at import ScoresAt
from starlette.requests import Request

from goal_ledger_projection.api.access import Reader, SignedIn, asker_of, reader_of
from goal_ledger_projection.api.calendar_times import CalendarTime, calendar_time, resolved
from goal_ledger_projection.api.clocks import (
    CALCULATION,
    Clocks,
    StatedClocks,
    asked,
    instant,
    must_be_old_enough,
    present,
)
from goal_ledger_projection.api.text_keys import KeyShelf
from goal_ledger_projection.api.texts import Texts
from goal_ledger_projection.api.waiting import Waiting
from goal_ledger_projection.command_feed import CommandFeed
from goal_ledger_projection.database import NoVersionOfOurShape
from goal_ledger_projection.history.context import Context, Contexts
from goal_ledger_projection.history.histories import Histories
from goal_ledger_projection.history.known_goals import KnownGoals
from goal_ledger_projection.history.known_moves import KnownMoves
from goal_ledger_projection.history.snapshots import ReadDatabase, Snapshot
from goal_ledger_projection.history.trees import Trees
from goal_ledger_projection.query_settings import QuerySettings
from goal_ledger_projection.read_models.definitions import RESTORED
from goal_ledger_projection.read_models.facts import SEQ_RECORDED_BY

GoalsRequest = Annotated[Request, Right(Permission.READ_GOALS)]
FeedsRequest = Annotated[Request, Right(Permission.READ_FEEDS)]
FactsRequest = Annotated[Request, Right(Permission.READ_FACTS)]
RecordRequest = Annotated[Request, Right(Permission.READ_FACTS, noted=True)]
ExportRequest = Annotated[Request, Right(Permission.EXPORT, noted=True)]

SUPPOSED = "goal_ledger.supposed"
"""In a request's scope: what makes of its view one of a record that is not so (`what_if.py`)."""
RETRY_SECONDS = 1
TRANSIENT = (
    *CONNECTION_FAILED,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidSchemaNameError,
)


@dataclass(frozen=True, slots=True)
class View:
    """Everything one answer is made from."""

    snapshot: Snapshot
    reader: Reader
    clocks: Clocks
    views: Views

    @property
    def moment(self) -> AsOf:
        return AsOf(self.clocks.as_of, self.clocks.seq)

    async def clocks_at(self, question: StatedClocks) -> Clocks:
        """Other clocks of the same question, resolved in the same snapshot. Problems 410, 422, 503."""
        return await self.views.resolve(self.snapshot, question)

    async def instant(self, text: str, field: str) -> datetime:
        """What is stated of a date beside the clocks, also by the calendar, counted back from `as_of`. Problem 422."""
        said = calendar_time(text)
        if said is None:
            return instant(text, field)
        return resolved(said, await self.context(), self.clocks.seq, self.clocks.as_of, field)

    async def context(self) -> Context:
        """Units, cycles, policies, moments, feeds and links."""
        return await self.views.contexts.at(self.snapshot)

    async def history(self) -> ScoresAt:
        """How goals stood, at any moment."""
        return await self.views.histories.of(self.snapshot)

    @property
    def goals(self) -> KnownGoals:
        return self.views.histories.goals

    @property
    def trees(self) -> Trees:
        return self.views.trees

    def texts(self) -> Texts:
        """Opens personal texts."""
        return Texts(self.views.shelf, self.snapshot)


class Views:
    """The process's resources for answering, opened and closed by the wiring."""

    def __init__(
        self,
        settings: QuerySettings,
        database: ReadDatabase,
        verifier: TokenVerifier,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings, self.database, self._verifier, self._now = settings, database, verifier, now
        self.waiting = Waiting(database, settings.wait_poll_ms)
        self.stopping = asyncio.Event()
        """Set when the process is to stop: streams end."""
        self.shelf = KeyShelf(settings)
        self.feed: CommandFeed | None = None
        if settings.command_url is not None:
            self.feed = CommandFeed(
                settings.command_url, settings.service_token_file, settings.text_keys_timeout_s
            )
        self.contexts = Contexts(settings.cached_contexts)
        self.histories = Histories(KnownGoals(settings.cached_definitions), self.contexts)
        self.moves = KnownMoves()
        self._signed_in = SignedIn()
        self.trees = Trees(self.histories, settings.cached_trees, settings.cached_bodies_bytes)

    async def close(self) -> None:
        """Close what this opened."""
        await self.waiting.close()
        await self.shelf.close()
        if self.feed is not None:
            await self.feed.close()

    async def checks(self) -> Mapping[str, str]:
        """What readiness depends on."""
        try:
            await self.database.live()
        except NoVersionOfOurShape as waiting:
            return {"database": str(waiting)}
        return {"database": self.database.pulse.wrong or "ok"}

    async def sign_in(self, authorization: str | None, visit: Visit) -> Credential:
        """Who asks, for the gate. Problems 401, 403, 503.

        Whom the read side knows is known for a second more. That only lets a request come as far as its question:
        the view's own snapshot decides anew.
        """
        credential = await credential_of(authorization, self._verifier)
        visit.workspace = credential.workspace
        visit.actor = self._signed_in.get(credential)
        if visit.actor is None:
            with _outages():
                async with self.database.snapshot(asker_of(credential)) as snapshot:
                    visit.actor = (await self._reader(credential, snapshot)).holder
            self._signed_in.keep(credential, visit.actor)
        return credential

    async def time_zone(self, credential: Credential) -> str:
        """The workspace's time zone now. Problem 503."""
        asker = asker_of(credential, self.contexts.seq_of(credential.workspace))
        with _outages():
            async with self.database.snapshot(asker) as snapshot:
                context = await self.contexts.at(snapshot)
                seq = 0 if snapshot.position is None else snapshot.position.seq
                return context.time_zone(seq, self._now())

    async def _reader(self, credential: Credential, snapshot: Snapshot) -> Reader:
        if snapshot.position is None and isinstance(credential, PersonToken):
            await self._must_not_be_empty(credential.workspace)
        return reader_of(credential, snapshot.holding)

    async def verify(self, request: Request) -> None:
        """Whether what the request showed is still good in itself; the view looks at the facts. Problem 401."""
        await credential_of(authorization_of(request.scope), self._verifier)

    @asynccontextmanager
    async def view(self, request: Request, include: Position | None = None) -> AsyncIterator[View]:
        """The view of a request, for who has the right that its route declares. `include`: the position that it must
        include, whatever the request says. Problems 400, 401, 403, 410, 422, 503."""
        credential: Credential = caller_of(request.scope)
        question = asked(request)
        if include is not None:
            question = replace(question, include=include)
        with _outages():
            if question.include is not None and question.wait_ms:
                await self.waiting.until(credential.workspace, question.include, question.wait_ms)
            async with self._opened(request, credential, question) as view:
                yield view

    @asynccontextmanager
    async def again(self, request: Request, clocks: Clocks) -> AsyncIterator[View]:
        """Another view of a request at the clocks of its first: what is long is answered page by page, each in a snapshot
        of its own, so that no transaction waits for a slow client. Whoever loses the right meanwhile gets no further
        page. Problems as :meth:`view`."""
        with _outages():
            async with self._opened(
                request, caller_of(request.scope), StatedClocks(token=clocks.token)
            ) as view:
                yield view

    @asynccontextmanager
    async def _opened(
        self, request: Request, credential: Credential, question: StatedClocks
    ) -> AsyncIterator[View]:
        workspace = credential.workspace
        asker = asker_of(credential, self.contexts.seq_of(workspace))
        async with self.database.snapshot(asker) as snapshot:
            reader = await self._reader(credential, snapshot)
            reader.must(right_of(request))
            clocks = await self.resolve(snapshot, question)
            view = View(snapshot, reader, clocks, self)
            suppose = request.scope.get(SUPPOSED)
            yield view if suppose is None else await suppose(view)

    async def _must_not_be_empty(self, workspace: str) -> None:
        """Problem 503 `rebuilding` where the store knows a workspace of which nothing is here: the read database is
        being restored, or new. StatedClocks for verified tokens alone: a stranger learns nothing."""
        nothing = Position(1, 0)
        if await self._head(workspace, nothing) is not None:
            raise _not_yet("rebuilding", "The read side has nothing of the workspace yet.", nothing)

    async def resolve(self, snapshot: Snapshot, question: StatedClocks) -> Clocks:
        """What stated clocks come to. Problems 410, 422, 503."""
        newest = snapshot.position
        assert newest is not None
        if snapshot.rebuilding:
            raise _not_yet("rebuilding", "The workspace has a new epoch and is being folded anew.", newest)
        now = self._now()
        if question.include is not None:
            await self._must_have(snapshot, newest, question.include, HEADER)
        if question.token is not None:
            await self._must_have(snapshot, newest, question.token.position, "token")
            other = question.token.calculation if question.token.calculation != CALCULATION else None
            return Clocks(
                question.token.position,
                question.token.as_of,
                newest,
                other,
                snapshot.recorded_at,
                snapshot.parked,
            )
        present_ = present(now, self.settings.now_granularity_s, snapshot.recorded_at)
        known, known_at = newest, question.known_at
        if isinstance(known_at, Position):
            await self._must_have(snapshot, newest, known_at, "known_at")
            known = known_at
        elif known_at is not None:
            by = await self._instant(snapshot, newest, known_at, present_, "known_at")
            must_be_old_enough(by, now, self.settings.known_at_age_s)
            known = await self._recorded_by(snapshot, newest, by)
        as_of = present_
        if question.as_of is not None:
            as_of = await self._instant(snapshot, newest, question.as_of, present_, "as_of")
        return Clocks(known, as_of, newest, None, snapshot.recorded_at, snapshot.parked)

    async def _instant(
        self, snapshot: Snapshot, newest: Position, stated: datetime | CalendarTime, now: datetime, field: str
    ) -> datetime:
        if isinstance(stated, datetime):
            return stated
        return resolved(stated, await self.contexts.at(snapshot), newest.seq, now, field)

    async def _must_have(self, snapshot: Snapshot, newest: Position, wanted: Position, field: str) -> None:
        """Positions up to a fork mean the same in both epochs; beyond it they are lost (SPEC 10)."""
        if wanted.epoch > newest.epoch:
            await self._epoch_must_be_known(snapshot.workspace, newest, wanted, field)
            raise _not_yet("rebuilding", "The read side has not come to that epoch yet.", newest, wanted)
        if wanted.epoch < newest.epoch and wanted.seq > await _kept_of(snapshot, wanted.epoch):
            raise Problem(
                410,
                "position_lost",
                "The store was restored: this position was in an epoch that is over, beyond what was kept.",
                position=str(newest),
            )
        if wanted.seq > newest.seq:
            raise _not_yet("not_yet", "The read side has not come to that position yet.", newest, wanted)

    async def _epoch_must_be_known(
        self, workspace: str, newest: Position, wanted: Position, field: str
    ) -> None:
        """Problem 422 `position_unknown`: no position of that epoch was ever given out, so waiting is in vain.

        The store's head tells. Without the command service the epoch after ours may have begun, and no later one is
        taken for true: a recovery begins one.
        """
        head = await self._head(workspace, newest)
        if wanted.epoch <= (newest.epoch + 1 if head is None else head.epoch):
            return
        raise Problem(
            422,
            "position_unknown",
            f"The workspace has no epoch {wanted.epoch}: its position is {head or newest}.",
            field=field,
            position=str(newest),
        )

    async def _recorded_by(self, snapshot: Snapshot, newest: Position, known_at: datetime) -> Position:
        """The highest position recorded by then. If nothing recorded later is here, the head tells whether the read
        side has passed that time; without the command service, what is here is taken."""
        if snapshot.recorded_at is None or snapshot.recorded_at <= known_at:
            head = await self._head(snapshot.workspace, newest)
            if head is not None and head > newest:
                raise _not_yet("not_yet", "The read side has not passed that time yet.", newest, head)
            return newest
        row = await snapshot.first(SEQ_RECORDED_BY, known_at)
        return Position(newest.epoch, 0 if row is None else int(row[0]))

    async def _head(self, workspace: str, newest: Position) -> Position | None:
        """The head of the store; None if the command service is out of reach."""
        if self.feed is None:
            return None
        try:
            page = await self.feed.after(workspace, newest, 1)
        except (OSError, ValueError):
            return None
        return None if page is None else page.head


def view_of(request: Request) -> AbstractAsyncContextManager[View]:
    """:meth:`Views.view` of the application's own."""
    views: Views = request.app.state.views
    return views.view(request)


def again_of(request: Request, clocks: Clocks) -> Callable[[], AbstractAsyncContextManager[View]]:
    """:meth:`Views.again`, to be called for each further page."""
    views: Views = request.app.state.views
    return lambda: views.again(request, clocks)


@contextmanager
def _outages() -> Iterator[None]:
    """What the database does not answer, as problems."""
    try:
        yield
    except asyncpg.QueryCanceledError as slow:
        sentence = "The question took too long; narrow it down."
        raise Problem(503, "took_too_long", sentence, headers={"Retry-After": "60"}) from slow
    except TRANSIENT as away:
        sentence = "The read database is out of reach; ask again."
        raise Problem(
            503, "read_side_unavailable", sentence, headers={"Retry-After": str(RETRY_SECONDS)}
        ) from away


async def _kept_of(snapshot: Snapshot, epoch: int) -> int:
    """The last seq of an earlier epoch that is still the same fact."""
    row = await snapshot.first(RESTORED)
    restored: list[dict[str, Any]] = [] if row is None else json.loads(row["restored"])
    if epoch not in {1, *(one["epoch"] for one in restored)}:
        return 0  # an epoch that was lost as a whole
    return min((one["fork_seq"] for one in restored if one["epoch"] > epoch), default=0)


def _not_yet(code: str, sentence: str, newest: Position, wanted: Position | None = None) -> Problem:
    members: dict[str, Any] = {"position": str(newest)}
    if wanted is not None:
        members["asked_position"] = str(wanted)
        if wanted.epoch == newest.epoch:
            members["behind"] = wanted.seq - newest.seq
    headers = {"Retry-After": str(RETRY_SECONDS), HEADER: str(newest)}
    return Problem(503, code, sentence, headers=headers, **members)
