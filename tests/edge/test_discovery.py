"""An issuer is found by OIDC discovery; its keys are fetched, kept, and fetched anew for a key that is not among them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from goal_ledger_edge import token_keys
from goal_ledger_edge.server import Listener, serve
from goal_ledger_edge.tokens import BadToken, NoKeys, TokenVerifier, Trust
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey


def new_key(kid: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", parameters={"kid": kid})


@dataclass
class Issuer:
    """A small issuer on loopback; ``asked`` lists what was fetched."""

    url: str = ""
    keys: list[OKPKey] = field(default_factory=lambda: [new_key("first")])
    asked: list[str] = field(default_factory=list)
    away: bool = False
    named: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        answers = {
            "/realm/.well-known/openid-configuration": {
                "issuer": self.named or self.url,
                "jwks_uri": f"{self.url}/keys",
            },
            "/realm/keys": KeySet(list(self.keys)).as_dict(private=False),
        }
        found = None if self.away else answers.get(scope["path"])
        status = 503 if found is None else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": json.dumps(found).encode()})

    def token(self, key: OKPKey | None = None) -> str:
        key = key or self.keys[0]
        claims = {"iss": self.url, "sub": "ada", "aud": "goal-ledger", "exp": int(time.time()) + 600}
        return jwt.encode(
            {"alg": "Ed25519", "kid": key.kid}, claims | {"workspace": "acme"}, key, algorithms=["Ed25519"]
        )

    def verifier(self) -> TokenVerifier:
        return TokenVerifier(Trust(self.url), "goal-ledger")


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    made, stop, ports = Issuer(), asyncio.Event(), asyncio.Queue[int]()
    listener = Listener(made, "127.0.0.1", 0, lifespan="off")
    serving = asyncio.create_task(
        serve([listener], stop=stop, on_started=lambda found: ports.put_nowait(found[0]), drain_seconds=1)
    )
    made.url = f"http://127.0.0.1:{await ports.get()}/realm"
    yield made
    stop.set()
    await serving


async def test_the_keys_are_found_fetched_once_and_kept(issuer: Issuer) -> None:
    verifier = issuer.verifier()
    many = await asyncio.gather(*[verifier.verify(issuer.token()) for _ in range(20)])
    assert {one.subject for one in many} == {"ada"}
    assert issuer.asked == ["/realm/.well-known/openid-configuration", "/realm/keys"]
    issuer.away = True
    assert (await verifier.verify(issuer.token())).subject == "ada"


async def test_an_unknown_key_is_looked_for_at_most_once_in_ten_seconds(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = issuer.verifier()
    await verifier.verify(issuer.token())
    old, new = issuer.keys[0], new_key("second")
    issuer.keys = [new]
    for stranger in range(20):
        with pytest.raises(BadToken):
            await verifier.verify(issuer.token(new_key(f"made-up-{stranger}")))
    with pytest.raises(BadToken):
        await verifier.verify(issuer.token(new))
    assert len(issuer.asked) == 2

    later = time.monotonic() + 11
    monkeypatch.setattr(token_keys, "monotonic", lambda: later)
    assert (await verifier.verify(issuer.token(new))).subject == "ada"
    assert len(issuer.asked) == 4
    with pytest.raises(BadToken):  # taken out of the set: what was signed with it counts no more
        await verifier.verify(issuer.token(old))
    assert len(issuer.asked) == 4


async def test_a_fetch_that_fails_keeps_the_keys(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = issuer.verifier()
    await verifier.verify(issuer.token())
    issuer.away = True
    later = time.monotonic() + 400
    monkeypatch.setattr(token_keys, "monotonic", lambda: later)
    with pytest.raises(BadToken):
        await verifier.verify(issuer.token(new_key("second")))
    assert len(issuer.asked) == 3
    assert (await verifier.verify(issuer.token())).subject == "ada"


async def test_an_issuer_that_was_never_reached_is_no_fault_of_the_token(issuer: Issuer) -> None:
    issuer.away = True
    verifier = issuer.verifier()
    for _ in range(3):
        with pytest.raises(NoKeys):
            await verifier.verify(issuer.token())
    with pytest.raises(BadToken):
        await verifier.verify("a.b.c")
    assert len(issuer.asked) == 1


async def test_a_configuration_of_another_issuer_is_not_believed(issuer: Issuer) -> None:
    issuer.named = "https://other.invalid"
    with pytest.raises(NoKeys):
        await issuer.verifier().verify(issuer.token())
    assert len(issuer.asked) == 1
