"""What every command brings with it, and how a decider drafts a fact from it (SPEC 3, *Backdating*).

Facts other than check-ins, readings and moments never go back within their stream: :func:`draft`. Check-ins, readings
and moments slot in anywhere: :func:`slot_in`. Event ids are drawn here; nothing is decided on them.
"""

from __future__ import annotations

from datetime import datetime

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.decision import Decision, Draft, Situation
from goal_ledger_contracts.envelope import Origin
from goal_ledger_contracts.facts import FactData
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.unguarded import unguarded_dataclass

from goal_ledger_domain import limits, text, times
from goal_ledger_domain.refusals import Refusal


@unguarded_dataclass
class Meta:
    """Who asks, and what they say about it. One Meta may serve many commands.

    ``actor`` is ``person/<id>``, ``system/<id>`` or ``operator``; ``effective_at`` the time as stated (aware), None:
    now; ``importing``: the actor has the role importer and may set the past.
    """

    actor: str
    correlation_id: str
    causation_id: str
    reason: str | None = None
    effective_at: datetime | None = None
    importing: bool = False
    origin: Origin | None = None


def draft(meta: Meta, situation: Situation, stream: str, data: FactData, *, after: datetime | None) -> Draft:
    """A fact that never goes back within its stream.

    ``after`` is the ``effective_at`` of the stream's last such fact, None for a stream that begins.
    Refuses ``effective_at_ahead``, ``effective_at_past``, ``effective_at_goes_back``.
    """
    effective_at, stated_at = _within_ahead(meta.effective_at, situation.now)
    if effective_at < situation.now and not meta.importing:
        raise Refusal(
            "effective_at_past",
            "Only the role importer may state a past time for this; leave effective_at out.",
            field="effective_at",
        )
    if after is not None and effective_at < after:
        raise Refusal(
            "effective_at_goes_back",
            f"{stream} has a fact effective at {instant_text(after)}; nothing earlier can follow it.",
            field="effective_at",
            last_effective_at=instant_text(after),
        )
    return drafted(meta, stream, data, effective_at, stated_at)


def slot_in(
    meta: Meta,
    situation: Situation,
    stream: str,
    data: FactData,
    at: datetime | None,
    field: str = "effective_at",
) -> Draft:
    """A check-in, reading or moment that was true at ``at`` (None: now), which the command states as ``field``.

    Refuses ``effective_at_ahead``, and ``effective_at_differs`` if another time is stated beside that field.
    """
    if field != "effective_at" and meta.effective_at not in (None, at):
        sentence = f"This is effective at the time that {field} states: leave effective_at out."
        raise Refusal("effective_at_differs", sentence, field="effective_at")
    effective_at, stated_at = _within_ahead(at, situation.now, field)
    return drafted(meta, stream, data, effective_at, stated_at)


def _within_ahead(
    stated: datetime | None, now: datetime, field: str = "effective_at"
) -> tuple[datetime, datetime | None]:
    """(effective_at, stated_at)."""
    if stated is None:
        return now, None
    times.instant(stated, field)
    if stated <= now:
        return stated, None
    if stated - now > limits.AHEAD_MAX:
        raise Refusal(
            "effective_at_ahead",
            f"The stated time lies more than {limits.AHEAD_MAX.seconds // 60} minutes ahead of {instant_text(now)}.",
            field=field,
        )
    return now, stated


def drafted(
    meta: Meta, stream: str, data: FactData, effective_at: datetime, stated_at: datetime | None
) -> Draft:
    """The fact with these times, whatever they are."""
    return Draft(
        stream=stream,
        data=data,
        event_id=uuid7(),
        effective_at=effective_at,
        actor=meta.actor,
        correlation_id=meta.correlation_id,
        causation_id=meta.causation_id,
        reason=reason_of(meta),
        stated_at=stated_at,
        origin=meta.origin,
    )


def reason_of(meta: Meta) -> str | None:
    """The reason in its clean form, None if none was given."""
    return text.optional_passage(meta.reason, "reason", limits.REASON_MAX_CHARACTERS)


def need_reason(meta: Meta, what: str) -> None:
    """Refuses ``reason_required``; ``what`` is the change in words: *closing a unit*."""
    if meta.reason is None or not meta.reason.strip():
        raise Refusal("reason_required", f"{what[:1].upper()}{what[1:]} needs a reason.", field="reason")


def nothing_new(id: str, stream: str) -> Decision:
    """The state that is asked for already is: no fact, the present version."""
    return Decision(id, stream)


def need_version(decision: Decision, situation: Situation, expected: int | None) -> Decision:
    """The decision, unless the stream asked about is not at the version that ``If-Match`` names (None: not asked)."""
    stream = decision.if_match or decision.stream
    present = situation.versions.get(stream, 0)
    if expected is not None and expected != present:
        raise Refusal("version_stale", f"{stream} is at version {present}, not {expected}.", version=present)
    return decision
