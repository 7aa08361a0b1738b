"""Feeds: registered for a system, redefined as a visible break."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from goal_ledger_contracts.feed import FeedRedefined, FeedRegistered
from goal_ledger_contracts.workspace import SystemRegistered, SystemRetired
from goal_ledger_domain.feed import RedefineFeed, RegisterFeed, feed_state
from goal_ledger_domain.system import RegisterSystem
from support.given_when_then import Record, given, meta, on

R = meta(reason="Counts robots no longer")
ACME = "workspace/acme"


def shop() -> Record:
    return given(
        on(ACME, SystemRegistered("webshop", "Web shop")),
        on(ACME, SystemRegistered("old", "Old"), SystemRetired("old")),
    )


def register(**changed: Any) -> RegisterFeed:
    return RegisterFeed(
        **{
            "meta": meta(),
            "feed": "webshop.visitors",
            "system": "webshop",
            "kind": "counter",
            "unit": "visitors",
            "interval": "P1D",
            "low": Decimal(0),
        }
        | changed
    )


def test_a_feed_is_registered_for_a_system() -> None:
    shop().when(register()).then(FeedRegistered("webshop", "counter", "visitors", "P1D", Decimal(0)))
    shop().when(register(system="none")).then_refused("unknown_system", "system")
    shop().when(register(system="old")).then_refused("system_retired", "system")


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"feed": "web shop"}, "id_malformed", "feed"),
        ({"kind": "histogram"}, "choice_unknown", "kind"),
        ({"unit": ""}, "text_empty", "unit"),
        ({"unit": "x" * 41}, "text_too_long", "unit"),
        ({"interval": "daily"}, "duration_malformed", "interval"),
        ({"interval": "PT0S"}, "duration_malformed", "interval"),
        ({"low": Decimal("Infinity")}, "value_not_decimal", "low"),
        ({"low": Decimal(2), "high": Decimal(1)}, "limits_reversed", "low"),
        ({"description": "a\x00"}, "text_has_control_characters", "description"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(changed: dict[str, Any], code: str, field: str) -> None:
    shop().when(register(**changed)).then_refused(code, field)


def test_registered_again_alike_it_is_nothing_new_and_otherwise_taken() -> None:
    record = shop().told(register())
    record.when(register()).then_nothing_new()
    record.when(register(unit="visits")).then_refused("id_taken", "feed")
    record.tell(RegisterSystem(meta(), "crm", "CRM"))
    record.when(register(system="crm")).then_refused("id_taken", "feed")


def test_a_feed_is_redefined_with_a_reason_from_then_on() -> None:
    record = shop().told(register())
    asked = RedefineFeed(R, "webshop.visitors", "counter", "people")
    record.when(asked).then(FeedRedefined("counter", "people"))
    record.when(RedefineFeed(meta(), "webshop.visitors", "counter", "people")).then_refused("reason_required")
    record.tell(asked)
    record.when(asked).then_refused("nothing_redefined")
    record.when(register()).then_nothing_new()
    state = feed_state(record.world, "webshop.visitors")
    assert state is not None
    assert (state.unit, state.kind) == ("people", "counter")
    assert state.at(record.now).definition.unit == "people"
    assert state.at(record.now - timedelta(seconds=1)).definition.unit == "visitors"
    assert state.at(record.now - timedelta(days=999)).definition.unit == "visitors"


def test_a_feed_that_is_unknown_or_of_a_retired_system_is_not_redefined() -> None:
    shop().when(RedefineFeed(R, "none", "gauge")).then_refused("unknown_feed", "feed")
    record = shop().told(register()).given(on(ACME, SystemRetired("webshop")))
    record.when(RedefineFeed(R, "webshop.visitors", "gauge")).then_refused("system_retired")
