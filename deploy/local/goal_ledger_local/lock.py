"""One stack per data directory at a time.

The lock is the kernel's (flock), so it never outlives its holders: the supervisor, and the guard, which keeps it
after a `kill -9` just until the last process is gone. A start in that moment waits for the guard.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from goal_ledger_local.processes import PartFailed, is_alive, wait_until

GUARD_CLEANS_WITHIN_S = 30.0


class DirectoryLock:
    """The lock on a data directory; `descriptor` may be inherited by the guard."""

    def __init__(self, file: Path) -> None:
        """Raises PartFailed, naming the holder, when a living stack has it."""
        self.descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        self._file = file
        if not self._take() and (self._holder_lives() or not wait_until(self._take, GUARD_CLEANS_WITHIN_S)):
            os.close(self.descriptor)
            raise PartFailed(
                f"a stack is already running with its data in {file.parent} "
                f"(process {self._holder()}): stop it first, or name another directory"
            )
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self.descriptor)

    def _take(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> str:
        return self._file.read_text().strip() or "not yet named"

    def _holder_lives(self) -> bool:
        holder = self._holder()
        return not holder.isdigit() or is_alive(int(holder))
