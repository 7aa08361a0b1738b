"""One record of `goals.changed`: a goal's answer before and after, the cause, the position.

The value is canonical JSON, and everything in the record follows from the facts, so that a change derived again is the
same bytes. The key is the goal: of a compacted topic there remains each goal's present state. `ce_id` names the change:
goal and position, and the instant besides where time alone changed the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from goal_ledger_contracts.canonical import canonical, decimal_text, instant_text
from goal_ledger_contracts.position import Position
from goal_ledger_contracts.strict_json import parse
from goal_ledger_history.statuses import Standing
from goal_ledger_messaging.records import Headers

TYPE = b"goal-ledger.goal-changed.v1"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """`kind`: fact, time, or begin (the topic's first record of a goal that was there before)."""

    kind: str
    fact: Json | None = None

    def document(self) -> Json:
        return {"kind": self.kind, **(self.fact or {})}


TIME, BEGIN = Cause("time"), Cause("begin")


def answer_of(standing: Standing) -> Json:
    """What is told of a goal, in the words and digits of `/v1/objectives`."""
    return {
        "confidence": _number(standing.said.confidence),
        "score": _number(standing.amended.score),
        "score_committed": _number(standing.as_committed.score),
        "status": standing.status.shown,
    }


def _number(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)


@dataclass(frozen=True, slots=True)
class ToldChange:
    """`value`: the record's, from which all the rest can be had again."""

    goal: str
    after: Json | None
    value: bytes

    @staticmethod
    def of(
        workspace: str,
        goal: str,
        before: Json | None,
        after: Json | None,
        cause: Cause,
        position: Position,
        at: datetime,
    ) -> ToldChange:
        """`at`: as of when, the fact's `recorded_at` or the instant that was looked at. `after` None: the goal is lost
        with the facts of an epoch that is over."""
        return ToldChange(
            goal,
            after,
            canonical(
                {
                    "after": after,
                    "at": instant_text(at),
                    "before": before,
                    "cause": cause.document(),
                    "goal": goal,
                    "position": str(position),
                    "workspace": workspace,
                }
            ),
        )

    @staticmethod
    def read(value: bytes) -> ToldChange:
        """One that was told."""
        body = parse(value, len(value))
        return ToldChange(body["goal"], body["after"], value)

    def key(self, workspace: str) -> bytes:
        return f"{workspace}/{self.goal}".encode()

    def headers(self) -> Headers:
        body = parse(self.value, len(self.value))
        position = Position.parse(body["position"])
        by_time = f"@{body['at']}" if body["cause"]["kind"] == TIME.kind else ""
        return [
            ("ce_specversion", b"1.0"),
            ("ce_type", TYPE),
            ("ce_source", f"/workspaces/{body['workspace']}".encode()),
            ("ce_id", f"{self.goal}@{position}{by_time}".encode()),
            ("ce_time", body["at"].encode()),
            ("ce_subject", f"objective/{self.goal}".encode()),
            ("content-type", b"application/json"),
            ("workspace", body["workspace"].encode()),
            ("epoch", b"%d" % position.epoch),
            ("seq", b"%d" % position.seq),
        ]
