"""What is in the records of each topic, as types: value and headers.

They describe the wire for others (``asyncapi.py``), and tests hold real records against them. The services read and write
the same form by hand where many records pass: ``reading_event.py``, ``records.py``, and the relay's answers.
Header values are text in UTF-8.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Position = Annotated[str, Field(pattern="^[0-9]+-[0-9]+$", description="<epoch>-<seq>", examples=["1-151"])]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Digits = Annotated[str, Field(pattern="^[0-9]+$")]


class Strict(BaseModel):
    """There are no other members."""

    model_config = ConfigDict(extra="forbid")


class ReadingData(Strict):
    value: str | float = Field(
        description="A decimal; a JSON number is taken by its digits", examples=["250"]
    )
    unit: str | None = Field(default=None, description="Without it that of the feed")
    mode: Literal["absolute", "increment"] | None = None
    sequence: str | int | None = Field(
        default=None, description="Counted up by one per source: a missing one shows as a gap"
    )
    backfill: bool | None = Field(default=None, description="No plausibility by clock")


class Reading(BaseModel):
    """A CloudEvent 1.0 in the structured form; in the binary form `data` is the value, the attributes are `ce_` headers.
    Extension attributes are allowed."""

    model_config = ConfigDict(extra="allow")

    specversion: Literal["1.0"]
    type: Literal["goal-ledger.reading.v1"]
    source: str
    id: str
    subject: str = Field(description="The feed's name")
    time: Instant
    data: ReadingData


class ReadingHeaders(BaseModel):
    """None is needed: without any the value is read as a structured event."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    content_type: str | None = Field(
        default=None,
        alias="content-type",
        description="application/cloudevents+json, or of the data in binary form",
    )
    ce_specversion: Literal["1.0"] | None = None
    ce_type: Literal["goal-ledger.reading.v1"] | None = None
    ce_source: str | None = None
    ce_id: str | None = None
    ce_subject: str | None = None
    ce_time: Instant | None = None


class Origin(Strict):
    """Where a reading came from."""

    via: Literal["http", "kafka"] | None = None
    topic: str | None = None
    generation: str | None = Field(default=None, description="The topic's id: a topic made again is another")
    partition: int | None = None
    offset: int | None = None


class Receipt(Strict):
    """What became of a reading."""

    source: str
    id: str
    feed: str | None = None
    outcome: Literal["applied", "duplicate", "quarantined", "refused"]
    reason: str | None = Field(
        default=None, description="A stable code: why it is refused, or waits in quarantine"
    )
    detail: str | None = Field(default=None, description="The reason in a sentence")
    event_id: str | None = Field(default=None, description="Of the fact")
    position: Position | None = None
    origin: Origin


class ReceiptHeaders(BaseModel):
    """`key` is the record's key too, the same each time: who drops repeated ones sees each receipt once."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    key: str
    content_type: Literal["application/json"] = Field(alias="content-type")
    outcome: str


class RejectedHeaders(BaseModel):
    """Those of the message itself, and behind them these. What was too large is cut, and said to be."""

    model_config = ConfigDict(extra="allow")

    key: str
    reason: str
    detail: str
    origin_topic: str
    origin_generation: str
    origin_partition: Digits
    origin_offset: Digits
    null_value: Literal["true"] | None = Field(default=None, description="The message had no value at all")
    cut_key: str | None = Field(default=None, description="How large the key was, and its SHA-256")
    cut_value: str | None = Field(default=None, description="How large the value was, and its SHA-256")
    cut_headers: Digits | None = Field(default=None, description="How many of its headers are left out")


class CommandMark(Strict):
    """Keyed hashes of an idempotency key and of the body it came with."""

    key: str
    body: str


class Fact(Strict):
    """A fact's canonical bytes (RFC 8785), to the last one. The schema of each type's `data` is in OpenAPI."""

    event_id: str
    workspace: str
    seq: int
    stream: str = Field(examples=["objective/web-shop"])
    version: int
    type: str = Field(examples=["CheckInRecorded"])
    schema_version: int = Field(alias="schema")
    effective_at: Instant
    stated_at: Instant | None = None
    recorded_at: Instant
    actor: str
    reason: str | None = None
    correlation_id: str
    causation_id: str
    command: CommandMark | None = None
    origin: Origin | None = None
    previous: str | None = Field(
        description="SHA-256 of the stream's fact before, in hex; null for its first"
    )
    data: dict[str, Any]


class FactHeaders(BaseModel):
    """By (`epoch`, `seq`) alone a reader knows whether a record of a workspace is old, next, or leaves a gap."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    ce_specversion: Literal["1.0"]
    ce_type: str = Field(description="The fact's type")
    ce_source: str = Field(examples=["/workspaces/acme"])
    ce_id: str = Field(description="event_id")
    ce_time: Instant = Field(description="recorded_at")
    ce_subject: str = Field(description="The stream")
    content_type: Literal["application/json"] = Field(alias="content-type")
    workspace: str
    epoch: Digits
    seq: Digits
    traceparent: str | None = Field(default=None, description="Of the command (W3C trace context)")


class HeadHeaders(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    content_type: str = Field(alias="content-type")
    workspace: str
    epoch: Digits
    seq: Digits


Score = Annotated[str | None, Field(description="At most 12 decimal places. Null: not measured, never 0")]


class GoalAnswer(Strict):
    """How a goal stands: what ``GET /v1/objectives/{id}`` answers."""

    score: Score = Field(description="As amended: by the definition in effect", examples=["0.4"])
    score_committed: Score = Field(description="As committed: by the definition at the first activation")
    status: str = Field(description="What is shown", examples=["on_track"])
    confidence: str | None = Field(description="Of the last check-in on the objective")


class GoalChangeCause(Strict):
    """`fact`: seq, type, stream and event_id are its own. `time`: a due date, a window or a moment was passed. `begin`:
    the goal was there before this topic was."""

    kind: Literal["fact", "time", "begin"]
    seq: int | None = None
    type: str | None = Field(default=None, examples=["CheckInRecorded"])
    stream: str | None = None
    event_id: str | None = None


class GoalChanged(Strict):
    """A goal whose answer changed. What a fact did to goals above is told of each of them, at the same position."""

    workspace: str
    goal: str = Field(description="The objective's id", examples=["web-shop"])
    position: Position
    at: Instant = Field(
        description="As of when: recorded_at of the fact, or the instant that was passed. `after` is what a question with "
        "`as_of` = this and `known_at` = `position` answers"
    )
    cause: GoalChangeCause
    before: GoalAnswer | None = Field(description="Null: the goal is new, or new here")
    after: GoalAnswer | None = Field(
        description="Null: the fact that made the goal was lost in a restore, and the goal with it"
    )


class GoalChangedHeaders(BaseModel):
    """`ce_id` is the same however often a change is told: who drops repeated ones sees each once."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    ce_specversion: Literal["1.0"]
    ce_type: Literal["goal-ledger.goal-changed.v1"]
    ce_source: str = Field(examples=["/workspaces/acme"])
    ce_id: str = Field(
        description="<goal>@<position>; where time was the cause, also @<at>", examples=["web-shop@1-151"]
    )
    ce_time: Instant = Field(description="at")
    ce_subject: str = Field(examples=["objective/web-shop"])
    content_type: Literal["application/json"] = Field(alias="content-type")
    workspace: str
    epoch: Digits
    seq: Digits
