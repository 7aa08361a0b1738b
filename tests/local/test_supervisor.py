"""The supervisor owns what it starts: nothing is left after kill -9, killed parts stay down until asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from goal_ledger_local.control import ask_restart
from goal_ledger_local.lock import DirectoryLock
from goal_ledger_local.ports import free_ports, is_free, listens
from goal_ledger_local.processes import (
    PartFailed,
    PortTaken,
    ProcessOwner,
    is_alive,
    processes_saying,
    wait_until,
)
from goal_ledger_local.service import Service

SMALL_SERVICE = str(Path(__file__).with_name("small_service.py"))


def small(owner: ProcessOwner, directory: Path, port: int, **settings: str) -> Service:
    return Service(
        "small",
        [SMALL_SERVICE],
        owner,
        directory / "small.log",
        lambda ports: {"HTTP_PORT": str(ports[0]), **settings},
        [port],
    )


async def test_nothing_is_left_after_the_supervisor_was_killed(running: Any, directory: Path) -> None:
    pids = [*running.described["pids"].values(), running.described["child"]]
    # a session in the middle of something, so that a back end is busy
    connection = await asyncpg.connect(running.described["postgres"])
    await connection.execute("BEGIN; CREATE TABLE half (n int)")
    assert all(map(is_alive, pids))

    running.process.kill()

    assert wait_until(lambda: not any(map(is_alive, pids)), 20)
    assert wait_until(lambda: not processes_saying(str(directory)), 20)
    connection.terminate()


def test_a_lock_and_the_description_do_not_outlive_a_killed_supervisor(running: Any, directory: Path) -> None:
    with pytest.raises(PartFailed, match=f"process {running.process.pid}"):
        DirectoryLock(directory / "lock")

    running.process.kill()
    running.process.wait()

    DirectoryLock(directory / "lock").release()
    assert not (directory / "stack.json").exists()
    assert not (directory / "control.json").exists()


def test_a_killed_part_stays_down_until_it_is_asked_for_and_comes_back_on_its_port(running: Any) -> None:
    before = running.described["pids"]["small"]
    os.kill(before, signal.SIGKILL)
    assert running.next_line() == {"down": "small", "how": "was killed by SIGKILL"}

    argv = [sys.executable, "-m", "goal_ledger_local", "restart", "small", "--dir", str(running.directory)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    assert str(before) not in said
    with urllib.request.urlopen(f"{running.described['small']}/health/ready") as answer:
        assert answer.status == 200


async def test_servers_killed_from_outside_come_back_on_their_ports(running: Any) -> None:
    connection = await asyncpg.connect(running.described["postgres"])
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    for part in ("postgres", "kafka"):
        os.kill(running.described["pids"][part], signal.SIGKILL)
        assert running.next_line()["down"] == part
        assert is_alive(ask_restart(running.directory / "control.json", part))
    connection.terminate()
    connection = await asyncpg.connect(running.described["postgres"])
    assert await connection.fetchval("SELECT n FROM kept") == 1
    await connection.close()


def test_asking_for_an_unknown_part_names_those_there_are(running: Any) -> None:
    with pytest.raises(PartFailed, match="kafka, postgres, small"):
        ask_restart(running.directory / "control.json", "relayy")


def test_asking_where_nothing_runs_says_so(directory: Path) -> None:
    argv = [sys.executable, "-m", "goal_ledger_local", "restart", "small", "--dir", str(directory)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == f"no stack is running with its data in {directory}\n"


def test_a_part_that_ends_at_once_fails_with_the_end_of_its_log(
    process_owner: ProcessOwner, directory: Path
) -> None:
    service = small(process_owner, directory, free_ports(1)[0], END_AT_ONCE="1")
    with pytest.raises(PartFailed, match=r"small ended with 1.*\n.*there is no database"):
        service.start()


def test_a_port_that_a_stranger_holds_is_not_taken_for_our_own(
    process_owner: ProcessOwner, directory: Path
) -> None:
    stranger, ours = (small(process_owner, directory, port) for port in [free_ports(1)[0]] * 2)
    stranger.start()
    with pytest.raises(PortTaken):
        ours.start()
    assert listens(stranger.process.pid, stranger.ports[0])
    assert not listens(os.getpid(), stranger.ports[0])
    stranger.stop()
    assert is_free(stranger.ports[0])


def test_stopping_a_part_takes_its_children_along(process_owner: ProcessOwner, directory: Path) -> None:
    service = small(process_owner, directory, free_ports(1)[0])
    service.start()
    with urllib.request.urlopen(f"{service.urls[0]}/health/ready") as answer:
        child = int(answer.read())
    service.stop()
    assert not is_alive(child)
