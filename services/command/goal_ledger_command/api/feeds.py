"""Feeds: registered streams of readings from a system."""

from __future__ import annotations

from decimal import Decimal

from goal_ledger_command.api.command_route import Meta, command_routes
from goal_ledger_command.api.declare import row
from goal_ledger_command.api.values import CommandBody, Id, Instant, Number
from goal_ledger_domain.feed import RedefineFeed, RegisterFeed
from goal_ledger_domain.restart import RestartCounter, RetractRestart
from pydantic import Field

commands = command_routes("feeds")


class FeedDefinition(CommandBody):
    kind: str = Field(examples=["counter"], description="gauge, counter or event_count")
    unit: str | None = Field(default=None, examples=["visitors"])
    interval: str | None = Field(
        default=None, examples=["P1D"], description="How often a reading is expected (ISO 8601)"
    )
    low: Number | None = Field(default=None, description="Readings below are quarantined")
    high: Number | None = Field(default=None, description="Readings above are quarantined")
    description: str | None = None


class NewFeed(FeedDefinition):
    name: Id = Field(examples=["webshop.visitors"])
    system: str = Field(examples=["web-shop"], description="The system that emits it")


class Restarted(CommandBody):
    at: Instant = Field(description="When the counter began anew; readings from then on count from the base")
    base: Number = Field(default=Decimal(0), description="What it counts from")


class RestartKnown(CommandBody):
    at: Instant


@commands.post("/v1/feeds")
@row(creates="/v1/feeds/{id}", feed="name")
def register_feed(meta: Meta, body: NewFeed) -> RegisterFeed:
    """Register a feed."""
    return RegisterFeed(
        meta,
        feed=body.name,
        system=body.system,
        kind=body.kind,
        unit=body.unit,
        interval=body.interval,
        low=body.low,
        high=body.high,
        description=body.description,
    )


@commands.post("/v1/feeds/{feed}/redefine")
def redefine_feed(meta: Meta, feed: str, body: FeedDefinition) -> RedefineFeed:
    """Redefine a feed: a visible break in its series; the same definition again is refused. Needs a reason."""
    return RedefineFeed(
        meta,
        feed=feed,
        kind=body.kind,
        unit=body.unit,
        interval=body.interval,
        low=body.low,
        high=body.high,
        description=body.description,
    )


@commands.post("/v1/feeds/{feed}/restart")
def restart_counter(meta: Meta, feed: str, body: Restarted) -> RestartCounter:
    """A counter began anew: the segments before and from it on add up, and readings in quarantine because it went backwards
    are judged again. The same restart again judges what still waits. Needs a reason."""
    return RestartCounter(meta, feed=feed, at=body.at, base=body.base)


@commands.post("/v1/feeds/{feed}/retract-restart")
def retract_restart(meta: Meta, feed: str, body: RestartKnown) -> RetractRestart:
    """The restart recorded at that time never was; readings that it released stay. Needs a reason."""
    return RetractRestart(meta, feed=feed, at=body.at)
