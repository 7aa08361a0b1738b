"""A signed head is verified as an outsider would: with the published key, by C2SP signed-note and Ed25519 alone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from end_to_end.shop import open_shop
from faults.waiting import until
from goal_ledger_local.stack import Stack


def verified(note: str, verifier_key: str) -> tuple[str, int, bytes]:
    """(origin, size, root) of a checkpoint that the key signed. Raises AssertionError, InvalidSignature."""
    name, hashed, written = verifier_key.split("+", 2)
    body, _, signatures = note.rpartition("\n\n")
    (line,) = [one for one in signatures.splitlines() if one.startswith(f"— {name} ")]
    signature = base64.b64decode(line.split(" ")[2])
    assert signature[:4].hex() == hashed
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(written)[1:])
    key.verify(signature[4:], f"{body}\n".encode())
    origin, size, root = body.split("\n")
    assert origin == name
    return origin, int(size), base64.b64decode(root)


async def test_the_published_key_alone_verifies_the_newest_checkpoint(running_stack: Stack) -> None:
    shop = await asyncio.to_thread(open_shop, running_stack)
    shop.ground.do(("/v1/roles/grant", {"holder": "person/imp", "role": "auditor"}))
    bearer = {"Authorization": f"Bearer {running_stack.mint_token('imp', shop.ground.workspace)}"}
    async with httpx2.AsyncClient(base_url=running_stack.describe()["command_url"], headers=bearer) as http:

        async def asked(path: str, **query: int) -> bytes:
            answer = await http.get(path, params=query)
            return bytes(answer.content) if answer.status_code == 200 else b""

        facts = (await asked("/v1/log", limit=5000)).splitlines()
        verifier_key = json.loads(await asked("/v1/log/key"))["verifier_key"]

        async def whole() -> bool:
            note = await asked("/v1/log/checkpoint")
            return bool(note) and int(note.split(b"\n")[1]) == len(facts)

        await until(whole, 30.0, "the head is signed")
        note = (await asked("/v1/log/checkpoint")).decode()

    _, size, root = verified(note, verifier_key)
    assert (size, root) == (len(facts), _root([hashlib.sha256(b"\x00" + one).digest() for one in facts]))
    with pytest.raises(InvalidSignature):
        verified(note.replace(f"\n{size}\n", f"\n{size + 1}\n"), verifier_key)


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()
