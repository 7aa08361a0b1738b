"""``golang.org/x/mod/sumdb/note`` and the client of ``filippo.io/torchwood`` over the log of a stack that runs: 10,000 facts."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import httpx2
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from goal_ledger_demo import organisation, seeding
from goal_ledger_ledger.checkpoint import Checkpoint, load_signing_key, parse, sign
from goal_ledger_local.stack import Stack

from judges.running import demo

FACTS, BATCH, PAGE = 10_000, 2_500, 5_000
SIGNED_S, RUN_S = 120.0, 300
REFUSED = {
    "checkpoint": "the newest checkpoint",
    "tile/0/": "inconsistent tile",
    "tile/1/": "inconsistent tile",
    "tile/entries/": "entries",
    "consistency": "consistency",
    "proof/": "proof",
}
"""Where a byte is changed, and a word of what is then said."""


def judge(program: Path, directory: Path) -> list[str]:
    """What was refused and is true, and what is not true and was not refused."""
    second, file = MLDSA44PrivateKey.generate(), directory / "ml-dsa-44.pem"
    file.write_bytes(second.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with demo({"HEAD_SIGNING_KEY_ML_DSA_44_FILE": str(file)}) as (stack, _):
        log = _Log(program, directory, stack, second)
        heads = [log.keep_head(0)]
        for number in range(FACTS // BATCH):
            heads.append(log.keep_head(log.record(number)))
        log.keep_facts()
        return log.whole(heads) + log.changed(heads) + log.forked(heads)


class _Log:
    """The log, what an auditor keeps of it in a folder, and the program that reads it."""

    def __init__(self, program: Path, directory: Path, stack: Stack, second: MLDSA44PrivateKey) -> None:
        self._program, self._directory, self._stack = program, directory, stack
        self._second = second
        self._url = stack.services["command"].urls[0]
        self._address = f"{self._url}/v1/logs/{organisation.WORKSPACE}/1"
        self._token = directory / "token"
        self._token.touch(mode=0o600)
        self._token.write_text(stack.mint_token("per", organisation.WORKSPACE))
        self._bearer = {"authorization": f"Bearer {self._token.read_text()}"}
        keys = self._get(f"{self._url}/v1/log/key").json()
        self._keys = ["-key", keys["verifier_key"], "-second-key", keys["ml_dsa_44_verifier_key"]]

    def _get(self, address: str) -> httpx2.Response:
        answer = httpx2.get(address, headers=self._bearer, timeout=60)
        answer.raise_for_status()
        return answer

    def record(self, number: int) -> int:
        """A batch of readings, each a fact; the seq of the last."""
        events = [
            {
                **{"specversion": "1.0", "type": "goal-ledger.reading.v1", "source": "/judge"},
                **{"id": f"judge-{number}-{one}", "subject": organisation.SALES},
                **{"time": time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime()), "data": {"value": "1"}},
            }
            for one in range(BATCH)
        ]
        headers = {
            "authorization": f"Bearer {seeding.emitter_key(self._stack)}",
            "content-type": "application/cloudevents-batch+json",
        }
        answer = httpx2.post(f"{self._url}/v1/readings", headers=headers, json=events, timeout=120)
        answer.raise_for_status()
        return int(answer.headers["goal-ledger-position"].partition("-")[2])

    def keep_head(self, size: int) -> Path:
        """The newest checkpoint once it is over so many facts. Raises TimeoutError."""
        end = time.monotonic() + SIGNED_S
        while time.monotonic() < end:
            answer = httpx2.get(f"{self._address}/checkpoint", headers=self._bearer, timeout=60)
            if answer.status_code == 200 and parse(answer.text).size >= size:
                kept = self._directory / f"head-{parse(answer.text).size}"
                kept.write_text(answer.text)
                return kept
            time.sleep(0.5)
        raise TimeoutError(f"no head over {size} facts was signed")

    def keep_facts(self) -> None:
        after = 0
        with (self._directory / "facts").open("wb") as file:
            while page := self._get(f"{self._url}/v1/log?after={after}&limit={PAGE}").content:
                file.write(page)
                after += page.count(b"\n")

    def _read(self, heads: list[Path], *words: str) -> subprocess.CompletedProcess[str]:
        given = ["-log", self._address, "-token", self._token, *self._keys]
        argv = [self._program, *given, "-facts", self._directory / "facts", *words, *heads]
        return subprocess.run(argv, capture_output=True, text=True, timeout=RUN_S, check=False)

    def whole(self, heads: list[Path]) -> list[str]:
        ran = self._read(heads)
        if ran.returncode:
            return [f"the log is refused: {ran.stderr.strip()}"]
        told = json.loads(ran.stdout)
        held = told["Facts"] > FACTS and told["Heads"] == len(heads) and told["Proofs"] >= FACTS // 16
        return [] if held else [f"not all was read: {told}"]

    def changed(self, heads: list[Path]) -> list[str]:
        """A byte changed in a resource of each kind."""
        found = []
        for where, word in REFUSED.items():
            ran = self._read(heads, "-change", where)
            if ran.returncode != 1 or word not in ran.stderr:
                found.append(f"{where} changed, and it said {ran.returncode}: {ran.stderr.strip()}")
        return found

    def forked(self, heads: list[Path]) -> list[str]:
        """A head that the log's own keys signed over other facts."""
        true = parse(heads[1].read_text())
        key = load_signing_key(self._stack.credentials.file("head-signing-key.pem").read_bytes())
        fork = self._directory / "forked"
        fork.write_text(sign(Checkpoint(true.origin, true.size, true.root[::-1]), key, self._second))
        ran = self._read([fork])
        refused = ran.returncode == 1 and ran.stderr.startswith("consistency:")
        return [] if refused else [f"a forked head, and it said {ran.returncode}: {ran.stderr.strip()}"]
