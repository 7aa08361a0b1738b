"""One witness asked: ``POST <url>/add-checkpoint`` with the size it has seen, a consistency proof and a signed head.

A witness answers with its cosignature, or with 409 and the size that it has seen: then that is what the proof must begin at.
404: it does not know the log. 403: it does not know the log's key. 422, or 409 with the very size that was sent as the head's
own: what it has seen is not the beginning of this log. Whatever else comes, or nothing within :data:`ANSWER_TIMEOUT_S`, is a
witness that is away. No more of an answer is read than :data:`MAX_ANSWER_BYTES`; redirections are not followed.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx2
from goal_ledger_contracts.witness_policy import LogWitness
from goal_ledger_ledger.checkpoint import Checkpoint, parse
from goal_ledger_ledger.cosignature import cosignature_in

ANSWER_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 16 * 1024
TRIES = 4
"""Of one submission: between two of them another process may have handed the witness a newer head."""
PLAIN = {"content-type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Cosigned:
    """``line``: its cosignature, verified."""

    line: str


@dataclass(frozen=True, slots=True)
class SeenSize:
    """It has seen the log at this size, not at the one that was stated."""

    size: int


@dataclass(frozen=True, slots=True)
class Inconsistent:
    """What it has seen of this log is not the beginning of what it was shown."""

    sentence: str


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """It does not cosign this log: ``unknown_log``, ``unknown_key``."""

    code: str


@dataclass(frozen=True, slots=True)
class Away:
    """It cannot be reached, is too slow, or says what no witness says."""

    sentence: str


WitnessAnswer = Cosigned | SeenSize | Inconsistent | TurnedDown | Away
Proves = Callable[[int], Awaitable[Sequence[bytes]]]
"""From an earlier size (above 0, below the head's) to the proof that the log of then is the beginning of the head's."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A signed head: ``note`` is the checkpoint under the log's own signatures alone."""

    head: Checkpoint
    note: str


def own_signature_alone(note: str) -> Submitted:
    """A kept head without its cosignatures: witnesses take no more than they need."""
    body, separator, signatures = note.rpartition("\n\n")
    head = parse(note)
    own = [line for line in signatures.splitlines(keepends=True) if line.startswith(f"— {head.origin} ")]
    return Submitted(head, f"{body}{separator}{''.join(own)}")


def witness_client() -> httpx2.AsyncClient:
    """For all witnesses of a process; to be closed."""
    return httpx2.AsyncClient(timeout=ANSWER_TIMEOUT_S, follow_redirects=False)


async def submit(
    client: httpx2.AsyncClient, witness: LogWitness, submitted: Submitted, seen: int, proves: Proves
) -> WitnessAnswer:
    """Hand over one head, from ``seen`` on or from what the witness says. SeenSize: it has seen more than this head."""
    size, old = submitted.head.size, min(seen, submitted.head.size)
    for _ in range(TRIES):
        proof = await proves(old) if 0 < old < size else ()
        answer = await add_checkpoint(client, witness, submitted, old, proof)
        if not isinstance(answer, SeenSize) or answer.size > size:
            return answer
        if answer.size == old == size:
            return Inconsistent(f"another root at the size {size}")
        old = answer.size
    return Away("what it has seen is another size each time")


async def add_checkpoint(
    client: httpx2.AsyncClient,
    witness: LogWitness,
    submitted: Submitted,
    old: int,
    proof: Sequence[bytes],
) -> WitnessAnswer:
    """One request. Never raises but when cancelled."""
    lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof), "", submitted.note]
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            status, body = await _posted(client, f"{witness.url}/add-checkpoint", "\n".join(lines))
    except TimeoutError:
        return Away(f"no answer within {ANSWER_TIMEOUT_S:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as failed:
        return Away(f"{type(failed).__name__}: {failed}"[:200])
    return _read(witness, submitted.head, status, body)


async def _posted(client: httpx2.AsyncClient, address: str, request: str) -> tuple[int, str]:
    """Status and body. Raises httpx2's errors, and ValueError for a body that is too large or no text."""
    raw = bytearray()
    async with client.stream("POST", address, content=request.encode(), headers=PLAIN) as answer:
        async for chunk in answer.aiter_bytes():
            raw += chunk
            if len(raw) > MAX_ANSWER_BYTES:
                raise ValueError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    return answer.status_code, raw.decode()


def _read(witness: LogWitness, head: Checkpoint, status: int, body: str) -> WitnessAnswer:
    match status:
        case 200:
            line = cosignature_in(body, witness.key, head.body)
            return Away("no cosignature of its key over this head") if line is None else Cosigned(line)
        case 409 if _is_size(body.removesuffix("\n")):
            return SeenSize(int(body))
        case 422:
            return Inconsistent(f"the proof to the size {head.size} does not begin at what it has seen")
        case 404:
            return TurnedDown("unknown_log")
        case 403:
            return TurnedDown("unknown_key")
    return Away(f"it answered {status}")


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
