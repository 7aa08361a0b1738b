"""What answers are recomputed from: the history that a log tells, and what answers show of goals besides.

The log is read twice more: for all but readings, then for the readings of feeds that were ever bound. These are held in
memory; what answers do not depend on is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from goal_ledger_contracts import objective as facts
from goal_ledger_contracts.envelope import Fact, from_bytes
from goal_ledger_history.definitions_in_facts import DefinitionsInFacts
from goal_ledger_history.from_facts import NEEDED
from goal_ledger_history.scores_at import ScoresAt
from goal_ledger_history.values_in_facts import ReadingsInFacts, ValuesInFacts

from goal_ledger_verifier.findings import Finding, Findings
from goal_ledger_verifier.log_files import FactLines, LogFiles

Json = dict[str, Any]

_STREAM, _TYPE = b',"stream":"', b'"type":"'


class Named(NamedTuple):
    """Stream and type of a fact, from its bytes: behind them stand only version and workspace."""

    kind: str
    id: str
    type: str


def named(line: bytes) -> Named | None:
    """None: it is no canonical fact."""
    low = line.rfind(_STREAM) + len(_STREAM)
    high = line.find(b'"', low)
    type_ = line.find(_TYPE, high) + len(_TYPE)
    if low < len(_STREAM) or high < 0 or type_ < len(_TYPE):
        return None
    kind, _, id = line[low:high].decode("utf-8", "replace").partition("/")
    return Named(kind, id, line[type_ : line.find(b'"', type_)].decode("utf-8", "replace"))


class Told:
    """The history, and beside it, by objective, what changes nothing in the arithmetic."""

    def __init__(self) -> None:
        self._definitions, self.readings = DefinitionsInFacts(), ReadingsInFacts()
        self._values = ValuesInFacts(self.readings)
        self.history = ScoresAt(self._definitions, self._values)
        self.event_ids: dict[int, str] = {}
        self.objective_of: dict[str, str] = {}
        self.bound: set[str] = set()
        self._versions: defaultdict[str, list[int]] = defaultdict(list)
        self._shown: defaultdict[str, list[tuple[int, Json]]] = defaultdict(list)
        self._closings: defaultdict[str, list[Fact]] = defaultdict(list)

    def take(self, fact: Fact) -> None:
        """One fact more, in seq order. Raises what a fact that does not belong raises."""
        self._definitions.take(fact)
        self._values.take(fact)
        self.event_ids[fact.seq] = fact.event_id
        if not fact.stream.startswith("objective/"):
            return
        self._versions[fact.stream_id].append(fact.seq)
        before = self._shown[fact.stream_id][-1][1] if self._shown[fact.stream_id] else {}
        if changed := _shown(before, fact):
            self._shown[fact.stream_id].append((fact.seq, before | changed))
        match data := fact.data:
            case facts.KeyResultAdded():
                self.objective_of[data.key_result] = fact.stream_id
            case facts.PartBound():
                self.bound.add(data.feed)
            case facts.ObjectiveClosed() | facts.ObjectiveReopened():
                self._closings[fact.stream_id].append(fact)

    def take_reading(self, fact: Fact) -> None:
        """A reading of a feed that was bound, or what became of it."""
        self.readings.take(fact)
        self.event_ids[fact.seq] = fact.event_id

    def shown(self, objective: str, seq: int) -> Json:
        """Title, description, kind, contributors, lineage; of key results description and lineage: after the fact ``seq``."""
        versions = self._shown[objective]
        return versions[bisect_right(versions, seq, key=lambda one: one[0]) - 1][1]

    def version(self, objective: str, known_to: int) -> int:
        """The stream's version by the facts up to there."""
        return bisect_right(self._versions[objective], known_to)

    def closings(self, objective: str, seq: int) -> list[tuple[Fact, bool]]:
        """The closings up to the fact ``seq``, and whether the goal was reopened since."""
        found: list[tuple[Fact, bool]] = []
        for fact in self._closings[objective]:
            if fact.seq <= seq:
                if isinstance(fact.data, facts.ObjectiveClosed):
                    found.append((fact, False))
                else:
                    found[-1] = (found[-1][0], True)
        return found


def _shown(before: Json, fact: Fact) -> Json:
    match data := fact.data:
        case facts.ObjectiveDrafted():
            return {
                "title": data.title,
                "description": data.description,
                "kind": data.kind,
                "contributors": list(data.contributors),
                "carried_from": data.carried_from,
                "drafted_at": fact.effective_at,
            }
        case facts.ObjectiveReworded():
            return {"title": data.title, "description": data.description}
        case facts.ObjectiveAssigned():
            return {"contributors": list(data.contributors)}
        case facts.KindGiven():
            return {"kind": data.kind}
        case facts.KeyResultAdded():
            return {f"key-result/{data.key_result}": (data.description, data.carried_from)}
        case facts.KeyResultReworded():
            name = f"key-result/{data.key_result}"
            return {name: (data.description, before[name][1])}
    return {}


def told_by(files: LogFiles | FactLines, findings: Findings) -> Told:
    """The history of a log; facts that cannot be read are named. Raises CannotRead."""
    told = Told()
    for line, name in _lines(files):
        wanted = NEEDED.get(name.kind, ())
        if name.kind == "objective" or name.type in wanted:
            _take(told.take, line, name, findings, files.place)
    for line, name in _lines(files):
        if name.kind == "feed" and name.id in told.bound and name.type.startswith("Reading"):
            _take(told.take_reading, line, name, findings, files.place)
    return told


def _lines(files: LogFiles | FactLines) -> Iterator[tuple[bytes, Named]]:
    for line in files.facts(lambda _: None):
        name = named(line)
        if name is not None:
            yield line, name


def _take(take: Any, line: bytes, name: Named, findings: Findings, place: str) -> None:
    try:
        take(from_bytes(line))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as wrong:
        stream = f"{name.kind}/{name.id}"
        findings.add(Finding("fact_unreadable", f"{name.type}: {wrong!r}"[:200], place, stream=stream))
