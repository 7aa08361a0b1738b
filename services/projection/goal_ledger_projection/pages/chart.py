"""The geometry of a progress chart: the score as it was from change to change, and the line expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 26
SCORE_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and what it stands for."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Paths of an SVG of WIDTH × HEIGHT. Floats are for drawing alone."""

    score: str
    expected: str
    dots: tuple[tuple[float, float], ...]
    scores: tuple[Tick, ...]
    days: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def chart(points: Sequence[dict[str, Any]]) -> Chart | None:
    """Of the points of a progress answer; None: nothing was measured."""
    if not any(one["score"] is not None for one in points):
        return None
    times = [datetime.fromisoformat(one["at"]).timestamp() for one in points]
    first, span = times[0], max(times[-1] - times[0], 1.0)

    def x(at: float) -> float:
        return round(LEFT + (at - first) / span * (WIDTH - LEFT - RIGHT), 1)

    scores = [(x(at), _y(one["score"])) for at, one in zip(times, points, strict=True)]
    expected = [(x(at), _y(one["expected"])) for at, one in zip(times, points, strict=True)]
    return Chart(
        _stairs(scores),
        _line(expected),
        _dots(scores),
        tuple(Tick(_height(score), str(score)) for score in SCORE_TICKS),
        tuple(Tick(x(first + span * part), _instant(first + span * part)) for part in (0, 0.5, 1)),
    )


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _height(score: float) -> float:
    return round(HEIGHT - BOTTOM - score * (HEIGHT - BOTTOM - TOP), 1)


def _y(score: str | None) -> float | None:
    return None if score is None else _height(float(score))


def _dots(points: Sequence[tuple[float, float | None]]) -> tuple[tuple[float, float], ...]:
    """Where the score changed."""
    known = [(x, y) for x, y in points if y is not None]
    return tuple(
        one for before, one in zip([None, *known], known, strict=False) if not before or before[1] != one[1]
    )


def _stairs(points: Sequence[tuple[float, float | None]]) -> str:
    """A value holds until the next; where there is none the line breaks."""
    steps, before = [], None
    for x, y in points:
        if before is not None:
            steps.append(f"H{x}")
        if y is not None:
            steps.append(f"M{x} {y}" if before is None else f"V{y}")
        before = y
    return "".join(steps)


def _line(points: Sequence[tuple[float, float | None]]) -> str:
    known = [f"{x} {y}" for x, y in points if y is not None]
    return "M" + "L".join(known) if len(known) > 1 else ""
