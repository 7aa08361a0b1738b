"""A fact on its way in: from Kafka or from the command service's feed, with its place in the log."""

from __future__ import annotations

from collections.abc import Iterable

from goal_ledger_contracts.position import Position

from goal_ledger_projection.read_models.fact import CannotApply, FactRead


class Record:
    """A fact with the epoch it was published under. Bytes that cannot be read keep the reason for when it is its turn.

    `vouched`: the epoch is the command service's word; a record in Kafka may say any.
    """

    __slots__ = ("_fact", "_refused", "epoch", "seq", "vouched", "workspace")

    def __init__(self, workspace: str, epoch: int, seq: int, stored: bytes, *, vouched: bool = False) -> None:
        self.workspace = workspace
        self.epoch = epoch
        self.vouched = vouched
        self.seq = seq
        self._fact: FactRead | None = None
        self._refused: CannotApply | None = None
        try:
            self._fact = FactRead(workspace, seq, stored)
        except CannotApply as refused:
            self._refused = refused

    @property
    def fact(self) -> FactRead:
        """Raises :class:`CannotApply` for bytes that are no fact."""
        if self._fact is None:
            raise self._refused or CannotApply(self.seq, "not a fact")
        return self._fact

    @property
    def unreadable(self) -> str | None:
        """Why the bytes are no fact, or None."""
        return None if self._refused is None else self._refused.reason

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.seq)


def by_workspace(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each workspace, in the order they came."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        if record.workspace in grouped:
            grouped[record.workspace].append(record)
        else:
            grouped[record.workspace] = [record]
    return grouped
