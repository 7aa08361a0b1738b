"""What callers hand to the ledger and get back, and what the ledger asks of the domain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from goal_ledger_contracts.decision import Decision, Identity, Situation
from goal_ledger_contracts.envelope import MAX_FACT_BYTES, CommandMark, Fact
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.unguarded import unguarded_dataclass

FoldedState = Any
"""The folded state that deciders read: ``get``, ``put``, ``branch`` and ``absorb`` of ``goal_ledger_domain.world``."""


class Domain(Protocol):
    """The deciders' side: how a workspace's state follows from its facts."""

    @property
    def fold_version(self) -> str:
        """Changes whenever the same facts give another state: older snapshots are thrown away."""

    @property
    def folded(self) -> frozenset[str]:
        """The type names of the facts that :meth:`evolve` handles; others are not even parsed."""

    def empty(self) -> FoldedState:
        """The state before the first fact."""

    def evolve(self, world: FoldedState, fact: Fact) -> None:
        """Put what the fact changes into ``world``. Its personal text is in clear."""


class WriteGate(Protocol):
    """Asked before every batch, so it answers from memory: does Kafka hold facts that the store does not?"""

    async def check(self, workspace: str) -> None:
        """Raises :class:`NotRecorded` (cannot be told now) or :class:`StoreBehindLog`."""


class OpenGate:
    """Lets every write pass: for tests, and for tools that run where nothing was ever published."""

    async def check(self, workspace: str) -> None:
        return None


@unguarded_dataclass
class FactRef:
    seq: int
    event_id: str
    type: str


@unguarded_dataclass
class CommandAnswer:
    """What a command came to. ``facts`` is empty if it changed nothing; ``version`` is the stream's."""

    id: str
    version: int
    facts: tuple[FactRef, ...]
    position: Position
    replayed: bool = False
    location: str | None = None


@unguarded_dataclass
class Submission:
    """One command for one workspace.

    ``decide`` is called on the state that the command will be ordered on, maybe more than once; what it raises
    reaches the submitter and nothing is recorded. ``lookups`` and ``neighbours``: what it wants to find in its
    situation. ``mark``: the keyed hashes of its idempotency key. ``exclusive``: decided in a batch of its own.
    """

    workspace: str
    decide: Callable[[FoldedState, Situation], Decision]
    lookups: tuple[Identity, ...] = ()
    neighbours: tuple[tuple[str, datetime], ...] = ()
    mark: CommandMark | None = None
    traceparent: str | None = None
    location: Callable[[Decision], str | None] | None = None
    exclusive: bool = False
    creates_workspace: bool = False


class LedgerError(Exception):
    """A stable ``code`` and a sentence."""

    code = "ledger_error"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class UnknownWorkspace(LedgerError):
    code = "unknown_workspace"

    def __init__(self, workspace: str) -> None:
        super().__init__("There is no such workspace.")
        self.workspace = workspace


class KeyReused(LedgerError):
    code = "key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body.")


class FactTooLarge(LedgerError):
    code = "fact_too_large"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"What is to be recorded has {size} bytes as a fact; a fact has at most {MAX_FACT_BYTES}. "
            "Shorten its texts, or divide it."
        )
        self.size_bytes = size


class NotRecorded(LedgerError):
    """Nothing was recorded; the same command may be sent again."""

    code = "not_recorded"


class ClockSkewed(NotRecorded):
    """The clocks of this process and of the store differ by too much: its ``recorded_at`` would be wrong for ever."""

    code = "clock_skewed"


class OutcomeUnknown(LedgerError):
    """The facts may or may not be recorded: only repeating with the same key tells."""

    code = "outcome_unknown"

    def __init__(self) -> None:
        super().__init__(
            "The connection broke while this was recorded; repeat it with the same key to learn the outcome."
        )


class StoreBehindLog(LedgerError):
    """The store lacks facts that were published: nothing may be written until it is recovered."""

    code = "store_behind_log"
    is_own_finding = False
    """True: the ledger found the head behind what it had folded itself."""


class CuredByNewEpoch(LedgerError):
    """Nothing may be written in this epoch any more; a new one may begin."""


class WitnessedMore(StoreBehindLog, CuredByNewEpoch):
    """A witness has seen more facts than the store holds."""


class LogForked(CuredByNewEpoch):
    """A witness has seen another log under this name: nothing may be written to this one."""

    code = "log_forked"
