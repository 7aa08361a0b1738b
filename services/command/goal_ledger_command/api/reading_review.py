"""Readings after they were taken: released from quarantine, rejected, corrected, retracted."""

from __future__ import annotations

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.values import CommandBody, Id, Instant, Number
from goal_ledger_domain.reading_review import CorrectReading, RejectReading, ReleaseReading, RetractReading
from pydantic import Field

commands = command_routes("readings")


class OneReading(CommandBody):
    feed: Id = Field(examples=["webshop.visitors"])
    source: str = Field(examples=["/web-shop/counter"])
    id: str = Field(examples=["2026-11-23"])


class ReadingContent(OneReading):
    """The whole new content; mode and unit left out: those of the feed."""

    time: Instant
    value: Number
    unit: str | None = None
    mode: str | None = Field(default=None, description="absolute or increment")


@commands.post("/v1/readings/release")
def release_reading(meta: Meta, body: OneReading) -> ReleaseReading:
    """Release a reading from quarantine: it counts from now on. Needs a reason."""
    return ReleaseReading(meta, feed=body.feed, source=body.source, id=body.id)


@commands.post("/v1/readings/reject")
def reject_reading(meta: Meta, body: OneReading) -> RejectReading:
    """Reject a quarantined reading. Needs a reason."""
    return RejectReading(meta, feed=body.feed, source=body.source, id=body.id)


@commands.post("/v1/readings/correct")
def correct_reading(meta: Meta, body: ReadingContent) -> CorrectReading:
    """Correct a reading: its whole new content. Needs a reason."""
    return CorrectReading(
        meta,
        feed=body.feed,
        source=body.source,
        id=body.id,
        time=body.time,
        value=body.value,
        unit=body.unit,
        mode=body.mode,
    )


@commands.post("/v1/readings/retract")
def retract_reading(meta: Meta, body: OneReading) -> RetractReading:
    """Retract a reading. Needs a reason."""
    return RetractReading(meta, feed=body.feed, source=body.source, id=body.id)
