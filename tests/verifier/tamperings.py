"""Ways to tamper with a record, each with where it must be named and how."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.saved import EDITABLE, SCORES, edited
from verifier.signed import HEAD_EVERY, Signed, rechained

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
WORDS = b"abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass
class Tampered:
    """``codes``: one of them is found at a place that overlaps the facts ``low`` to ``high``; of an answer that came with the
    log, at the member ``pointer``."""

    what: str
    lines: list[bytes]
    heads: list[str]
    codes: frozenset[str]
    low: int
    high: int
    answers: tuple[bytes, ...] = ()
    pointer: str = ""


Tamper = Callable[[random.Random, Signed], Tampered]
CONTENT = frozenset(
    {"not_json", "not_canonical", "not_a_fact", "root_differs", "seq_wrong", "workspace_differs"}
)


def flip(chosen: random.Random, of: Signed) -> Tampered:
    """One byte of one fact is another."""
    lines, at = list(of.lines), chosen.randrange(len(of.lines))
    place = chosen.randrange(len(lines[at]))
    byte = chosen.choice([one for one in WORDS if one != lines[at][place]])
    lines[at] = lines[at][:place] + bytes([byte]) + lines[at][place + 1 :]
    return Tampered("flip", lines, of.heads, CONTENT, at + 1, at + 1)


def swap(chosen: random.Random, of: Signed) -> Tampered:
    """Two facts in each other's place."""
    lines = list(of.lines)
    one, other = sorted(chosen.sample(range(len(lines)), 2))
    lines[one], lines[other] = lines[other], lines[one]
    return Tampered("swap", lines, of.heads, frozenset({"seq_wrong"}), one + 1, other + 2)


def drop_tail(chosen: random.Random, of: Signed) -> Tampered:
    """The last facts are gone."""
    kept = chosen.randrange(1, len(of.lines))
    return Tampered(
        "drop tail", of.lines[:kept], of.heads, frozenset({"head_beyond_log"}), kept + 1, len(of.lines)
    )


def drop(chosen: random.Random, of: Signed) -> Tampered:
    """One fact in the middle is gone."""
    at = chosen.randrange(len(of.lines) - 1)
    lines = of.lines[:at] + of.lines[at + 1 :]
    return Tampered("drop", lines, of.heads, frozenset({"seq_wrong"}), at + 1, at + 2)


def insert(chosen: random.Random, of: Signed) -> Tampered:
    """A fact more, which continues its stream, and all behind it numbered and chained anew."""
    at = chosen.randrange(1, len(of.lines))
    facts = [json.loads(line) for line in of.lines]
    more = json.loads(of.lines[at - 1]) | {"event_id": "019a0000-0000-7000-8000-000000000000"}
    facts.insert(at, more)
    versions: dict[str, int] = {}
    for seq, fact in enumerate(facts, 1):
        versions[fact["stream"]] = versions.get(fact["stream"], 0) + 1
        fact |= {"seq": seq, "version": versions[fact["stream"]]}
    lines = rechained([json.dumps(one).encode() for one in facts], at, lambda fact: None)
    return Tampered("insert", lines, of.heads, frozenset({"root_differs"}), at + 1, at + 1)


def rechain(chosen: random.Random, of: Signed) -> Tampered:
    """A fact says something else, and its stream is chained anew."""
    at = chosen.randrange(len(of.lines))
    lines = rechained(of.lines, at, lambda fact: fact.update(reason="Another"))
    return Tampered("re-chain", lines, of.heads, frozenset({"root_differs"}), at + 1, at + 1)


def resign(chosen: random.Random, of: Signed) -> Tampered:
    """The same, with heads over it that another key signed under the log's name."""
    changed = replace(of, lines=rechain(chosen, of).lines)
    heads = [changed.head(size, OTHER_KEY) for size in (len(of.lines) // 2, len(of.lines))]
    return Tampered("re-sign", changed.lines, heads, frozenset({"signature_missing"}), 0, 0)


def older_head(chosen: random.Random, of: Signed) -> Tampered:
    """The log as it was at an older head; a newer one was kept."""
    kept = chosen.randrange(1, len(of.lines) // HEAD_EVERY) * HEAD_EVERY
    heads = [of.heads[-1], of.head(kept)]
    return Tampered(
        "older head", of.lines[:kept], heads, frozenset({"head_beyond_log"}), kept + 1, len(of.lines)
    )


def shredded_key(chosen: random.Random, of: Signed) -> Tampered:
    """A text is sealed with the key of somebody who was shredded before."""
    facts = [json.loads(line) for line in of.lines]
    shredded = next(fact for fact in facts if fact["type"] == "PersonShredded")
    more: dict[str, Any] = {
        "type": "PersonRenamed",
        "data": {"display_name": {"k": shredded["stream"], "n": "bm8", "c": "Y2k"}},
        "event_id": "019a0000-0000-7000-8000-000000000001",
        "seq": len(facts) + 1,
        "version": shredded["version"] + 1,
        "recorded_at": facts[-1]["recorded_at"],
    }
    added = json.dumps(shredded | more).encode()
    lines = rechained([*of.lines, added], 0, lambda fact: None)
    return Tampered(
        "shredded key", lines, of.heads, frozenset({"text_after_shredding"}), len(lines), len(lines)
    )


def edited_answer(chosen: random.Random, of: Signed) -> Tampered:
    """A saved answer says something else of a goal."""
    return _answer("edited answer", chosen, of, EDITABLE - SCORES)


def edited_score(chosen: random.Random, of: Signed) -> Tampered:
    """A saved answer has another score."""
    return _answer("edited score", chosen, of, SCORES)


def _answer(what: str, chosen: random.Random, of: Signed, names: set[str]) -> Tampered:
    answer, pointer = edited(chosen, chosen.choice(of.answers), names)
    raw = json.dumps(answer).encode()
    return Tampered(what, of.lines, of.heads, frozenset({"answer_differs"}), 0, 0, (raw,), pointer)


TAMPERINGS: tuple[Tamper, ...] = (
    flip, swap, drop_tail, drop, insert, rechain, resign, older_head, edited_answer, edited_score, shredded_key,
)  # fmt: skip
