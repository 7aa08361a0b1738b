"""What a command's answer looks like, as a schema and as bytes.

The bytes are made by hand: an answer is small and of one shape, and this is on the path of every check-in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from goal_ledger_ledger.submission import CommandAnswer
from pydantic import BaseModel, Field
from starlette.responses import Response

RawHeaders = list[tuple[bytes, bytes]]


class FactNamed(BaseModel):
    seq: int = Field(examples=[151])
    event_id: str = Field(examples=["019ab6f4-9c1b-7a60-a0c1-0f3f0c4f2a11"])
    type: str = Field(examples=["CheckInRecorded"])


class AnswerDocument(BaseModel):
    """What a command came to; ``facts`` is empty if the state already was as asked."""

    id: str = Field(examples=["web-shop"])
    version: int = Field(description="Of the stream; for If-Match", examples=[3])
    facts: list[FactNamed]
    position: str = Field(
        description="<epoch>-<seq>: queries that send it back include these facts", examples=["1-151"]
    )
    receipts: list[str] | None = Field(
        default=None,
        description="With `Prefer: receipt`: for each fact the address of its C2SP tlog-proof. 503 `not_signed_yet` with "
        "`Retry-After` until a signed head covers it, some seconds; whose fact it is may read it",
        examples=[["/v1/logs/acme/1/proof/151"]],
    )


class KeyAnswerDocument(AnswerDocument):
    key: str | None = Field(
        default=None, description="The key itself: in the first answer only, never in a replayed one"
    )


def answer_bytes(
    answer: CommandAnswer, api_key: str | None = None, more: Mapping[str, Any] | None = None
) -> bytes:
    """The JSON of :class:`AnswerDocument`, with more members at its end."""
    facts = ",".join(
        [f'{{"seq":{one.seq},"event_id":"{one.event_id}","type":"{one.type}"}}' for one in answer.facts]
    )
    epoch, seq = answer.position
    key = "" if api_key is None else f',"key":{quoted(api_key)}'
    if more:
        key += "," + json.dumps(more, separators=(",", ":"))[1:-1]
    return (
        f'{{"id":{quoted(answer.id)},"version":{answer.version},"facts":[{facts}],'
        f'"position":"{epoch}-{seq}"{key}}}'
    ).encode()


def receipts(workspace: str, answer: CommandAnswer) -> list[str]:
    """Where the proofs of the answer's facts are, once a signed head covers them."""
    epoch, _ = answer.position
    return [f"/v1/logs/{workspace}/{epoch}/proof/{one.seq}" for one in answer.facts]


def answer_headers(answer: CommandAnswer) -> RawHeaders:
    """Position, ETag, and Location and Idempotency-Replayed where they apply."""
    epoch, seq = answer.position
    headers = [
        (b"goal-ledger-position", b"%d-%d" % (epoch, seq)),
        (b"etag", b'"%d"' % answer.version),
    ]
    if answer.location is not None:
        headers.append((b"location", answer.location.encode("ascii", "replace")))
    if answer.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return headers


class JsonAnswer(Response):
    """A finished JSON answer; the head is given as bytes, so that nothing is encoded again."""

    def __init__(self, status: int, body: bytes, headers: RawHeaders) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *headers,
        ]
