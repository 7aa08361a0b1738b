"""The installation's containers come and go: started in order, made anew, killed, two of one, stopped and started."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from containers.asking import Gateway
from containers.engine import Engine, expect
from containers.walk import Walk

SERVERS = ("postgres", "postgres-keys", "postgres-read", "kafka")
PROCESSES = ("command", "relay", "worker", "changed", "query", "reconciler")
GATEWAY = "gateway"
STEPS = (("secrets",), SERVERS, ("migrate-command", "migrate-projection"), PROCESSES, (GATEWAY,))
KILLED = (*PROCESSES, GATEWAY, *SERVERS)


def start(engine: Engine) -> None:
    """By steps, as `depends_on` says them: podman 4.3 waits for no health by itself. Raises Failed."""
    print("start:", flush=True)
    began = time.monotonic()
    for services in STEPS:
        engine.compose("up", "-d", "--no-deps", *services)
        for service in services:
            _await_started(engine, service)
    expect(True, f"all of it within {time.monotonic() - began:.0f} s")


def make_anew(engine: Engine, gateway: Gateway, walk: Walk) -> None:
    """A service that has another address is found by a gateway that was not restarted. Raises Failed."""
    print("without a service, and with one that was made anew:", flush=True)
    stands = engine.process_id(engine.name(GATEWAY))
    for service, method, code in (("query", "GET", "unavailable"), ("command", "POST", "outcome_unknown")):
        before = engine.address(service, "front")
        engine.podman("rm", "-f", "--time", "30", engine.name(service))
        request = f"{method} /v1/units HTTP/1.1\r\nHost: goal-ledger\r\nContent-Length: 0\r\n\r\n".encode()
        engine.await_true(partial(_is_away, gateway, request), f"503 without {service}")
        answer = gateway.send_raw(request)
        expect(answer.refused == (503, code), f"without {service} it is 503 {code}", answer)
        engine.compose("up", "-d", "--no-deps", "--no-recreate", service)
        engine.await_healthy(service)
        after = engine.address(service, "front")
        expect(before != after, f"{service} was at {before} and is at {after}")
    expect(engine.process_id(engine.name(GATEWAY)) == stands, "the gateway is the same process as before")
    walk.send_reading("7")
    walk.await_value("7")


def kill_each(engine: Engine, walk: Walk) -> None:
    """Kills the first process of each container with SIGKILL, and watches. Raises Failed."""
    print("killed with SIGKILL, one after the other:", flush=True)
    for service in KILLED:
        name = engine.name(service)
        before, restarts = engine.process_id(name), engine.restarts(name)
        os.kill(before, signal.SIGKILL)
        engine.await_true(partial(_runs_again, engine, name, before), f"{name} runs again", service)
        engine.await_healthy(service)
        expect(
            engine.restarts(name) > restarts, f"{service} was started by the engine's policy and is healthy"
        )
    engine.await_healthy(*PROCESSES)
    walk.send_reading("6")
    walk.await_value("6")


def run_two_workers(engine: Engine, walk: Walk) -> None:
    """Raises Failed."""
    print("two workers:", flush=True)
    engine.compose("up", "-d", "--no-deps", "--no-recreate", "--scale", "worker=2", "worker")
    engine.await_healthy("worker")
    expect(len(engine.names("worker")) == 2, "two containers of worker are healthy")
    walk.send_reading("8")
    walk.await_value("8")
    engine.podman("stop", "--time", "30", engine.name("worker"))
    walk.send_reading("5")
    walk.await_value("5")


def stop_and_start(engine: Engine, walk: Walk) -> None:
    """On the same volumes. Raises Failed."""
    print("everything stopped and removed but the volumes:", flush=True)
    engine.stop()
    expect(engine.names() == [], "no container is left")
    start(engine)
    walk.await_value("5")
    walk.send_reading("3")
    walk.await_value("3")


def _ended_well(engine: Engine, service: str) -> bool:
    state = engine.state(engine.name(service))
    return (state["Status"], state["ExitCode"]) == ("exited", 0)


def _await_started(engine: Engine, service: str) -> None:
    if service in (*SERVERS, *PROCESSES, GATEWAY):
        engine.await_healthy(service)
        expect(True, f"{service} is healthy")
    else:
        engine.await_true(partial(_ended_well, engine, service), f"{service} ended with 0", service)
        expect(True, f"{service} ended with 0")


def _runs_again(engine: Engine, name: str, before: int) -> bool:
    return engine.process_id(name) not in (0, before)


def _is_away(gateway: Gateway, request: bytes) -> bool:
    return gateway.send_raw(request).status == 503
