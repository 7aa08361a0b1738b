"""A witness of the tests' own (C2SP ``tlog-witness``), on loopback, with the faults that a real one may have.

It imports nothing of ours: it holds what it is shown against RFC 9162 and the rules of the specification by itself.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass
class SmallWitness:
    """``logs``: by origin, size and root seen; ``fault``: what it does instead of answering."""

    name: str
    log_key: Ed25519PublicKey
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    logs: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    fault: str | None = None
    requests: int = 0
    port: int = 0

    @property
    def verifier_key(self) -> str:
        raw = b"\x04" + self.key.public_key().public_bytes_raw()
        return f"{self.name}+{self._hash.hex()}+{base64.b64encode(raw).decode()}"

    @property
    def policy_line(self) -> str:
        return f"witness {self.name} {self.verifier_key} http://127.0.0.1:{self.port}/"

    @property
    def _hash(self) -> bytes:
        raw = b"\x04" + self.key.public_key().public_bytes_raw()
        return sha256(self.name.encode() + b"\n" + raw).digest()[:4]

    def seen(self, origin: str) -> int:
        return self.logs.get(origin, (0, b""))[0]

    def answer(self, request: str) -> tuple[int, str]:
        """Status and body."""
        self.requests += 1
        top, _, note = request.partition("\n\n")
        first, *lines = top.split("\n")
        text, _, signatures = note.partition("\n\n")
        origin, written, root64 = text.split("\n")
        old, size, root = int(first.removeprefix("old ")), int(written), base64.b64decode(root64)
        if origin in self.unknown or self.fault == "unknown":
            return 404, "unknown log\n"
        if self.fault == "forbidden" or not self._is_signed(f"{text}\n", signatures, origin):
            return 403, "no key of it\n"
        if old > size:
            return 400, "old is larger\n"
        known, known_root = self.logs.get(origin, (0, b""))
        if old != known:
            return 409, f"{known}\n"
        if known == size and known and known_root != root:
            return 409, f"{known}\n"
        proof = [base64.b64decode(one) for one in lines]
        if old and not consistent(old, known_root, size, root, proof):
            return 422, "no such proof\n"
        self.logs[origin] = (size, root)
        return 200, self.cosignature(f"{text}\n")

    def _is_signed(self, text: str, signatures: str, origin: str) -> bool:
        for line in signatures.splitlines():
            _, name, written = line.split(" ")
            if name == origin:
                try:
                    self.log_key.verify(base64.b64decode(written)[4:], text.encode())
                except InvalidSignature:
                    return False
                return True
        return False

    def cosignature(self, text: str) -> str:
        at = int(time.time())
        key = Ed25519PrivateKey.generate() if self.fault == "bad_signature" else self.key
        signature = key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        raw = self._hash + at.to_bytes(8) + signature
        return f"— {self.name} {base64.b64encode(raw).decode()}\n"


def consistent(old: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]) -> bool:
    """RFC 9162 section 2.1.4.1 read backwards, by recursion."""

    def node(left: bytes, right: bytes) -> bytes:
        return sha256(b"\x01" + left + right).digest()

    def roots(m: int, n: int, path: list[bytes], whole: bool) -> tuple[bytes, bytes] | None:
        if m == n:
            if whole:
                return None if path else (old_root, old_root)
            return (path[0], path[0]) if len(path) == 1 else None
        if not path:
            return None
        k = 1 << ((n - 1).bit_length() - 1)
        under = roots(m, k, path[:-1], whole) if m <= k else roots(m - k, n - k, path[:-1], False)
        if under is None:
            return None
        if m <= k:
            return under[0], node(under[1], path[-1])
        return node(path[-1], under[0]), node(path[-1], under[1])

    return 0 < old <= size and roots(old, size, proof, True) == (old_root, root)


@contextlib.asynccontextmanager
async def witnessing(*witnesses: SmallWitness) -> AsyncIterator[None]:
    """Each listens on a port of its own while the block lasts."""
    servers = []
    for one in witnesses:
        server = await asyncio.start_server(_serve(one), "127.0.0.1", 0)
        one.port = server.sockets[0].getsockname()[1]
        servers.append(server)
    try:
        yield
    finally:
        for server in servers:
            server.close()


Serves = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _serve(witness: SmallWitness) -> Serves:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while (head := await reader.readuntil(b"\r\n\r\n")) and witness.fault != "down":
                sizes = [one for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")]
                body = await reader.readexactly(int(sizes[0].partition(b":")[2]))
                await _respond(witness, writer, head.split(b" ")[1], body.decode())
        writer.close()

    return serve


async def _respond(witness: SmallWitness, writer: asyncio.StreamWriter, path: bytes, body: str) -> None:
    if witness.fault == "slow":
        await asyncio.sleep(60)
    status, told = (404, "") if path != b"/add-checkpoint" else witness.answer(body)
    if witness.fault == "endless":
        told = "x" * 100_000
    if witness.fault == "error":
        status, told = 500, "no\n"
    raw = told.encode()
    writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(raw)}\r\n\r\n".encode() + raw)
    await writer.drain()
