"""The machine that the figures are of, and whether it was quiet."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

QUIET_LOAD_PER_CORE = 0.5
LIBRARIES = ("uvicorn", "uvloop", "httptools", "fastapi", "pydantic", "asyncpg", "aiokafka")


def describe() -> dict[str, str]:
    """Cores, memory, versions, load before the first benchmark, commit and date."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _said("git", "rev-parse", "--short", "HEAD"),
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def noise() -> str | None:
    """A warning when others use the machine: the ratios then hold better than the figures."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= QUIET_LOAD_PER_CORE * cores:
        return None
    return f"The machine is not quiet: load {load:.1f} on {cores} cores. Trust the ratios, not the figures."


def cpu_s(pid: int) -> float:
    """Processor time that a process and its living children have used until now."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if pid in (int(entry.name), int(fields[1])):
                    ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def most_mb() -> float:
    """The most resident memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def _said(*words: str) -> str:
    ran = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return ran.stdout.strip() or "unknown"
