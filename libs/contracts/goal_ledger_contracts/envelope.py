"""The envelope of a fact: who, when, why, in which order, and the hash of the fact before it in its stream.

``effective_at``: when it was true. ``recorded_at``: when we learnt it. ``stated_at``: the time stated, where that lay
up to five minutes ahead and ``recorded_at`` was stored in its place. ``previous``: SHA-256(0x00 ‖ bytes) of the
stream's fact before, in hex; None for the first.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Any

from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import instant_text, parse_instant
from goal_ledger_contracts.facts import FACTS, SCHEMA, FactData
from goal_ledger_contracts.lifting import lift
from goal_ledger_contracts.strict_json import parse
from goal_ledger_contracts.unguarded import unguarded_dataclass

MAX_FACT_BYTES = 65_535
"""An entry of a C2SP entry bundle states its length in two bytes, so a fact cannot be longer."""
MAX_READABLE_BYTES = 256 * 1024
"""Releases before this limit recorded facts of up to so many: they stay readable."""


@dataclass(frozen=True, slots=True)
class CommandMark:
    """Keyed hashes (HMAC-SHA256, hex) of (actor, method, path, key) and of the body."""

    key: str
    body: str


@unguarded_dataclass
class Origin:
    """Where a reading came from: ``http``, or ``kafka`` with topic, generation of the topic, partition and offset."""

    via: str
    topic: str | None = None
    generation: str | None = None
    partition: int | None = None
    offset: int | None = None


@unguarded_dataclass
class Fact:
    event_id: str
    workspace: str
    seq: int
    stream: str
    version: int
    data: FactData
    effective_at: datetime
    recorded_at: datetime
    actor: str
    correlation_id: str
    causation_id: str
    previous: str | None
    reason: str | None = None
    stated_at: datetime | None = None
    command: CommandMark | None = None
    origin: Origin | None = None

    @property
    def type(self) -> str:
        return type(self.data).__name__

    @property
    def stream_id(self) -> str:
        """The id within the kind of stream: ``web-shop`` of ``objective/web-shop``."""
        return self.stream.partition("/")[2]


def leaf_hash(stored: bytes) -> bytes:
    """SHA-256(0x00 ‖ bytes): a fact's hash, in its stream's chain and as a leaf of the tree (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + stored).digest()


_recorded_text = functools.lru_cache(maxsize=16)(instant_text)
"""Facts of one batch have one ``recorded_at``."""


def to_bytes(fact: Fact) -> bytes:
    """The fact's canonical bytes: its JSON object by RFC 8785, written out key by key in their order."""
    data, recorded_at = fact.data, _recorded_text(fact.recorded_at)
    effective_at = recorded_at if fact.effective_at is fact.recorded_at else instant_text(fact.effective_at)
    name = type(data).__name__
    command, origin, previous, reason, stated_at = "", "", "null", "", ""
    if fact.command is not None:
        command = f'"command":{{"body":{quoted(fact.command.body)},"key":{quoted(fact.command.key)}}},'
    if fact.origin is not None:
        origin = f'"origin":{wire.written(fact.origin)},'
    if fact.previous is not None:
        previous = f'"{fact.previous}"'
    if fact.reason is not None:
        reason = f'"reason":{quoted(fact.reason)},'
    if fact.stated_at is not None:
        stated_at = f'"stated_at":"{instant_text(fact.stated_at)}",'
    return (
        f'{{"actor":{quoted(fact.actor)},"causation_id":{quoted(fact.causation_id)},{command}'
        f'"correlation_id":{quoted(fact.correlation_id)},"data":{wire.written(data)},'
        f'"effective_at":"{effective_at}","event_id":{quoted(fact.event_id)},{origin}"previous":{previous},{reason}'
        f'"recorded_at":"{recorded_at}","schema":{SCHEMA[name]},"seq":{fact.seq},{stated_at}'
        f'"stream":{quoted(fact.stream)},"type":"{name}","version":{fact.version},'
        f'"workspace":{quoted(fact.workspace)}}}'
    ).encode()


def from_bytes(stored: bytes) -> Fact:
    """The fact from its stored bytes, lifted to the present schema. Raises ValueError if they are not a fact."""
    return from_json(parse(stored, MAX_READABLE_BYTES))


def from_json(body: dict[str, Any]) -> Fact:
    """The fact from its parsed JSON object."""
    name = body["type"]
    stated, command, origin = body.get("stated_at"), body.get("command"), body.get("origin")
    return Fact(
        event_id=body["event_id"],
        workspace=body["workspace"],
        seq=body["seq"],
        stream=body["stream"],
        version=body["version"],
        data=wire.decode(FACTS[name], lift(name, body["schema"], body["data"])),
        effective_at=parse_instant(body["effective_at"]),
        recorded_at=parse_instant(body["recorded_at"]),
        actor=body["actor"],
        correlation_id=body["correlation_id"],
        causation_id=body["causation_id"],
        previous=body["previous"],
        reason=body.get("reason"),
        stated_at=None if stated is None else parse_instant(stated),
        command=None if command is None else CommandMark(command["key"], command["body"]),
        origin=None if origin is None else wire.decode(Origin, origin),
    )
