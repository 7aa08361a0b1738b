"""Listeners: several applications in one process, each on its own port, stopped together.

SIGTERM and SIGINT: no new connections, what is under way is answered, at most ``drain_seconds``; then :func:`serve`
returns normally, so that the caller closes its resources and the process exits 0. (uvicorn alone would raise the signal
again, and with an open event stream would wait for ever.)
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import uvicorn
import uvloop
from goal_ledger_observability.logs import logger
from starlette.types import ASGIApp

from goal_ledger_edge.connections import Limits, connections_within

DRAIN_SECONDS = 20
BACKLOG = 2048

log = logger("goal_ledger.edge.server")


@dataclass(frozen=True, slots=True)
class Listener:
    """An application and where it listens; port 0 takes a free one. ``lifespan`` runs the application's own, if it has one."""

    app: ASGIApp
    host: str
    port: int
    lifespan: Literal["auto", "on", "off"] = "auto"
    limits: Limits = Limits()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listener.host, listener.port))
    except OSError as taken:
        bound.close()
        raise SystemExit(f"cannot listen on {listener.host}:{listener.port}: {taken.strerror}") from None
    bound.setblocking(False)
    return bound


def _server(listener: Listener, drain_seconds: int) -> _Server:
    config = uvicorn.Config(
        listener.app,
        http=connections_within(listener.limits),
        ws="none",
        lifespan=listener.lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=listener.limits.keep_alive_seconds,
        timeout_graceful_shutdown=drain_seconds,
    )
    return _Server(config)


@contextlib.asynccontextmanager
async def _stop_on_signals(stop: asyncio.Event) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for one in signals:
        loop.add_signal_handler(one, stop.set)
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)


async def serve(
    listeners: Sequence[Listener],
    *,
    drain_seconds: int = DRAIN_SECONDS,
    on_started: Callable[[list[int]], None] | None = None,
    stop: asyncio.Event | None = None,
    background: Sequence[asyncio.Task[Any]] = (),
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``. ``on_started`` gets the ports, in the order of ``listeners``.

    If one of the ``background`` tasks (the relay's loop, a worker's) ends by an error, the listeners are drained and
    the error is raised: a process without its work must not look alive.
    """
    stop = stop or asyncio.Event()
    sockets = [_bind(listener) for listener in listeners]
    servers = [_server(listener, drain_seconds) for listener in listeners]
    async with _stop_on_signals(stop):
        running = [
            asyncio.create_task(server.serve(sockets=[bound]))
            for server, bound in zip(servers, sockets, strict=True)
        ]
        stopping = asyncio.create_task(stop.wait())
        starting = asyncio.create_task(_all_started(servers, running))
        await asyncio.wait([starting, stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and not starting.exception():
            ports = [bound.getsockname()[1] for bound in sockets]
            log.info(
                "listening",
                addresses=[f"{one.host}:{port}" for one, port in zip(listeners, ports, strict=True)],
            )
            if on_started is not None:
                on_started(ports)
            await asyncio.wait([stopping, *running, *background], return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        stopping.cancel()
        log.info("draining", seconds=drain_seconds)
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)
    for task in background:
        if task.done() and not task.cancelled() and (failed := task.exception()) is not None:
            raise failed


async def _all_started(servers: Sequence[_Server], running: Sequence[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers):
        if any(task.done() for task in running):
            raise RuntimeError("a listener did not start")
        await asyncio.sleep(0.005)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a process's main coroutine on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
