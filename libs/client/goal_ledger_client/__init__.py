"""How others use Goal Ledger: a typed client (sync and async), an emitter for Kafka, and the `goal-ledger` command line.

from goal_ledger_client import GoalLedger

with GoalLedger(command_url, query_url, token) as ledger:
    answer = ledger.command("/v1/key-results/sales/check-ins", {"values": [{"part": "value", "value": "4"}]})
    goal = ledger.query("/v1/objectives/web-shop", after=answer.position)
"""

from typing import TYPE_CHECKING, Any

from goal_ledger_client.client import AsyncGoalLedger, GoalLedger
from goal_ledger_client.events import Event
from goal_ledger_client.exchange import Answer, Problem, Unavailable
from goal_ledger_client.values import Body

if TYPE_CHECKING:
    from goal_ledger_client.emitter import Emitter, Reading

__all__ = [
    "Answer",
    "AsyncGoalLedger",
    "Body",
    "Emitter",
    "Event",
    "GoalLedger",
    "Problem",
    "Reading",
    "Unavailable",
]


def __getattr__(name: str) -> Any:
    """The emitter brings the Kafka client along, a third of a second: only when it is used."""
    if name in ("Emitter", "Reading"):
        from goal_ledger_client import emitter

        return getattr(emitter, name)
    raise AttributeError(name)
