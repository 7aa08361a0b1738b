"""A second command process beside the stack's own, for as long as a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from goal_ledger_local.ports import free_ports
from goal_ledger_local.service import Service
from goal_ledger_local.services import COMMAND
from goal_ledger_local.stack import Stack

SECOND = "command-2"
_aside: dict[Stack, Service] = {}


@asynccontextmanager
async def two_commands(stack: Stack) -> AsyncIterator[tuple[str, str]]:
    """The addresses of two command processes on the same databases; the stack's own second one if it has one."""
    first = stack.services["command"].urls[0]
    if SECOND in stack.services:
        yield first, stack.services[SECOND].urls[0]
        return
    log = stack.logs / "command-aside.log"
    argv = ["-m", COMMAND, "serve"]
    service = Service("command-aside", argv, stack.owner, log, stack.installation.command, free_ports(2))
    try:
        await asyncio.to_thread(service.start)
        _aside[stack] = service
        yield first, service.urls[0]
    finally:
        _aside.pop(stack, None)
        await asyncio.to_thread(service.stop)


@asynccontextmanager
async def running_commands(stack: Stack) -> AsyncIterator[tuple[str, str]]:
    """The same two within :func:`two_commands`; nothing is started."""
    second = stack.services.get(SECOND) or _aside[stack]
    yield stack.services["command"].urls[0], second.urls[0]
