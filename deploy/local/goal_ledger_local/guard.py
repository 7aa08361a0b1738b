"""Stops what is left when its owner has ended; see `processes.py` for why.

Run as a file, without site-packages, so that it is small and cannot fail on an import:
`python guard.py <pipe descriptor> [files to remove]`. Lines on the pipe: `+<group> <signal>`, `-<group>`.
"""

import contextlib
import os
import signal
import sys
import time

POLITE_S = 10.0
QUIT_S = 5.0


def living(group: int) -> bool:
    """Whether a process group has a member that is no zombie."""
    try:
        entries = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    for name in entries:
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as stat:  # noqa: PTH123
            fields = stat.read().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                return True
    return False


def send(groups: list[int], number: int) -> None:
    """Signal groups; those gone are no trouble."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def left(groups: list[int], seconds: float) -> list[int]:
    """The groups that still live after at most so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        groups = [group for group in groups if living(group)]
        if not groups or time.monotonic() > deadline:
            return groups
        time.sleep(0.05)


def watch(pipe: int) -> dict[int, int]:
    """Read until the owner is gone: the groups it left, each with the signal to begin with."""
    groups: dict[int, int] = {}
    with os.fdopen(pipe) as lines:
        for line in lines:
            if line.startswith("+"):
                group, number = line[1:].split()
                groups[int(group)] = int(number)
            else:
                groups.pop(int(line[1:]), None)
    return groups


def main() -> None:
    """Wait for the owner's end, then clean up after it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups = watch(int(sys.argv[1]))
    for path in sys.argv[2:]:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108
    for group, number in groups.items():
        send([group], number)
    remaining = left(list(groups), POLITE_S)
    send(remaining, signal.SIGQUIT)
    remaining = left(remaining, QUIT_S)
    send(remaining, signal.SIGKILL)
    left(remaining, QUIT_S)


if __name__ == "__main__":
    main()
