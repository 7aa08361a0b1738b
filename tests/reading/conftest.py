"""The read side that is judged: what folds, and what answers."""

from projection.query.conftest import reading

__all__ = ["reading"]
