"""What is kept of an idempotency key: keyed hashes, so that neither the key nor the body can be read from the store.

The mark of a key is HMAC-SHA256 over the canonical JSON of (actor, method, path, key), that of a body over its parsed
value; the secret is the installation's, the same in all processes, never changed.
"""

from __future__ import annotations

import hmac
import json
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.envelope import CommandMark


def _plain(value: Any) -> Any:
    assert isinstance(value, Decimal)
    return {"decimal": str(value)}


_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False, default=_plain
).encode


class IdempotencyHashes:
    """Makes marks with the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, actor: str, method: str, path: str, key: str, body: Any) -> CommandMark:
        """The mark of a command; ``body`` as :func:`goal_ledger_edge.bodies.parse_json` gives it."""
        return CommandMark(self._hash([actor, method, path, key]), self._hash(body))

    def _hash(self, value: Any) -> str:
        return hmac.digest(self._secret, _encode(value).encode(), "sha256").hex()
