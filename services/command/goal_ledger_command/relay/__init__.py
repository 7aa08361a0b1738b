"""The relay: everything that leaves the store for Kafka.

Facts to ``ledger.facts``, receipts and rejected messages to the emitters' topics, signed heads to ``ledger.heads``.
One relay is active by a lease; see ``lease.py`` for why a zombie is harmless, ``facts.py`` for the order and the marks.
"""

from goal_ledger_command.relay.heads import SignedHead, latest_checkpoint, signed_head
from goal_ledger_command.relay.process import run

__all__ = ["SignedHead", "latest_checkpoint", "run", "signed_head"]
