"""A log as an auditor holds it: a life told as facts with sealed texts, heads signed on the way, and how it is verified."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from goal_ledger_contracts.envelope import leaf_hash
from goal_ledger_contracts.person import PersonAdded, PersonShredded
from goal_ledger_contracts.personal import Sealed
from goal_ledger_ledger.checkpoint import Checkpoint, proof_file, sign, verifier_key
from goal_ledger_ledger.merkle import inclusion_proof, root_of
from goal_ledger_verifier import main
from goal_ledger_verifier.report import Report
from history.lives import Life

HEAD_EVERY = 10
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
PREFIX = "ledger.example/v1/logs"


@dataclass
class Signed:
    """Facts as stored, and heads over every so many of them."""

    workspace: str
    lines: list[bytes]
    heads: list[str] = field(default_factory=list)
    epoch: int = 1
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"{PREFIX}/{self.workspace}/{self.epoch}"

    @property
    def key(self) -> str:
        return verifier_key(self.origin, KEY.public_key())

    @property
    def sealed_texts(self) -> int:
        """Each with a nonce."""
        return sum(line.count(b'"n":"') for line in self.lines)

    def head(self, size: int, key: Ed25519PrivateKey = KEY) -> str:
        root = root_of([leaf_hash(line) for line in self.lines[:size]])
        return sign(Checkpoint(self.origin, size, root), key)

    def proof(self, seq: int) -> str:
        leaves = [leaf_hash(line) for line in self.lines]
        return proof_file(seq - 1, inclusion_proof(leaves, seq - 1), self.head(len(self.lines)))


def signed_life(seed: int, facts: int = 96, head_every: int = HEAD_EVERY) -> Signed:
    """One in which a person was added, and later shredded."""
    life = Life(seed, facts // 2)
    chosen = random.Random(seed)
    name = Sealed("person/kari", "bm9uY2U", f"Y2lwaGVy{chosen.randrange(9)}")
    life.tell("person/kari", PersonAdded(name))
    while len(life.facts) < facts - 12:
        life._step()
    life.tell("person/kari", PersonShredded())
    while len(life.facts) < facts:
        life._step()
    made = Signed(life.workspace, list(life.stored))
    whole = len(made.lines)
    made.heads = [made.head(size) for size in (*range(head_every, whole, head_every), whole)]
    return made


def verified(
    folder: Path,
    lines: list[bytes],
    key: str,
    heads: list[str],
    proofs: list[str] | None = None,
    answers: list[bytes] | None = None,
    *more: str,
) -> Report:
    """What ``goal-ledger-verify`` reports of these."""
    log = folder / "log.jsonl"
    log.write_bytes(b"".join(line + b"\n" for line in lines))
    given = [str(log), "--key", key]
    for option, files in (("--head", heads), ("--proof", proofs or []), ("--answer", answers or [])):
        for number, content in enumerate(files):
            path = folder / f"{option[2:]}-{number}"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            given += [option, str(path)]
    return main.verify(main.arguments([*given, *more]), lambda facts, share: None)


def rechained(lines: list[bytes], at: int, change: Any) -> list[bytes]:
    """The fact at that place (from 0) changed, and its stream's chain made anew behind it."""
    facts = [json.loads(line) for line in lines]
    change(facts[at])
    made, ends = [], {}
    for fact in facts:
        fact["previous"] = ends.get(fact["stream"])
        line = json.dumps(fact, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        ends[fact["stream"]] = leaf_hash(line).hex()
        made.append(line)
    return made
