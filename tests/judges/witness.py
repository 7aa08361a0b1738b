"""A real witness, ``litewitness`` of filippo.io/torchwood, sees the heads of a stack that runs.

It cosigns each; killed and started again it goes on; and what it has seen stops a store that has less, or another log. Needs
Go (a toolchain of the version named is fetched) and OpenSSH's agent, which holds its key.
"""

from __future__ import annotations

import base64
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from goal_ledger_demo import organisation, seeding
from goal_ledger_local.stack import Stack

PACKAGE, TOOLCHAIN = "filippo.io/torchwood/cmd/litewitness@v0.10.0", "go1.27.3"
NAME = "witness.example/lite"
ORIGIN = f"goal-ledger.local/{organisation.WORKSPACE}"
BUILD_S, WAIT_S = 1200, 120.0


def judge(directory: Path) -> list[str]:
    """What did not hold. Raises CalledProcessError if the witness cannot be built."""
    program = _built(directory)
    with _agent(directory) as key:
        witness = _Litewitness(program, directory, key)
        stack = Stack(
            directory / "stack",
            durable=False,
            say=lambda _: None,
            settings={"WITNESS_POLICY_FILE": str(witness.policy_file)},
        )
        stack.credentials.make()
        log_key = load_pem_private_key(stack.credentials.file("head-signing-key.pem").read_bytes(), None)
        assert isinstance(log_key, Ed25519PrivateKey)
        for epoch in (1, 2):
            witness.register(f"{ORIGIN}/{epoch}", log_key)
        with witness, stack:
            seeding.create_workspace(stack)
            seeding.seed(stack, seeding.start_day(stack.directory), lambda done, of: None)
            return [one for act in (_cosigned, _goes_on, _forked, _more) for one in act(witness, stack)]


def _cosigned(witness: _Litewitness, stack: Stack) -> list[str]:
    note = _until(lambda: _checkpoint(stack) if witness.has_cosigned(_checkpoint(stack)) else None)
    return [] if note else [f"not cosigned: {_checkpoint(stack)}"]


def _goes_on(witness: _Litewitness, stack: Stack) -> list[str]:
    """Killed; what is recorded meanwhile is cosigned when it is there again."""
    witness.kill()
    _write(stack, 1)
    size = _until(lambda: _size(stack) > witness.seen(f"{ORIGIN}/1") and _size(stack))
    witness.start()
    size = _size(stack)
    seen = _until(lambda: witness.seen(f"{ORIGIN}/1") >= size and witness.has_cosigned(_checkpoint(stack)))
    return [] if seen else [f"started again it has seen {witness.seen(f'{ORIGIN}/1')} of {size}"]


def _forked(witness: _Litewitness, stack: Stack) -> list[str]:
    """It has seen another root: writing stops, until the epoch is raised."""
    witness.set(f"{ORIGIN}/1", witness.seen(f"{ORIGIN}/1"), b"another root".ljust(32))
    _write(stack, 2)
    found = _until(lambda: _refusal(stack, 3) == "log_forked")
    stack.operator("new-epoch", organisation.WORKSPACE, "--reason", "A witness has seen another log")
    again = _until(lambda: _refusal(stack, 4) is None)
    cosigned = _until(lambda: witness.seen(f"{ORIGIN}/2") > 0)
    held = (
        (found, "another root does not stop writing"),
        (again, "a new epoch does not go on"),
        (cosigned, "nor cosigned"),
    )
    return [sentence for one, sentence in held if not one]


def _more(witness: _Litewitness, stack: Stack) -> list[str]:
    """It has seen more than the store holds: a process that starts writes nothing."""
    witness.set(f"{ORIGIN}/2", 1_000_000, b"later".ljust(32))
    stack.kill("command")
    stack.restart("command")
    return (
        []
        if _until(lambda: _refusal(stack, 5) == "store_behind_log")
        else ["a larger size does not stop writing"]
    )


def _post(stack: Stack, number: int) -> httpx2.Response:
    token = stack.mint_token("kari", organisation.WORKSPACE)
    return httpx2.post(
        f"{stack.services['command'].urls[0]}/v1/units",
        headers={"authorization": f"Bearer {token}"},
        json={"id": f"witnessed-{number}", "name": f"Unit {number}"},
    )


def _write(stack: Stack, number: int) -> None:
    _post(stack, number).raise_for_status()


def _refusal(stack: Stack, number: int) -> str | None:
    """The code of a 503; None: recorded."""
    answer = _post(stack, number)
    return str(answer.json()["code"]) if answer.status_code == 503 else None


def _checkpoint(stack: Stack) -> str:
    address = f"{stack.services['command'].urls[1]}/v1/logs/{organisation.WORKSPACE}/1/checkpoint"
    token = stack.credentials.service_token_file("query").read_text()
    return httpx2.get(address, headers={"authorization": f"Bearer {token}"}).text


