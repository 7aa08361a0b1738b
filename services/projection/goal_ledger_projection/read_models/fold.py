"""The fold of a batch: facts in, rows out. Pure; which read model hears which facts stands here, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from goal_ledger_projection.read_models import check_ins, definitions, facts, readings, sequences, value_rows
from goal_ledger_projection.read_models.changes import Changes, DefinitionKey, Loaded, ReadingKey
from goal_ledger_projection.read_models.fact import CannotApply, FactRead

FOLD = 2
"""Raised when the rows that facts amount to change although no column does: versions of another fold are not served."""

FoldIntoRows = Callable[[FactRead, Changes], None]

FOLDS: dict[str, tuple[FoldIntoRows, ...]] = {
    **{type_: (facts.fold, definitions.fold) for type_ in definitions.DEFINING},
    **{type_: (facts.fold, check_ins.fold, value_rows.fold) for type_ in check_ins.TYPES},
    **{type_: (facts.fold, readings.fold) for type_ in readings.TYPES},
    **{type_: (facts.fold, readings.fold, sequences.fold) for type_ in readings.COMING_IN},
    **{type_: (facts.fold,) for type_ in ("ChangeEndorsed", "CommentAdded", "KudosGiven")},
}
"""Who hears a type of fact. A type that is not here is one that this release does not know."""


def touched_definitions(many: Iterable[FactRead]) -> set[DefinitionKey]:
    """The definitions that the facts change or refer to."""
    keys: set[DefinitionKey] = set()
    for fact in many:
        if fact.kind == "objective":
            keys.add((fact.workspace, "objective", fact.id))
        else:
            keys.update(definitions.touched(fact))
    return keys


def touched_readings(many: Iterable[FactRead]) -> set[ReadingKey]:
    """The readings that may be in quarantine and matter to the facts."""
    return {key for fact in many if fact.kind == "feed" for key in readings.touched(fact)}


def fold(many: Iterable[FactRead], loaded: Loaded) -> Changes:
    """What the facts, in order, change. Raises :class:`CannotApply` with the seq of the fact that cannot be folded."""
    changes = Changes(loaded)
    for fact in many:
        try:
            for one in FOLDS[fact.type]:
                one(fact, changes)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as bad:
            raise CannotApply(fact.seq, f"{fact.type}: {type(bad).__name__} {bad}") from bad
    return changes
