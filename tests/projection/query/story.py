"""Given facts, when asked, then an answer: facts written by hand, folded by the worker's own code, asked over HTTP."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
from goal_ledger_contracts import envelope
from goal_ledger_contracts.envelope import Fact, leaf_hash
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.measures import Increase, Measure
from goal_ledger_contracts.objective import (
    CheckInRecorded,
    KeyResultAdded,
    ObjectiveActivated,
    ObjectiveDrafted,
    PartValue,
)
from goal_ledger_contracts.workspace import IdentityLinked, RoleGranted, WorkspaceCreated
from goal_ledger_projection.folding.applying import Applier
from goal_ledger_projection.folding.records import Record
from joserfc import jwt
from joserfc.jwk import OKPKey

ISSUER = "https://issuer.test.invalid"
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""A Monday. Each fact is recorded a minute after the one before."""
TEN = Increase(target=Decimal(10), baseline=Decimal(0))


def d(text: str) -> Decimal:
    return Decimal(text)


@dataclass
class Issuer:
    """Signs people's tokens."""

    key: OKPKey

    @staticmethod
    def at(path: Path) -> Issuer:
        key = OKPKey.generate_key("Ed25519", parameters={"kid": "test"})
        path.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        return Issuer(key)

    def token(self, workspace: str, subject: str) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": subject, "aud": "goal-ledger", "iat": now, "exp": now + 3600}
        return jwt.encode(
            {"alg": "EdDSA", "kid": "test"},
            {**claims, "workspace": workspace},
            self.key,
            algorithms=["EdDSA"],
        )


@dataclass
class Story:
    """A workspace whose facts are told one by one."""

    workspace: str
    applier: Applier
    client: httpx2.AsyncClient
    issuer: Issuer
    epoch: int = 1
    facts: list[Fact] = field(default_factory=list)
    recorded_at: datetime = START
    _folded: int = 0
    _versions: dict[str, int] = field(default_factory=dict)
    _ends: dict[str, str] = field(default_factory=dict)
    """By stream, the hash of its last fact."""

    def tell(
        self,
        stream: str,
        *many: FactData,
        at: datetime | None = None,
        actor: str = "person/ada",
        reason: str | None = None,
    ) -> Fact:
        """Facts of a stream; `at` is their effective_at (default: as recorded). The last one told."""
        for data in many:
            seq = len(self.facts) + 1
            self.recorded_at += timedelta(minutes=1)
            self._versions[stream] = self._versions.get(stream, 0) + 1
            fact = Fact(
                event_id=uuid7(),
                workspace=self.workspace,
                seq=seq,
                stream=stream,
                version=self._versions[stream],
                data=data,
                effective_at=at or self.recorded_at,
                recorded_at=self.recorded_at,
                actor=actor,
                correlation_id="story",
                causation_id="story",
                previous=None,
                reason=reason,
            )
            self.facts.append(fact)
        return self.facts[-1]

    def later(self, at: datetime) -> None:
        """The next fact is recorded just after that."""
        self.recorded_at = max(self.recorded_at, at)

    def goal(
        self,
        id: str,
        *key_results: tuple[str, Measure],
        owner: str = "unit/all",
        cycle: str | None = None,
        active: bool = True,
        **more: Any,
    ) -> None:
        """An objective with key results."""
        self.tell(f"objective/{id}", ObjectiveDrafted(f"Title of {id}", owner, cycle=cycle, **more))
        for name, measure in key_results:
            self.tell(f"objective/{id}", KeyResultAdded(name, f"Text of {name}", measure))
        if active:
            self.tell(f"objective/{id}", ObjectiveActivated())

    def check_in(
        self,
        objective: str,
        key_result: str | None,
        value: str | None = None,
        *,
        at: datetime | None = None,
        **more: Any,
    ) -> Fact:
        """A check-in with a value of the one part."""
        values = () if value is None else (PartValue("value", d(value)),)
        id = more.pop("id", f"ci-{len(self.facts) + 1}")
        data = CheckInRecorded(id, key_result, values, **more)
        return self.tell(f"objective/{objective}", data, at=at)

    def person(self, id: str, *roles: str) -> None:
        """A person with an identity and roles."""
        self.tell(f"workspace/{self.workspace}", IdentityLinked(ISSUER, f"sub-{id}", id))
        for role in roles:
            self.tell(f"workspace/{self.workspace}", RoleGranted(f"person/{id}", role))

    async def arrive(self) -> str:
        """The worker folds what was told since. The position."""
        self._chain()
        records = [
            Record(self.workspace, self.epoch, fact.seq, envelope.to_bytes(fact), vouched=True)
            for fact in self.facts[self._folded :]
        ]
        await self.applier.apply(records)
        self._folded = len(self.facts)
        return f"{self.epoch}-{self._folded}"

    def _chain(self) -> None:
        if self._folded == 0:
            self._ends.clear()
        for at in range(self._folded, len(self.facts)):
            fact = replace(self.facts[at], previous=self._ends.get(self.facts[at].stream))
            self._ends[fact.stream] = leaf_hash(envelope.to_bytes(fact)).hex()
            self.facts[at] = fact

    async def get(
        self, path: str, who: str | None = "ada", headers: dict[str, str] | None = None, **params: Any
    ) -> httpx2.Response:
        """Ask; `who` None: without a credential."""
        sent = dict(headers or {})
        if who is not None:
            sent.setdefault("Authorization", f"Bearer {self.token(who)}")
        return await self.client.get(path, params=params, headers=sent)

    def token(self, who: str) -> str:
        """That a person shows."""
        return self.issuer.token(self.workspace, f"sub-{who}")

    async def ask(self, path: str, who: str = "ada", **params: Any) -> dict[str, Any]:
        """Ask and expect an answer."""
        answer = await self.get(path, who, **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def begun(story: Story) -> Story:
    """A workspace in Oslo with Ada, who may read facts."""
    story.tell(f"workspace/{story.workspace}", WorkspaceCreated("Acme", "Europe/Oslo"), actor="operator")
    story.person("ada", "analyst")
    return story
