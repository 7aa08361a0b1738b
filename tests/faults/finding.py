"""What a scenario found: figures to print, and what is wrong; nothing wrong means that it held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Finding:
    """`name`: a sentence of what must hold."""

    name: str
    figures: dict[str, object] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def note(self, figures: Mapping[str, object] | None = None, **more: object) -> None:
        """Figures for the table."""
        self.figures |= {**(figures or {}), **more}

    def expect(self, holds: bool, otherwise: str) -> None:
        """Something that must hold; `otherwise` says what is the case instead."""
        if not holds:
            self.wrong.append(otherwise)

    def lines(self) -> str:
        """For people."""
        state = "FAILED" if self.wrong else "held"
        figures = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.figures.items())
        return "\n".join(
            [f"{state:>6}  {self.name}: {figures}", *(f"        WRONG {one}" for one in self.wrong)]
        )
