"""What an import says of a goal's life, for the rows that stand apart from the objective's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from goal_ledger_command.importing.document import ClosingRow, Happened, KeyResultRow, ObjectiveRow, at_of


@dataclass(frozen=True, slots=True)
class Life:
    """``activation`` None: it stays a draft, or the import does not say; ``latest``: the latest time stated of it."""

    activation: Happened | None = None
    drafted_at: datetime | None = None
    closed_at: datetime | None = None
    """First."""
    latest: datetime | None = None

    @property
    def drafted(self) -> datetime | None:
        """Left out: when it was activated, or first closed."""
        return self.drafted_at or at_of(self.activation) or self.closed_at

    @property
    def activated(self) -> datetime | None:
        """Left out: when it was drafted, else when it was first closed."""
        return at_of(self.activation) or self.drafted

    def with_(self, other: Life) -> Life:
        """What both say."""
        return Life(
            self.activation or other.activation,
            self.drafted_at or other.drafted_at,
            min(_stated(self.closed_at, other.closed_at), default=None),
            max(_stated(self.latest, other.latest), default=None),
        )


NO_LIFE = Life()


def of_objective(row: ObjectiveRow) -> Life:
    happened = (row.drafted, row.activated, row.archived, *row.changed.values())
    return Life(row.activated, at_of(row.drafted), None, _latest(happened))


def of_key_result(row: KeyResultRow) -> Life:
    """What a key result says of its goal's life."""
    return Life(latest=_latest((row.added, row.dropped, row.taken_up, *row.changed.values())))


def of_closing(row: ClosingRow) -> Life:
    latest = max(_stated(row.at, at_of(row.reopened)), default=None)
    return Life(closed_at=row.at, latest=latest)


def _latest(happened: Iterable[Happened | None]) -> datetime | None:
    return max(_stated(*map(at_of, happened)), default=None)


def _stated(*times: datetime | None) -> list[datetime]:
    return [at for at in times if at is not None]
