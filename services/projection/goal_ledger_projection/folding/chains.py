"""Chains: whether a record continues its stream, whatever topic or service it came from.

Each fact's bytes hold its number within its stream (`version`) and the hash of the stream's fact before it
(`previous`), and both are hashed with the rest. So a record that somebody else put into Kafka with the right key,
headers and seq is known as foreign: without the bytes before it nobody can write what follows them. It is not applied;
the fact that belongs there comes after it, or from the command service.

Ends of chains are kept in memory as definitions are, good as long as the workspace's position is the one this process
left it at, and else read from the table of facts: the bytes themselves are the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from goal_ledger_projection.folding.records import Record
from goal_ledger_projection.folding.writing import Connection
from goal_ledger_projection.read_models import facts
from goal_ledger_projection.read_models.fact import ChainLink


class Chains:
    """The ends of one workspace's streams: those known, and those that records have continued since."""

    def __init__(self, known: Mapping[str, ChainLink]) -> None:
        self._known: Mapping[str, ChainLink] = known
        self.continued: dict[str, ChainLink] = {}
        """By stream, the new ends."""

    def take(self, record: Record) -> str | None:
        """The record continues its stream, which ends with it from now on: None. Else the reason why it does not."""
        if record.unreadable is not None:
            return record.unreadable
        fact = record.fact
        end = self.continued.get(fact.stream) or self._known.get(fact.stream) or START
        if fact.link.version != end.version + 1:
            return f"version {fact.link.version} of {fact.stream} cannot follow {end.version}"
        if fact.previous != end.hash:
            return f"version {fact.link.version} of {fact.stream} is not chained to the fact before it"
        self.continued[fact.stream] = fact.link
        return None

    def restart(self) -> None:
        """The workspace's log begins anew: nothing is known."""
        self._known, self.continued = {}, {}


START = ChainLink(0, None)
"""The end of a stream without facts."""


async def load(connection: Connection, wanted: Iterable[tuple[str, str]]) -> dict[str, dict[str, ChainLink]]:
    """The ends of streams, (workspace, stream) each, by workspace; streams without facts are left out."""
    found: dict[str, dict[str, ChainLink]] = {}
    keys = list(wanted)
    if keys:
        columns = [list(column) for column in zip(*keys, strict=True)]
        for row in await connection.fetch(facts.ENDS_OF_STREAMS, *columns):
            found.setdefault(row[0], {})[row[1]] = ChainLink(row[2], row[3].hex())
    return found
