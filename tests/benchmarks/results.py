"""What a benchmark found: ours, the comparison of the same run, the ratio, the aim and whether it was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``reached`` is None where nothing is aimed at; ``unit`` is that of ours and beside."""

    what: str
    ours: float
    unit: str
    beside: float | None = None
    beside_what: str = ""
    aim: str = ""
    reached: bool | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.beside if self.beside else None

    def document(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio}


def of_rounds(rounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The medians of ours and of the comparison over rounds that alternated."""
    return median([ours for ours, _ in rounds]), median([beside for _, beside in rounds])


def spread(values: Sequence[float]) -> str:
    """The rounds one by one, so that nobody has to trust the median."""
    return " ".join(shown(value) for value in values)


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table_of(figures: Sequence[Figure]) -> Table:
    table = Table(title="Goal Ledger, each figure beside its comparison", show_lines=False)
    for name in ("what", "ours", "unit", "beside", "ratio", "aim", "reached", "what is beside it; notes"):
        table.add_column(name, justify="right" if name in ("ours", "beside", "ratio") else "left")
    for one in figures:
        reached = "" if one.reached is None else "[green]yes[/]" if one.reached else "[red]no[/]"
        words = "; ".join(word for word in (one.beside_what, one.note) if word)
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        table.add_row(one.what, shown(one.ours), one.unit, shown(one.beside), ratio, one.aim, reached, words)
    return table


def quantile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie (nearest rank). The values are sorted, and not none."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]
