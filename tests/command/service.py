"""A command service in this process, on real PostgreSQL, and organisations to try it with."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from goal_ledger_command.api.app import COMMANDS
from goal_ledger_command.cli.operations import creation
from goal_ledger_command.settings import Settings
from goal_ledger_ledger.sequencer import Ledger
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

ISSUER, SERVICES = "https://issuer.invalid", "https://issuer.invalid/services"
JSON = {"content-type": "application/json"}
PEOPLE_KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "people"})
SERVICE_KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "services"})

_numbers = itertools.count(1)


def write_keys(path: Path, key: Any) -> Path:
    path.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    return path


def write_signing_key(path: Path) -> Path:
    """A key for heads, PEM as the relay reads it."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def settings_in(directory: Path, ledger_url: str, keys_url: str) -> Settings:
    for name in ("hmac", "master"):
        (directory / name).write_text("5a" * 32)
    return Settings(
        ledger_database_url=ledger_url,
        keys_database_url=keys_url,
        hmac_secret_file=directory / "hmac",
        master_key_file=directory / "master",
        head_signing_key_file=write_signing_key(directory / "head-signing-key.pem"),
        token_issuer=ISSUER,
        token_keys_file=write_keys(directory / "people.json", PEOPLE_KEY),
        service_token_issuer=SERVICES,
        service_token_keys_file=write_keys(directory / "services.json", SERVICE_KEY),
        allow_unsafe_durability=True,
        local_mode=True,
    )


def token(subject: str, workspace: str | None, key: Any = None, alg: str = "Ed25519", **claims: Any) -> str:
    body = {"iss": ISSUER, "sub": subject, "aud": "goal-ledger", "exp": int(time.time()) + 3600} | claims
    if workspace is not None:
        body["workspace"] = workspace
    key = key or PEOPLE_KEY
    return str(jwt.encode({"alg": alg, "kid": key.kid}, body, key, algorithms=[alg]))


def service_token(name: str = "worker") -> str:
    return token(name, None, SERVICE_KEY, iss=SERVICES, role="service")


@dataclass
class Service:
    """Both listeners' clients, and the ledger below them."""

    public: httpx2.AsyncClient
    internal: httpx2.AsyncClient
    ledger: Ledger
    settings: Settings

    async def organisation(self, name: str | None = None) -> Organisation:
        """A workspace of its own with the admin *ada*."""
        workspace = name or f"org-{next(_numbers)}"
        command = creation(workspace, "Acme", "Europe/Oslo", ("ada", "Ada Berg", ISSUER, "ada"))
        await self.ledger.submit(command)
        return Organisation(self.public, workspace)


@dataclass
class Organisation:
    """Speaks to the public listener as people of one workspace."""

    http: httpx2.AsyncClient
    workspace: str
    keys: dict[str, str] = field(default_factory=dict)

    def bearer(self, who: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys.get(who) or token(who, self.workspace)}"}

    async def post(self, path: str, body: Any = None, who: str = "ada", **headers: str) -> httpx2.Response:
        raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = await self.http.post(path, content=raw, headers=JSON | self.bearer(who) | named)
        assert_names_a_place(path, answer)
        return answer

    async def get(self, path: str, who: str = "ada", **query: Any) -> httpx2.Response:
        return await self.http.get(path, params=query, headers=self.bearer(who))

    async def given(self, *steps: tuple[str, dict[str, Any]], who: str = "ada") -> None:
        """Each step succeeds."""
        for path, body in steps:
            answer = await self.post(path, body, who)
            assert answer.is_success, (path, answer.text)

    async def given_person(self, person: str, *roles: str) -> None:
        """A person who can sign in, with roles."""
        await self.given(
            ("/v1/people", {"id": person, "display_name": person.title()}),
            ("/v1/identities", {"issuer": ISSUER, "subject": person, "person": person}),
            *[("/v1/roles/grant", {"holder": f"person/{person}", "role": role}) for role in roles],
        )

    async def given_system(self, system: str, *roles: str) -> str:
        """A system with a key; the key."""
        await self.given(
            ("/v1/systems", {"id": system, "name": system.title()}),
            *[("/v1/roles/grant", {"holder": f"system/{system}", "role": role}) for role in roles],
        )
        answer = await self.post("/v1/keys-issued", {"holder": f"system/{system}"})
        assert answer.status_code == 201, answer.text
        self.keys[system] = answer.json()["key"]
        return self.keys[system]

    async def given_goal(
        self, objective: str = "shop", key_result: str = "visitors", owner: str = "person/ada"
    ) -> None:
        """An active objective with one key result, 0 to 1000 visitors."""
        measure = {"kind": "increase", "baseline": "0", "target": "1000", "unit": "visitors"}
        await self.given(
            ("/v1/objectives", {"id": objective, "title": "The shop", "owner": owner}),
            (
                f"/v1/objectives/{objective}/key-results",
                {"id": key_result, "text": "1000 visitors", "measure": measure},
            ),
            (f"/v1/objectives/{objective}/activate", {}),
        )

    async def head(self, http: httpx2.AsyncClient) -> int:
        """The last seq."""
        answer = await http.get(
            "/v1/log",
            params={"workspace": self.workspace, "limit": 1},
            headers={"authorization": f"Bearer {service_token()}"},
        )
        return int(answer.headers["goal-ledger-position"].partition("-")[2])


HEADERS = {"Idempotency-Key", "If-Match", "Content-Type", "Content-Encoding"}


def assert_names_a_place(path: str, answer: httpx2.Response) -> None:
    """The ``field`` of a command's problem is a JSON pointer into the body or names a header or parameter."""
    body = answer.json() if answer.headers.get("content-type") == "application/problem+json" else {}
    field = body.get("field", "")
    address, _, query = path.partition("?")
    declared = [one.command for one in COMMANDS if _matches(one.path, address)]
    if not field or not declared:
        return
    if field.startswith("/"):
        known = set(declared[0].body.model_fields)
        assert body["code"] == "field_unknown" or field.split("/")[1] in known, (path, body)
    else:
        assert field in HEADERS | set(declared[0].parameters) or f"{field}=" in query, (path, body)


def _matches(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        one == other or one.startswith("{") for one, other in zip(wanted, given, strict=True)
    )


def assert_problem(
    answer: httpx2.Response, status: int, code: str, field: str | None = None
) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["type"] == f"urn:goal-ledger:problem:{code}"
    assert body["title"] and body["detail"] and body["correlation_id"]
    if field is not None:
        assert body["field"] == field, body
    return body
