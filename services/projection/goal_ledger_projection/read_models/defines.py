"""What a fact defines: each file of a stream's definitions has its rows, `definitions.py` holds all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from goal_ledger_contracts.facts import STREAM_OF

from goal_ledger_projection.read_models.fact import FactRead, JsonObject

Evolve = Callable[[JsonObject | None, FactRead], JsonObject]


@dataclass(frozen=True, slots=True)
class Defines:
    """A kind of thing that a fact defines: which one, and what its whole definition is after the fact."""

    kind: str
    id_of: Callable[[FactRead], str]
    evolve: Evolve


DefinesByType = dict[str, tuple[Defines, ...]]
"""By type of fact."""


def by_stream(kind: str, evolve: Evolve) -> Defines:
    """The thing that the stream is of."""
    return Defines(kind, lambda fact: fact.id, evolve)


def by_member(kind: str, member: str, evolve: Evolve) -> Defines:
    """The thing that a member of the fact's data names."""
    return Defines(kind, lambda fact: str(fact.data[member]), evolve)


def every_fact_of(stream: str, evolve: Evolve) -> DefinesByType:
    """Rows of a stream whose every fact defines the thing that it is of."""
    one = by_stream(stream, evolve)
    return {type_: (one,) for type_, of in STREAM_OF.items() if of == stream}
