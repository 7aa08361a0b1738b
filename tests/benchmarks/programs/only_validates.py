"""The comparison of check-ins over HTTP: a FastAPI route that parses, validates and answers 201, and does nothing else.

It runs on the very server of ours (`goal_ledger_edge.server`: uvicorn, uvloop, httptools, the same settings). It is
told its port by the one argument, and ends on SIGTERM.
"""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal

from fastapi import FastAPI
from goal_ledger_edge.server import Listener, run, serve
from pydantic import BaseModel, ConfigDict

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


class Value(BaseModel):
    model_config = ConfigDict(extra="forbid")
    part: str = "value"
    value: Decimal | None = None
    done: tuple[str, ...] | None = None


class CheckIn(BaseModel):
    """The fields of a check-in's body."""

    model_config = ConfigDict(extra="forbid")
    id: str
    values: tuple[Value, ...] = ()
    confidence: Decimal | None = None
    status: str | None = None
    method: str = "manual"
    note: str | None = None
    blockers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    reason: str | None = None
    effective_at: datetime | None = None


class Answered(BaseModel):
    id: str
    version: int
    facts: list[str]
    position: str


@app.post("/v1/key-results/{key_result}/check-ins", status_code=201)
async def check_in(key_result: str, body: CheckIn) -> Answered:
    return Answered(id=body.id, version=1, facts=[], position="1-1")


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    run(serve([Listener(app, "127.0.0.1", int(sys.argv[1]))]))