def _size(stack: Stack) -> int:
    return int(_checkpoint(stack).split("\n")[1])


def _until(holds: Callable[[], Any]) -> Any:
    """What it says once it holds; what it said last after some time."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            said = holds()
        except (httpx2.HTTPError, IndexError, ValueError):
            said = None
        if said or time.monotonic() > end:
            return said
        time.sleep(0.5)


@dataclass
class _Agent:
    socket: Path
    key: Ed25519PrivateKey

    @property
    def fingerprint(self) -> str:
        written = self.key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        digest = sha256(base64.b64decode(written.split(b" ")[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@contextmanager
def _agent(directory: Path) -> Iterator[_Agent]:
    """OpenSSH's agent with a new key."""
    agent = _Agent(directory / "agent", Ed25519PrivateKey.generate())
    file = directory / "witness-key"
    file.write_bytes(agent.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    file.chmod(0o600)
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(agent.socket)], stdout=subprocess.DEVNULL)
    try:
        _until(agent.socket.exists)
        environment = {**os.environ, "SSH_AUTH_SOCK": str(agent.socket)}
        subprocess.run(["ssh-add", "-q", str(file)], env=environment, check=True, timeout=30)
        yield agent
    finally:
        process.terminate()
        process.wait(30)


def _built(directory: Path) -> Path:
    environment = {
        **os.environ,
        "GOTOOLCHAIN": TOOLCHAIN,
        "GOBIN": str(directory / "bin"),
        "GOFLAGS": "-modcacherw",
    }
    subprocess.run(["go", "install", PACKAGE], env=environment, cwd=directory, check=True, timeout=BUILD_S)
    return directory / "bin" / "litewitness"


class _Litewitness:
    """The program with its database; logs are entered there, as its manual's own program does."""

    def __init__(self, program: Path, directory: Path, agent: _Agent) -> None:
        self._program, self._agent = program, agent
        self._database, self.policy_file = directory / "witness.db", directory / "policy"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        raw = b"\x04" + agent.key.public_key().public_bytes_raw()
        self._hash = sha256(NAME.encode() + b"\n" + raw).digest()[:4]
        key = f"{NAME}+{self._hash.hex()}+{base64.b64encode(raw).decode()}"
        self.policy_file.write_text(f"witness lite {key} http://127.0.0.1:{self._port}\nquorum lite\n")
        self._process: subprocess.Popen[bytes] | None = None
        self._make_tables()

    def _make_tables(self) -> None:
        self._execute(
            "CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL)"
        )
        self._execute("CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL)")

    def _execute(self, statement: str, *values: object) -> list[Any]:
        database = sqlite3.connect(self._database, timeout=30)
        try:
            with database:
                return database.execute(statement, values).fetchall()
        finally:
            database.close()

    def register(self, origin: str, key: Ed25519PrivateKey) -> None:
        raw = b"\x01" + key.public_key().public_bytes_raw()
        hash4 = sha256(origin.encode() + b"\n" + raw).digest()[:4].hex()
        empty = base64.b64encode(sha256(b"").digest()).decode()
        self._execute("INSERT INTO log VALUES (?, 0, ?)", origin, empty)
        self._execute(
            "INSERT INTO key VALUES (?, ?)", origin, f"{origin}+{hash4}+{base64.b64encode(raw).decode()}"
        )

    def seen(self, origin: str) -> int:
        return int(self._execute("SELECT tree_size FROM log WHERE origin = ?", origin)[0][0])

    def set(self, origin: str, size: int, root: bytes) -> None:
        written = base64.b64encode(root).decode()
        self._execute("UPDATE log SET tree_size = ?, tree_hash = ? WHERE origin = ?", size, written, origin)

    def has_cosigned(self, note: str) -> bool:
        """Raises InvalidSignature for a cosignature that does not verify."""
        text, _, signatures = note.partition("\n\n")
        for line in signatures.splitlines():
            _, name, written = line.split(" ")
            if name == NAME:
                raw = base64.b64decode(written)
                at = int.from_bytes(raw[4:12])
                signed = f"cosignature/v1\ntime {at}\n{text}\n".encode()
                self._agent.key.public_key().verify(raw[12:], signed)
                return raw[:4] == self._hash
        return False

    def start(self) -> None:
        listen, key = f"127.0.0.1:{self._port}", self._agent.fingerprint
        words = [
            "-name",
            NAME,
            "-db",
            self._database,
            "-ssh-agent",
            self._agent.socket,
            "-listen",
            listen,
            "-key",
            key,
        ]
        log = (self._database.parent / "witness.log").open("ab")
        self._process = subprocess.Popen([self._program, *words], stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)

    def __enter__(self) -> _Litewitness:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
