"""Own the processes of the local stack: none of them outlives us.

The guarantee: a process started by `ProcessOwner.spawn` is gone soon after its owner, however the owner ends.
Three things together give it, because none alone does:

* every process leads a process group of its own, so that its children are stopped with it;
* on Linux the kernel signals it when our thread ends (PR_SET_PDEATHSIG). That signal is bound to the *thread*
  that forked, so all forks happen on one thread that lives as long as the owner;
* the guard (`guard.py`), a small process in a session of its own, holds the read end of a pipe whose write end
  only we hold. When we die, even by `kill -9`, it reads the end of the file and stops every group it was told of:
  this reaches grandchildren, which the kernel's signal does not.

A zombie counts as gone: in a container, process 1 may never collect it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal as signals
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

PR_SET_PDEATHSIG = 1
T = TypeVar("T")


class PartFailed(Exception):
    """A part of the stack did not start, or did not stop; the sentence says which and where its log is."""


class NotReadyInTime(PartFailed):
    """A part still runs and was not ready in the time it had: it is slow, or hangs; it did not fail."""


class PortTaken(PartFailed):
    """Somebody else took the port between our choosing it and the part's binding it."""


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    with contextlib.suppress(OSError):
        return _stat(pid)[0] not in "ZX"
    if Path("/proc/self").exists():
        return False
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def group_members(group: int) -> list[int]:
    """The living processes of a process group (Linux; elsewhere the leader alone is looked at)."""
    if not Path("/proc/self").exists():
        return [group] if is_alive(group) else []
    members = []
    for pid in _pids():
        with contextlib.suppress(OSError):
            state, pgrp = _stat(pid)
            if pgrp == group and state not in "ZX":
                members.append(pid)
    return members


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> tuple[str, int]:
    """State letter and process group, from /proc/<pid>/stat (the name in it may hold spaces and brackets)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[2])


def command_line(pid: int) -> str:
    """The words a process was started with, joined by spaces; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def processes_saying(words: str) -> list[int]:
    """Living processes whose command line holds `words`, our own excepted."""
    if not Path("/proc/self").exists():
        return []
    return [pid for pid in _pids() if pid != os.getpid() and words in command_line(pid) and is_alive(pid)]


def wait_until(ready: Callable[[], bool], seconds: float, pause_s: float = 0.02) -> bool:
    """Ask again and again until the answer is yes; False when `seconds` are over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a loop of its own, also when the caller's thread has one running."""
    with ThreadPoolExecutor(max_workers=1) as aside:
        return aside.submit(asyncio.run, coroutine).result()


class Owned:
    """A process of ours: the leader of its own group, with its output in a file."""

    def __init__(self, owner: ProcessOwner, popen: subprocess.Popen[bytes], log: Path, log_from: int) -> None:
        self._owner = owner
        self._popen = popen
        self._log = log
        self._log_from = log_from

    def said(self, lines: int | None = None) -> str:
        """What it wrote since its start, or the last lines of that."""
        with self._log.open("rb") as log:
            log.seek(self._log_from)
            text = log.read().decode(errors="replace")
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    def signal(self, number: signals.Signals) -> None:
        """Signal the leader alone; nothing happens when it is gone."""
        self._popen.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether the leader ended within so many seconds."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_group(self) -> None:
        """SIGKILL to the whole group; returns when no member lives any more."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signals.SIGKILL)
        self.wait(10)
        wait_until(lambda: not group_members(self.pid), 10)
        self._owner.forget(self)

    def stop(self, number: signals.Signals, seconds: float) -> bool:
        """Ask the leader to end, then take the rest of the group; False when it had to be killed."""
        self.signal(number)
        willing = self.wait(seconds)
        self.kill_group()
        return willing


class ProcessOwner:
    """Starts processes and answers for their end. Thread-safe."""

    def __init__(
        self, *, inherited_by_guard: Sequence[int] = (), removed_by_guard: Sequence[Path] = ()
    ) -> None:
        """`inherited_by_guard`: file descriptors (a lock) that the guard holds until it has cleaned up after us;
        `removed_by_guard`: files that it deletes then."""
        self._forks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forks")
        self._talk = threading.Lock()
        read_end, write_end = os.pipe()
        guard = Path(__file__).with_name("guard.py")
        self._guard = subprocess.Popen(
            [sys.executable, "-S", "-E", str(guard), str(read_end), *map(str, removed_by_guard)],
            pass_fds=[read_end, *inherited_by_guard],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_end)
        self._pipe = write_end

    def spawn(
        self,
        argv: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: tuple[int, int] | None = None,
        cwd: Path | None = None,
        on_our_death: signals.Signals = signals.SIGKILL,
    ) -> Owned:
        """Start a process with its output appended to `log`.

        `user`: (uid, gid) to run as. `on_our_death`: what the kernel and the guard send it when we are gone.
        """
        return self._forks.submit(self._fork, argv, log, env, user, cwd, on_our_death).result()

    def _fork(
        self,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None,
        user: tuple[int, int] | None,
        cwd: Path | None,
        on_our_death: signals.Signals,
    ) -> Owned:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            log_from = output.tell()
            popen = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                process_group=0,
                preexec_fn=_die_with_parent(on_our_death),
                user=user[0] if user else None,
                group=user[1] if user else None,
                extra_groups=[] if user else None,
            )
        self._tell(f"+{popen.pid} {int(on_our_death)}\n")
        return Owned(self, popen, log, log_from)

    def forget(self, process: Owned) -> None:
        """The group is empty: the guard need not look for it (its number may be used again)."""
        self._tell(f"-{process.pid}\n")

    def _tell(self, line: str) -> None:
        with self._talk, contextlib.suppress(BrokenPipeError, OSError):
            os.write(self._pipe, line.encode())

    def close(self) -> None:
        """End the guard, which stops whatever is still there. Call when all parts are stopped."""
        with self._talk:
            os.close(self._pipe)
            self._pipe = -1
        self._guard.wait(30)
        self._forks.shutdown()

    def __enter__(self) -> ProcessOwner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _die_with_parent(number: signals.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def set_signal() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return set_signal
