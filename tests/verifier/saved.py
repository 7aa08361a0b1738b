"""Answers as somebody saved them, of a life at moments of it. That the query service writes the same, member for member, is
shown by ``projection/query/test_offline.py``."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.envelope import from_bytes
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.before_it_existed import standing_at
from goal_ledger_history.from_facts import answered
from goal_ledger_verifier.answers import CALCULATION
from goal_ledger_verifier.documents import Documents
from goal_ledger_verifier.findings import Findings
from goal_ledger_verifier.log_files import JsonLines
from goal_ledger_verifier.told import told_by

from verifier.signed import Signed

EDITABLE = {
    "expected", "gap", "kind", "owner", "raw", "score", "score_committed", "state", "status", "text", "title", "value", "weight",
}  # fmt: skip
SCORES = {"score", "score_committed"}


def saved_answer(folder: Path, of: Signed, chosen: random.Random) -> dict[str, Any]:
    """Of an objective that there was, whole: now, or at some moment of both clocks."""
    log = folder / "lived.jsonl"
    log.write_bytes(b"".join(line + b"\n" for line in of.lines))
    told, facts = told_by(JsonLines(log), Findings()), [from_bytes(line) for line in of.lines]
    drafted = [fact for fact in facts if type(fact.data).__name__ == "ObjectiveDrafted"]
    while True:
        goal = chosen.choice(drafted)
        at = AsOf(chosen.choice(facts[goal.seq :]).recorded_at, chosen.randint(goal.seq, len(facts)))
        standing = answered(standing_at(told.history, goal.stream_id, at))
        if standing is not None:
            return _heading(at) | {"objective": Documents(told, at).objective(standing)}


def _heading(at: AsOf) -> dict[str, Any]:
    position, true_at = f"1-{at.known_to}", at.true_at.astimezone(UTC)
    return {
        "token": f"{position}_{true_at:%Y%m%dT%H%M%S%fZ}_{CALCULATION}",
        "position": position,
        "as_of": instant_text(true_at),
        "calculation": CALCULATION,
    }


def members(node: Any, names: set[str], pointer: str = "") -> Iterator[tuple[dict[str, Any], str, str]]:
    """Holder, name and JSON pointer of each member of an answer that has one of these names and is computed again."""
    if isinstance(node, list):
        for index, one in enumerate(node):
            yield from members(one, names, f"{pointer}/{index}")
    elif isinstance(node, dict):
        for name, one in node.items():
            if name in names:
                yield node, name, f"{pointer}/{name}"
            elif name not in ("links", "measure", "policy"):
                yield from members(one, names, f"{pointer}/{name}")


def edited(chosen: random.Random, answer: dict[str, Any], names: set[str]) -> tuple[dict[str, Any], str]:
    """One of these members is another, and its JSON pointer."""
    copy = json.loads(json.dumps(answer))
    holder, name, pointer = chosen.choice(list(members(copy, names)))
    holder[name] = "0.123456" if holder[name] != "0.123456" else "0.5"
    return copy, pointer
