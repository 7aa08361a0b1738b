"""Saved answers against the log: what each says is computed again from the facts, at the clocks of its token.

Compared is every member that follows from the facts as this program knows it. Members that it does not compute are counted
and named, so that nobody takes them for checked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, NamedTuple

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.position import Position
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.before_it_existed import standing_at
from goal_ledger_history.from_facts import answered
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring import CALCULATION as FORMULAS

from goal_ledger_verifier.documents import Documents
from goal_ledger_verifier.findings import Finding, Findings
from goal_ledger_verifier.log import CheckedLog
from goal_ledger_verifier.told import Told

Json = dict[str, Any]

CALCULATION = f"{FORMULAS}-tzdata-{version('tzdata')}"
"""The calculation version of this program."""

_TOKEN = re.compile(r"([0-9]+-[0-9]+)_([0-9]{8}T[0-9]{12}Z)_([0-9A-Za-z.-]{1,40})")
_HEADING = ("token", "position", "as_of", "calculation")
_READ = {*_HEADING, "objective", "key_result", "nodes", "items"}
_INDEX = re.compile(r"/[0-9]+(?=/|$)")


class Pair(NamedTuple):
    """A piece of an answer at a JSON pointer, what it must be, and the objective that it is of."""

    pointer: str
    said: Any
    follows: Any
    objective: str


class NotUnderstood(Exception):
    """An answer that this program cannot recompute; the message says why."""


class Answers:
    """Compares saved answers with one history."""

    def __init__(self, log: CheckedLog, told: Told, findings: Findings) -> None:
        self._log, self._told, self._findings = log, told, findings
        self.members = 0
        self.not_computed: Counter[str] = Counter()
        self.not_understood: list[str] = []

    def check(self, raw: bytes, place: str) -> None:
        """One answer, as it was given."""
        try:
            answer = json.loads(raw, parse_float=str)
            at = self._moment(answer, place)
            if at is not None:
                for pair in self._pairs(answer, at):
                    self._compare(pair, place)
                self.not_computed.update(f"/{name}" for name in answer.keys() - _READ)
        except NotUnderstood as why:
            self.not_understood.append(f"{place}: {why}")
        except (ValueError, LookupError, TypeError, AttributeError) as wrong:
            self._findings.add(Finding("answer_unreadable", f"{wrong!r}"[:200], place))

    def _moment(self, answer: Json, place: str) -> AsOf | None:
        found = _TOKEN.fullmatch(answer["token"])
        if found is None:
            raise ValueError("its token is not one of our answers'")
        at = datetime.strptime(found[2], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
        said = [answer[name] for name in _HEADING[1:]]
        if said != [found[1], instant_text(at), found[3]]:
            raise ValueError(f"its token says other than {', '.join(_HEADING[1:])}")
        if found[3] != CALCULATION:
            raise NotUnderstood(f"computed by version {found[3]}, this program is {CALCULATION}")
        position, log = Position.parse(found[1]), self._log
        if position.epoch > log.epoch or position.seq > log.kept_of(position.epoch):
            detail = (
                f"of {position}; the log has {log.kept_of(position.epoch)} facts of epoch {position.epoch}"
            )
            self._findings.add(Finding("answer_beyond_log", detail, place, position.seq))
            return None
        return AsOf(at, position.seq)

    def _pairs(self, answer: Json, at: AsOf) -> Iterator[Pair]:
        documents = Documents(self._told, at)
        match answer:
            case {"objective": {"id": id} as said}:
                standing = self._standing(id, at)
                yield Pair("/objective", said, standing and documents.objective(standing), id)
            case {"key_result": {"id": id} as said}:
                yield self._key_result("/key_result", id, said, at, documents)
            case {"nodes": list(nodes), "roots": list()}:
                yield from self._nodes(nodes, at, documents)
            case {"items": list(items)}:
                for index, item in enumerate(items):
                    yield self._item(f"/items/{index}", item, at, documents)
            case _:
                raise NotUnderstood("no answer about objectives, key results or their alignment")

    def _standing(self, objective: str, at: AsOf) -> Standing | None:
        return answered(standing_at(self._told.history, objective, at))

    def _key_result(self, pointer: str, id: str, said: Json, at: AsOf, documents: Documents) -> Pair:
        objective = self._told.objective_of.get(id, "")
        standing = self._standing(objective, at)
        if standing is None:
            return Pair(pointer, said, None, objective)
        one = standing.defined.key_result(id) or standing.added_key_result(id)
        if one is None:
            return Pair(pointer, said, None, objective)
        written = documents.listed_key_result if "objective_state" in said else documents.key_result
        return Pair(pointer, said, written(standing, one), objective)

    def _nodes(self, nodes: Iterable[Json], at: AsOf, documents: Documents) -> Iterator[Pair]:
        there = answered(self._told.history.at(at, [one["id"] for one in nodes]))
        for index, said in enumerate(nodes):
            standing = there.get(said["id"])
            yield Pair(f"/nodes/{index}", said, standing and documents.node(standing), said["id"])

    def _item(self, pointer: str, item: Json, at: AsOf, documents: Documents) -> Pair:
        if "objective_state" in item:
            return self._key_result(pointer, item["id"], item, at, documents)
        if "title" not in item or "score_committed" not in item:
            raise NotUnderstood("a list of other things than objectives or key results")
        standing = answered(self._told.history.at(at, [item["id"]])).get(item["id"])
        return Pair(pointer, item, standing and documents.listed(standing), item["id"])

    def _compare(self, pair: Pair, place: str) -> None:
        for pointer, said, follows in self._differences(pair.pointer, pair.said, pair.follows):
            detail = f"{pointer} is {_short(said)}; from the facts follows {_short(follows)}"
            stream = f"objective/{pair.objective}" if pair.objective else None
            self._findings.add(Finding("answer_differs", detail, place, stream=stream))

    def _differences(self, pointer: str, said: Any, follows: Any) -> Iterator[tuple[str, Any, Any]]:
        if type(said) is dict and type(follows) is dict:
            for name in sorted(said.keys() | follows.keys()):
                if name not in follows:
                    self.not_computed[_INDEX.sub("", f"{pointer}/{name}")] += 1
                elif name not in said:
                    yield f"{pointer}/{name}", None, follows[name]
                else:
                    yield from self._differences(f"{pointer}/{name}", said[name], follows[name])
        elif type(said) is list and type(follows) is list and len(said) == len(follows):
            for index, (one, other) in enumerate(zip(said, follows, strict=True)):
                yield from self._differences(f"{pointer}/{index}", one, other)
        else:
            self.members += 1
            if type(said) is not type(follows) or said != follows:
                yield pointer, said, follows


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 80 else f"{written[:77]}..."
