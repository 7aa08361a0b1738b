"""PostgreSQL as a child of ours, on 127.0.0.1, with durable settings.

After `kill -9` of the postmaster its back ends live on for a moment and keep the shared memory: a server started in
that moment refuses. So every start first waits until no process of this cluster is left (they are told by the
cluster's name in their titles), hurries the slow ones, and removes a `postmaster.pid` whose process is gone:
its number may by then belong to somebody else, which PostgreSQL would take for a living server.

Root cannot run PostgreSQL. We then run it as `postgres` or `nobody`; when that user cannot walk to the wanted
directory (a checkout below /root), the cluster lies below /var/tmp and a symbolic link in the directory points there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from goal_ledger_local.logins import ADMIN
from goal_ledger_local.ports import free_ports, is_free
from goal_ledger_local.postgres_binaries import (
    AWAY,
    can_walk_to,
    find_binaries,
    runnable_binaries,
    unprivileged_user,
)
from goal_ledger_local.processes import (
    NotReadyInTime,
    Owned,
    PartFailed,
    PortTaken,
    ProcessOwner,
    processes_saying,
    wait_until,
)

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 20.0
START_ATTEMPTS = 5

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "4GB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    "password_encryption": "scram-sha-256",
}
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
FAST_AND_UNSAFE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
}


class PostgresServer:
    """One server with its cluster in a directory.

    `start` and `restart` block until it answers; `kill` is SIGKILL of the postmaster. Not for two threads at once.
    `durable=False` is for tests alone: nothing is synced to disk.
    """

    def __init__(
        self, directory: Path, owner: ProcessOwner, *, log: Path | None = None, durable: bool = True
    ) -> None:
        self._directory = directory.absolute()
        self._owner = owner
        self.log = log or self._directory / "postgres.log"
        self._durable = durable
        self._user = unprivileged_user()
        self._binaries: Path | None = None
        self._process: Owned | None = None
        self.port = 0

    @property
    def password(self) -> str:
        """The superuser's, made once and kept beside the cluster."""
        kept = self._directory / "password"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(24))
        return kept.read_text()

    @property
    def process(self) -> Owned:
        if self._process is None:
            raise PartFailed("postgres was not started")
        return self._process

    @property
    def pid(self) -> int | None:
        """The process of the last start, also when it was killed since; None once it was stopped."""
        return None if self._process is None else self._process.pid

    @property
    def cluster(self) -> Path:
        """The data directory itself (PGDATA)."""
        return (self._directory / "cluster").resolve()

    def start(self) -> None:
        """Start on the port of the last time, or on another when that is taken; makes the cluster if need be.

        Raises:
            ToolMissing: no server programs.
            PartFailed: it did not answer within 120 s.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        self._make_cluster()
        kept = self._directory / "port"
        self.port = int(kept.read_text()) if kept.exists() else 0
        for _ in range(START_ATTEMPTS):
            if not self.port or not is_free(self.port):
                self._await_the_dead()
                self.port = self.port if self.port and is_free(self.port) else free_ports(1)[0]
            kept.write_text(str(self.port))
            with contextlib.suppress(PortTaken):
                return self.restart()
            self.port = 0
        raise PartFailed(f"postgres found its port taken {START_ATTEMPTS} times; see {self.log}")

    def restart(self) -> None:
        """Start again on the same port; a server still running is stopped first."""
        self.stop()
        self._await_the_dead()
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        self._process = self._owner.spawn(
            self._argv(), self.log, user=self._user, cwd=self.cluster, on_our_death=signal.SIGINT
        )
        self._await_ready(self._process)

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, a checkpoint is written; SIGKILL after 20 s."""
        if self._process is not None:
            self._process.stop(signal.SIGINT, STOP_WITHIN_S)
            self._process = None

    def kill(self) -> None:
        """SIGKILL of the postmaster; its back ends may live on for a moment, as after a real crash."""
        self.process.kill_group()

    def _argv(self) -> list[str]:
        wanted = SETTINGS | (DURABLE if self._durable else FAST_AND_UNSAFE)
        wanted |= {"port": str(self.port), "cluster_name": self._name, "unix_socket_directories": ""}
        settings = [word for key, value in wanted.items() for word in ("-c", f"{key}={value}")]
        return [str(self._program("postgres")), "-D", str(self.cluster), *settings]

    @property
    def _name(self) -> str:
        return "goal-ledger-" + hashlib.sha256(str(self.cluster).encode()).hexdigest()[:16]

    def _program(self, name: str) -> Path:
        if self._binaries is None:
            self._binaries = runnable_binaries(find_binaries(), self._user)
        return self._binaries / name

    def _make_cluster(self) -> None:
        if (self.cluster / "global" / "pg_control").exists():
            return
        self._lay_out()
        secret = self.cluster.with_name(self.cluster.name + ".password")
        try:
            secret.touch(mode=0o600)
            secret.write_text(self.password)
            self._give_away(secret)
            words = [
                "-D",
                str(self.cluster),
                "-U",
                ADMIN,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--data-checksums",
            ]
            words += ["-A", "scram-sha-256", f"--pwfile={secret}", *([] if self._durable else ["--no-sync"])]
            self.run("initdb", *words)
        finally:
            secret.unlink(missing_ok=True)

    def _lay_out(self) -> None:
        wanted = self._directory / "cluster"
        place = wanted
        if self._user is not None and not can_walk_to(wanted / "x", self._user):
            token = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
            place = AWAY / f"goal-ledger-{token}" / "cluster"
            place.parent.mkdir(mode=0o755, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        if place != wanted:
            wanted.unlink(missing_ok=True)
            wanted.symlink_to(place)
        self._give_away(place)

    def _give_away(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, *self._user)

    def run(self, program: str, *words: str, as_ourselves: bool = False) -> None:
        """Run one of PostgreSQL's programs to its end, as the server's user or `as_ourselves`.

        Raises:
            PartFailed: it failed; the sentence holds what it said.
        """
        as_user = None if as_ourselves else self._user
        ran = subprocess.run(
            [str(self._program(program)), *words],
            cwd="/",
            env={
                **os.environ,
                "PGPASSWORD": self.password,
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port or 5432),
            },
            capture_output=True,
            text=True,
            check=False,
            user=as_user[0] if as_user else None,
            group=as_user[1] if as_user else None,
            extra_groups=[] if as_user else None,
        )
        if ran.returncode != 0:
            raise PartFailed(f"{program} failed: {ran.stderr.strip()[-2000:]}")

    def _await_the_dead(self) -> None:
        """Wait until no process of an earlier life of this cluster is left."""
        for patience_s, hurry in ((2, signal.SIGTERM), (3, signal.SIGQUIT), (5, signal.SIGKILL)):
            if wait_until(lambda: not self._living(), patience_s, pause_s=0.05):
                return
            for pid in self._living():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, hurry)
        if not wait_until(lambda: not self._living(), 5):
            raise PartFailed(f"an earlier server of {self.cluster} still runs: {self._living()}")

    def _living(self) -> Sequence[int]:
        return processes_saying(self._name)

    def _await_ready(self, process: Owned) -> None:
        """Ready = our own postmaster wrote so into its pid file, which it does when it accepts connections."""
        started = time.monotonic()
        while process.returncode is None and time.monotonic() - started < READY_WITHIN_S:
            if self._says_ready(process.pid):
                return
            time.sleep(0.02)
        code = process.returncode
        process.kill_group()
        said = process.said(lines=15)
        if code is not None and "Address already in use" in said:
            raise PortTaken(f"postgres: port {self.port} is taken")
        if code is None:
            raise NotReadyInTime(f"postgres was not ready in time; see {self.log}\n{said}")
        raise PartFailed(f"postgres ended with {code}; see {self.log}\n{said}")

    def _says_ready(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return False


def remove_cluster(directory: Path) -> None:
    """Remove the cluster of a stopped server, also when it lies aside below /var/tmp."""
    cluster = directory / "cluster"
    if cluster.is_symlink():
        shutil.rmtree(cluster.resolve().parent, ignore_errors=True)
        cluster.unlink()
    shutil.rmtree(directory, ignore_errors=True)
