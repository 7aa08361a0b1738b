"""Real answers, as OpenAPI shows them: the demo organisation, loaded as if it had begun on one fixed day, is asked for each.

python -m goal_ledger_demo.examples    asks for all on a stack of its own, and rewrites those that are out of date

An example is a file in the folder ``examples`` of the package that answers: what is asked stands in it, and a new file
needs no more than that. Two answers are the same if they differ in nothing but what chance and the time of loading
make: see :func:`comparable`.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import typer
from goal_ledger_client import GoalLedger, Problem
from goal_ledger_local.stack import Stack
from goal_ledger_local.tools import REPOSITORY

from goal_ledger_demo import organisation as org
from goal_ledger_demo import seeding
from goal_ledger_demo.days import days
from goal_ledger_demo.emitter import emit

Json = dict[str, Any]

START = date(2026, 3, 2)
LOADED_AFTER = "2026-07"
"""The demo's own days are all before; what is recorded or made now is after."""
FOLDERS = (
    REPOSITORY / "services/projection/goal_ledger_projection/api/examples",
    REPOSITORY / "services/command/goal_ledger_command/api/examples",
)
PATIENCE_S = 40.0
TOPIC = f"progress.readings.{org.WORKSPACE}.{org.SYSTEM}"
WHY = {"reason": "Parcels are larger than we thought"}
_SAID: tuple[tuple[str, Json], ...] = (
    ("/v1/objectives/web-shop/comments", {"id": "well", "text": "Well begun"}),
    ("/v1/objectives/web-shop/kudos", {"id": "bravo", "text": "Bravo!"}),
    ("/v1/policies", {"scope": "workspace", "policy": {"grace_days": 3}, "reason": "Fridays are full"}),
    (
        "/v1/key-results/parcels/change-measure",
        {"measure": org.KEY_RESULTS["packing"][0][2] | {"target": "26"}} | WHY,
    ),
    ("/v1/objectives/packing/close", {"outcome": "partial"} | WHY),
    ("/v1/keys-issued", {"id": "till-key", "holder": f"system/{org.SYSTEM}"}),
)
BESIDES = tuple(
    org.Step("kari", path, body, f"examples-{number}") for number, (path, body) in enumerate(_SAID)
)
"""What the demo has not, so that there is an answer of each kind."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT = re.compile(r"(\d{4}-\d{2})-\d{2}T\d{2}:\d{2}:\d{2}\.?\d*(Z|[+-]\d{2}:\d{2})")
_TOKEN = re.compile(r"(\d+-\d+)_\d{8}T\d{12}Z_(\S+)")
_HASH = re.compile(r"\b([0-9a-f]{64}|[0-9a-f]{32})\b")
_BY_CHANCE = frozenset({"next_cursor", "hashes", "public_key", "key_hash", "verifier_key", "k", "n", "c"})
"""Members made of random bits, of hashes, or of a token: cursors, keys, and what sealed texts are written as."""


@dataclass(frozen=True, slots=True)
class Example:
    """A file: ``method`` and ``path`` as in OpenAPI, ``asked`` by a role (``as``), and the ``answer``. Without a role it is
    the first of the demo's commands at that address. ``given``: the name of a token in ``asked`` → the question whose
    answer has it; ``sent``: of what-if."""

    file: Path
    said: Json

    @property
    def answer(self) -> Any:
        return self.said.get("answer")

    def write(self, answer: Any) -> None:
        written = json.dumps({**self.said, "answer": answer}, indent=2, ensure_ascii=False)
        self.file.write_text(written + "\n", encoding="utf-8")


def examples() -> Iterator[Example]:
    """Every file."""
    for folder in FOLDERS:
        for file in sorted(folder.glob("*.json")):
            yield Example(file, json.loads(file.read_text(encoding="utf-8")))


def comparable(value: Any, member: str = "") -> Any:
    """An answer with everything that may be otherwise when it is asked again replaced by its kind: ids made by chance
    (UUIDs; correlation ids), instants after the demo's days, which are those of loading it, hashes over either, and what
    is in :data:`_BY_CHANCE`."""
    match value:
        case dict():
            return {name: comparable(one, name) for name, one in value.items()}
        case list():
            return [comparable(one, member) for one in value]
        case str() if member in _BY_CHANCE:
            return f"<{member}>"
        case str():
            return _INSTANT.sub(
                _of_loading, _HASH.sub("<hash>", _UUID.sub("<uuid>", _TOKEN.sub(r"\1_\2", value)))
            )
    return value


def _of_loading(found: re.Match[str]) -> str:
    return found[0] if found[1] < LOADED_AFTER else "<time of loading>"


def load(stack: Stack) -> None:
    """The demo organisation from its fixed day on, and :data:`BESIDES`; returns when the stack is at rest."""
    seeding.create_workspace(stack)
    seeding.seed(stack, START, lambda done, of: None)
    emitter = {"topic": TOPIC, "feeds": [org.VISITORS, org.SALES]}
    stack.publish(workspace=org.WORKSPACE, emitter=emitter, tokens=seeding.tokens(stack))
    asyncio.run(emit(stack.describe()["kafka"], TOPIC, START, 0.0))
    with _signed_in(stack, "emitter") as emitting:
        _wait_for_receipt(emitting)
    with _signed_in(stack, "admin") as admin:
        for step in BESIDES:
            last = admin.command(step.path, step.body, key=step.key)
        admin.query("/v1/cycles", after=last.position)


def ask(stack: Stack, example: Example) -> Any:
    """The answer now. A command is one of the demo's own, sent again under its key: it gives its first answer."""
    said = example.said
    if "as" not in said:
        return _again(stack, next(one for one in (*org.steps(START), *BESIDES) if one.path == said["asked"]))
    with _signed_in(stack, said["as"]) as ledger:
        if "sent" in said:
            return ledger.what_if(**said["sent"])
        tokens = {name: ledger.query(of)["token"] for name, of in said.get("given", {}).items()}
        path, _, parameters = said["asked"].format(**tokens).partition("?")
        return ledger.query(path, asked_of=dict(parse_qsl(parameters)))


def _again(stack: Stack, step: org.Step) -> Any:
    at = stack.describe()
    with GoalLedger(at["command_url"], at["query_url"], stack.mint_token(step.who, org.WORKSPACE)) as ledger:
        return ledger.command(step.path, seeding.complete(step), key=step.key).body


def _signed_in(stack: Stack, role: str) -> GoalLedger:
    at = stack.describe()
    return GoalLedger(at["command_url"], at["query_url"], at["tokens"][role])


def _wait_for_receipt(emitter: GoalLedger) -> None:
    """Of the last reading: those before it, of the same partition, have theirs. Raises Problem."""
    last = list(days(START, datetime.now(UTC)))[-1].sent[-1]
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            emitter.query("/v1/receipts", source=last.source, id=last.id)
            return
        except Problem as unknown:
            if unknown.code != "reading_unknown" or time.monotonic() > until:
                raise
        time.sleep(0.1)


def main() -> None:
    """Rewrites the examples that are out of date; says which."""
    with tempfile.TemporaryDirectory() as directory, Stack(Path(directory), durable=False) as stack:
        load(stack)
        for example in examples():
            answer = ask(stack, example)
            if comparable(answer) != comparable(example.answer):
                example.write(answer)
                print(f"rewritten: {example.file.relative_to(REPOSITORY)}", flush=True)


if __name__ == "__main__":
    typer.run(main)
