"""A command told twice records nothing the second time: one property for each decider of the organisation.

Histories are drawn from small sets of ids and values, so that commands meet what earlier ones left; a refused one
leaves nothing. At the end every state is what folding the facts again gives.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from goal_ledger_contracts.feed import FeedRegistered
from goal_ledger_contracts.ids import uuid7
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_contracts.workspace import Policy, SystemRegistered
from goal_ledger_domain import (
    access,
    cycle,
    evolve,
    feed,
    moment,
    person,
    policy,
    reading,
    restart,
    system,
    unit,
)
from goal_ledger_domain.refusals import Refusal
from goal_ledger_domain.workspace import CreateWorkspace, FirstAdmin, WithholdText
from goal_ledger_domain.world import World
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from support.given_when_then import START, Record, given, meta, on

R = meta(reason="Because")
ID = st.sampled_from(["a", "b", "c"])
MAYBE = st.one_of(st.none(), ID)
NAME = st.sampled_from(["One", "Two"])
NUMBER = st.sampled_from([Decimal(text) for text in ("0", "1.50", "7", "100")])
DAY = st.sampled_from([date(2026, month, 1) for month in (1, 4, 7, 12)])
AT = st.integers(0, 6).map(lambda days: START - timedelta(days=days))
EVENT = uuid7()


def commands(*classes: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Commands of these classes, their fields drawn by name."""
    drawn_by = {"meta": st.just(R)} | fields
    return st.one_of(
        *(st.builds(cls, **{name: drawn_by[name] for name in cls.__dataclass_fields__}) for cls in classes)
    )


def classes_of(file: Any) -> tuple[type, ...]:
    return tuple(file.DECIDER.commands)


FEED_FIELDS: dict[str, Any] = {
    "feed": st.sampled_from(["f", "g"]),
    "system": st.sampled_from(["s", "t"]),
    "kind": st.sampled_from(feed.KINDS),
    "unit": st.sampled_from([None, "items"]),
    "interval": st.sampled_from([None, "P1D"]),
    "low": st.sampled_from([None, Decimal(1)]),
    "high": st.sampled_from([None, Decimal(50)]),
    "description": st.none(),
}

DRAWN: dict[str, st.SearchStrategy[Any]] = {
    "workspace": commands(
        CreateWorkspace,
        WithholdText,
        workspace=st.sampled_from(["acme", "other"]),
        name=st.sampled_from(["Acme", "Other"]),
        time_zone=st.just("Europe/Oslo"),
        first_admin=st.sampled_from([None, FirstAdmin("z", "Zoe", "i", "s")]),
        fact=st.just(EVENT),
        pointer=st.sampled_from(["/note", "/blockers/0"]),
    ),
    "policy": commands(
        policy.SetPolicy,
        scope=st.sampled_from(["workspace", "unit/a", "unit/none"]),
        policy=st.builds(Policy, grace_days=st.sampled_from([None, 1, 2])),
    ),
    "moment": commands(*classes_of(moment), name=ID, at=AT),
    "access": commands(
        *classes_of(access),
        issuer=st.just("i"),
        subject=ID,
        person=ID,
        holder=st.sampled_from(["person/a", "person/b", "system/s"]),
        role=st.sampled_from(["owner", "admin"]),
        key=ID,
        digest=st.sampled_from(["1" * 64, "2" * 64]),
    ),
    "system": commands(*classes_of(system), system=ID, name=NAME),
    "unit": commands(
        *classes_of(unit), unit=ID, name=NAME, parent=MAYBE, person=MAYBE, wave=st.sampled_from(["w1", "w2"])
    ),
    "person": commands(*classes_of(person), person=ID, display_name=NAME, unit=ID),
    "cycle": commands(*classes_of(cycle), cycle=ID, name=NAME, start=DAY, end=DAY, parent=MAYBE),
    "feed": commands(
        *classes_of(feed), *classes_of(restart), **FEED_FIELDS, at=AT, base=NUMBER, waiting=st.just(())
    ),
    "reading": commands(
        *classes_of(reading),
        feed.RedefineFeed,
        **FEED_FIELDS
        | {
            "source": st.just("src"),
            "id": ID,
            "time": AT,
            "value": NUMBER,
            "mode": st.sampled_from([None, "absolute", "increment"]),
            "sequence": st.none(),
            "backfill": st.booleans(),
        },
    ),
}


def organisation() -> Record:
    return given(
        on("unit/a", UnitCreated("A")),
        on("person/a", PersonAdded("A")),
        on("person/b", PersonAdded("B")),
        on("workspace/acme", SystemRegistered("s", "S"), SystemRegistered("t", "T")),
        on("feed/f", FeedRegistered("s", "counter"), at=START - timedelta(days=9)),
        on("feed/g", FeedRegistered("s", "gauge", "items", high=Decimal(50)), at=START - timedelta(days=9)),
    )


def told_if_allowed(record: Record, asked: Any) -> bool:
    try:
        record.tell(asked)
    except Refusal:
        return False
    return True


@pytest.mark.parametrize("decider", DRAWN)
def test_a_command_told_twice_records_nothing_the_second_time(decider: str) -> None:
    @settings(max_examples=60, deadline=None)
    @drawn(st.lists(DRAWN[decider], max_size=25))
    def property_holds(history: list[Any]) -> None:
        record = organisation()
        for asked in history:
            before = len(record.facts)
            if told_if_allowed(record, asked):
                once = len(record.facts)
                again = told_if_allowed(record, asked)
                assert again or isinstance(asked, feed.RedefineFeed), f"allowed once, then refused: {asked}"
                assert len(record.facts) == once, f"recorded twice: {asked}"
            else:
                assert len(record.facts) == before
        assert folded_again(record) == states(record.world)

    property_holds()


def folded_again(record: Record) -> dict[Any, Any]:
    world = World()
    for fact in record.facts:
        evolve.evolve(world, fact)
    return states(world)


def states(world: World) -> dict[Any, Any]:
    return dict(world._changes)


def test_deciding_on_a_branch_changes_nothing_below_it() -> None:
    record = organisation()
    before = states(record.world)
    branch = record.world.branch()
    record.world, below = branch, record.world
    record.tell(unit.CreateUnit(meta(), "z", "Z", "a"))
    assert states(below) == before
    assert branch.get("unit", "z") is not None
