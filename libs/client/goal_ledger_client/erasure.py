"""A certificate that a person's texts were erased: the fact that did it, with its proof, for ``goal-ledger-verify``."""

from __future__ import annotations

import json

from goal_ledger_client.client import GoalLedger
from goal_ledger_client.exchange import Problem

FORMAT = "goal-ledger.erasure.v1"
KEY_BACKUPS_DAYS = 30
"""How long backups of keys are kept, unless the operator says otherwise: only then is an erasure complete."""


def certificate(ledger: GoalLedger, person: str, key_backups_days: int = KEY_BACKUPS_DAYS) -> bytes:
    """Of the role auditor. Waits until a signed head covers the fact. Raises Problem ``not_found`` for a person who was not
    shredded, and as :meth:`GoalLedger.receipt`."""
    asked = {"stream": f"person/{person}", "type": "PersonShredded"}
    found = ledger.query("/v1/facts", asked_of=asked)
    if not found["items"]:
        raise Problem(404, {"code": "not_found", "detail": f"The person {person} was not shredded."})
    fact, epoch = found["items"][0], found["position"].partition("-")[0]
    line = ledger.send("GET", f"/v1/log?after={fact['seq'] - 1}&limit=1").content.rstrip(b"\n")
    proof = ledger.receipt(f"/v1/logs/{fact['workspace']}/{epoch}/proof/{fact['seq']}")
    return written(line, proof, key_backups_days)


def written(fact: bytes, proof: str, key_backups_days: int) -> bytes:
    """The file."""
    said = {
        "format": FORMAT,
        "fact": fact.decode(),
        "proof": proof,
        "key_backups_days": key_backups_days,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
