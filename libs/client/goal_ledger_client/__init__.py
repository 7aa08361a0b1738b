"""How others use Goal Ledger: a typed client (sync and async), an emitter for Kafka, and the `goal-ledger` command line.

from goal_ledger_client import GoalLedger

with GoalLedger(command_url, query_url, token) as ledger:
    answer = ledger.command("/v1/key-results/sales/check-ins", {"values": [{"part": "value", "value": "4"}]})
    goal = ledger.query("/v1/objectives/web-shop", after=answer.position)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from goal_ledger_client.client import AsyncGoalLedger, GoalLedger
from goal_ledger_client.events import Event
from goal_ledger_client.exchange import Answer, Problem, Retry, Unavailable
from goal_ledger_client.outbox import Outbox
from goal_ledger_client.values import Body

if TYPE_CHECKING:
    from goal_ledger_client.emitter import Emitter, Reading
    from goal_ledger_client.receipts import ReceiptStream

__all__ = [
    "Answer",
    "AsyncGoalLedger",
    "Body",
    "Emitter",
    "Event",
    "GoalLedger",
    "Outbox",
    "Problem",
    "Reading",
    "ReceiptStream",
    "Retry",
    "Unavailable",
]


_WITH_KAFKA = {"Emitter": "emitter", "Reading": "emitter", "ReceiptStream": "receipts"}


def __getattr__(name: str) -> Any:
    """What brings the Kafka client along, a third of a second: only when it is used."""
    if name in _WITH_KAFKA:
        return getattr(import_module(f"goal_ledger_client.{_WITH_KAFKA[name]}"), name)
    raise AttributeError(name)
