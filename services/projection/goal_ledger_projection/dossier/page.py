"""The dossier as one HTML file: no script, no address outside it, to be read on any screen or printed.

It says no moment of its own making: the same token gives the same bytes, save what was erased or withheld since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from goal_ledger_contracts.envelope import Fact, leaf_hash
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from goal_ledger_projection.dossier.answers import DossierAnswers

FOLDER = Path(__file__).parent
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The file is another's words under our address: whatever they hold, nothing in it is loaded or run."""


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A fact of the goal's own stream. ``leaf``: the hash that stands for it in the tree, hex."""

    seq: int
    version: int
    event_id: str
    type: str
    actor: str
    recorded_at: datetime
    leaf: str


def page(
    workspace: str,
    answers: DossierAnswers,
    names: Mapping[str, str],
    facts: Sequence[tuple[Fact, bytes]],
) -> bytes:
    """The file. ``facts``: those the numbers rest on, the goal's own among them."""
    goal = answers.objective["objective"]
    own = f"objective/{goal['id']}"
    record = [_line(fact, raw) for fact, raw in facts if fact.stream == own]
    streams = {fact.stream for fact, _ in facts}
    given = {
        **asdict(answers),
        "goal": goal,
        "workspace": workspace,
        "names": names,
        "record": record,
        "facts_behind": len(facts),
        "streams_behind": len(streams),
        "closed_by": _closed_by(answers),
        "policy": CONTENT_SECURITY_POLICY,
    }
    return _template().render(given).encode()


def _line(fact: Fact, raw: bytes) -> RecordLine:
    kind = type(fact.data).__name__
    return RecordLine(
        fact.seq, fact.version, fact.event_id, kind, fact.actor, fact.recorded_at, leaf_hash(raw).hex()
    )


def _closed_by(answers: DossierAnswers) -> Mapping[str, Any]:
    """The closings as the timeline tells them, with the retrospective, by event id."""
    items = answers.timeline["items"]
    return {one["event_id"]: one["data"] for one in items if one["type"] == "ObjectiveClosed"}


@cache
def _template() -> Template:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"percent": _percent, "points": _points, "time": _time, "word": _word, "worded": _worded}
    made.globals["style"] = Markup((FOLDER / "dossier.css").read_text())
    return made.get_template("dossier.html")


def _percent(score: str | None) -> str:
    """A score with four places of its fraction."""
    return "not measured" if score is None else f"{(Decimal(score) * 100).quantize(Decimal('0.01')):f} %"


def _points(change: str | None) -> str:
    """A change of a score, in points of 100."""
    if change is None:
        return "–"
    return f"{(Decimal(change) * 100).quantize(Decimal('0.01')):+f}"


def _time(at: str | datetime | None) -> Markup:
    if at is None:
        return Markup("–")
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    moment = moment.astimezone(UTC)
    written = f"{moment:%Y-%m-%d %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), written)


def _word(word: str | None) -> str:
    return "–" if word is None else word.replace("_", " ")


def _worded(value: Any) -> str:
    """A value of a definition in words: lists and members one after another."""
    if isinstance(value, dict):
        said = {name: one for name, one in value.items() if one not in (None, [], {})}
        return ", ".join(f"{_word(name)}: {_nested(one)}" for name, one in said.items())
    if isinstance(value, list):
        return "; ".join(_worded(one) for one in value)
    return "nothing" if value is None else str(value)


def _nested(value: Any) -> str:
    """In brackets, where it has parts of its own."""
    return f"({_worded(value)})" if isinstance(value, (dict, list)) else _worded(value)
