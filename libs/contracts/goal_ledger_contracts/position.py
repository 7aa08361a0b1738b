"""A position: how far a record, or an answer, has come: ``<epoch>-<seq>``."""

from __future__ import annotations

import re
from typing import NamedTuple

_WRITTEN = re.compile(r"([1-9][0-9]{0,9})-(0|[1-9][0-9]{0,17})")


class Position(NamedTuple):
    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"

    @staticmethod
    def parse(text: str) -> Position:
        """Raises ValueError for anything but ``<epoch>-<seq>``."""
        found = _WRITTEN.fullmatch(text)
        if not found:
            raise ValueError(f"not a position (<epoch>-<seq>): {text[:40]!r}")
        return Position(int(found[1]), int(found[2]))
