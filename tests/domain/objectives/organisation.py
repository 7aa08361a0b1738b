"""What the specifications of goals start from: a small organisation, and short ways to say common things."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.cycle import CycleOpened, CyclePlanned
from goal_ledger_contracts.feed import FeedRegistered
from goal_ledger_contracts.measures import Checklist, Compound, Increase, Part, Step, Window
from goal_ledger_contracts.objective import (
    KeyResultAdded,
    ObjectiveActivated,
    ObjectiveClosed,
    ObjectiveDrafted,
)
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_contracts.unit import UnitCreated
from goal_ledger_contracts.workspace import RoleGranted, SystemRegistered
from support.given_when_then import WORKSPACE, Given, Record, given, meta, on

BOSS = "person/boss"
"""Has the role admin; ``person/ada`` and ``person/bo`` have none (the deciders do not ask who owns what)."""
IMPORTER = "person/ina"

VISITORS = Increase(Decimal(1000), Decimal(0), "visitors")
STEPS = (Step("design", "Design in place"), Step("payment", "Payment in place", Decimal(2)))
OPEN_SHOP = Checklist(STEPS)
FIRST_MONTH = Window(moment="launch", duration="P1M")
REACH = Compound(
    "all",
    (
        Part("visitors", Increase(Decimal(1000), Decimal(0), "visitors", FIRST_MONTH)),
        Part("sales", Increase(Decimal(10), Decimal(0), "orders", FIRST_MONTH)),
    ),
)


def organisation() -> Record:
    """A unit, some people, an open cycle ``q1``, a planned ``q2``, and a feed of each kind of the system ``shop``."""
    return given(
        on(
            f"workspace/{WORKSPACE}",
            RoleGranted(BOSS, "admin"),
            RoleGranted(IMPORTER, "importer"),
            SystemRegistered("shop", "The shop"),
        ),
        on("unit/shop", UnitCreated("Shop")),
        *(on(f"person/{id}", PersonAdded(id.title())) for id in ("ada", "bo", "boss", "ina")),
        on("cycle/q1", CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)), CycleOpened()),
        on("cycle/q2", CyclePlanned("Q2", date(2026, 4, 1), date(2026, 6, 30)), CycleOpened()),
        on("feed/stock", FeedRegistered("shop", "gauge")),
        on("feed/visitors", FeedRegistered("shop", "counter", "visitors")),
        on("feed/orders", FeedRegistered("shop", "event_count", "orders")),
    )


def drafted(id: str = "web-shop", **more: Any) -> list[Given]:
    """A draft of the unit ``shop``."""
    return on(
        f"objective/{id}", ObjectiveDrafted(**{"title": "A winning shop", "owner": "unit/shop", **more})
    )


def key_result(id: str, measure: Any = VISITORS, *, of: str = "web-shop", **more: Any) -> list[Given]:
    return on(f"objective/{of}", KeyResultAdded(id, f"Key result {id}", measure, **more))


def activated(id: str = "web-shop") -> list[Given]:
    return on(f"objective/{id}", ObjectiveActivated())


def closed(id: str = "web-shop", outcome: str = "achieved") -> list[Given]:
    return on(f"objective/{id}", ObjectiveClosed(outcome))


def draft_goal(**more: Any) -> Record:
    """The draft ``web-shop`` with the key results ``open`` (a checklist), ``visitors`` and ``reach`` (compound)."""
    return organisation().given(
        drafted(**more), key_result("open", OPEN_SHOP), key_result("visitors"), key_result("reach", REACH)
    )


def active_goal(**more: Any) -> Record:
    return draft_goal(**more).given(activated())


def because(reason: str = "We learnt better", actor: str = "person/ada", **more: Any) -> Any:
    """A Meta with a reason."""
    return meta(actor, reason=reason, **more)
