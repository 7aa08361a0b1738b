"""The answers to idempotency keys that recovered facts had. Told from the facts alone.

A command whose facts lie in the tail gets the answer that it had. A success without a fact had an answer only in the store:
it is decided again when it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from urllib.parse import quote

from goal_ledger_contracts.position import Position
from goal_ledger_domain.kept_beside import answered
from goal_ledger_ledger.submission import CommandAnswer, FactRef

from goal_ledger_command.recovery.continuing import NextFact

LOCATIONS = {
    "CheckInRecorded": "/v1/check-ins/{id}",
    "CommentAdded": "/v1/objectives/{objective}/comments/{id}",
    "CyclePlanned": "/v1/cycles/{id}",
    "FeedRegistered": "/v1/feeds/{id}",
    "IdentityLinked": "/v1/identities/{id}",
    "KeyIssued": "/v1/keys-issued/{id}",
    "KeyResultAdded": "/v1/key-results/{id}",
    "KudosGiven": "/v1/objectives/{objective}/kudos/{id}",
    "MomentRecorded": "/v1/moments/{id}",
    "ObjectiveCarriedOver": "/v1/objectives/{id}",
    "ObjectiveDrafted": "/v1/objectives/{id}",
    "PersonAdded": "/v1/people/{id}",
    "PolicySet": "/v1/policies/{id}",
    "SystemRegistered": "/v1/systems/{id}",
    "UnitCreated": "/v1/units/{id}",
}
"""By the first fact of a command that creates something, where that is."""


Kept = tuple[str, str, CommandAnswer]
"""Mark of the body, the stream whose version is answered, the answer."""


def commands(facts: Sequence[NextFact]) -> Iterator[list[NextFact]]:
    """The facts of each keyed command: neighbours with one mark."""
    for mark, some in groupby(facts, key=lambda one: one.fact.command):
        if mark is not None:
            yield list(some)


def answers(facts: Sequence[NextFact]) -> dict[str, Kept]:
    """By mark, of all commands whose facts these are, whole."""
    return {mark.key: _kept(mark.body, some) for some in commands(facts) if (mark := some[0].fact.command)}


def _kept(body: str, facts: list[NextFact]) -> Kept:
    first, last = facts[0].fact, facts[-1].fact
    named = answered(first)
    answer = CommandAnswer(
        named.id,
        max((one.fact.version for one in facts if one.fact.stream == named.stream), default=0),
        tuple(FactRef(one.fact.seq, one.fact.event_id, one.fact.type) for one in facts),
        Position(facts[-1].epoch, last.seq),
        location=_location(first.type, named.id, named.stream),
    )
    return body, named.stream, answer


def _location(type_name: str, id: str, stream: str) -> str | None:
    template = LOCATIONS.get(type_name)
    if template is None:
        return None
    below = stream.partition("/")[2]
    return template.replace("{objective}", quote(below)).replace("{id}", quote(id))
