"""Where the outside programs are: Java, Maven, PostgreSQL. Missing ones give one line that says what to install."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

JAVA_MAJOR = 17
REPOSITORY = Path(__file__).resolve().parents[3]


class ToolMissing(Exception):
    """One line: what was looked for, where, and what to install."""


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where downloaded jars are kept: $GOAL_LEDGER_CACHE, else .cache of the repository."""
    return Path(environ.get("GOAL_LEDGER_CACHE") or REPOSITORY / ".cache").resolve()


def find_java(environ: Mapping[str, str] = os.environ) -> Path:
    """A Java of at least version 17, from JAVA_HOME or PATH."""
    homes = [Path(environ["JAVA_HOME"]) / "bin" / "java"] if environ.get("JAVA_HOME") else []
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    found = [java for java in [*homes, *([Path(on_path)] if on_path else [])] if java.is_file()]
    for java in found:
        if _java_major(java) >= JAVA_MAJOR:
            return java
    seen = f"; found only {found[0]}, which is older" if found else ""
    raise ToolMissing(
        f"Java {JAVA_MAJOR} or newer (for Apache Kafka) was looked for in JAVA_HOME and PATH{seen}: "
        "install it (Debian, Ubuntu: apt-get install default-jdk-headless)."
    )


def _java_major(java: Path) -> int:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', said)
    return int(match.group(1)) if match else 0


def find_maven(environ: Mapping[str, str] = os.environ) -> Path:
    """Maven, which fetches the jars of Kafka."""
    found = shutil.which("mvn", path=environ.get("PATH", ""))
    if found is None:
        raise ToolMissing(
            "Maven (mvn, fetches the jars of Apache Kafka) was looked for in PATH: "
            "install it (Debian, Ubuntu: apt-get install maven)."
        )
    return Path(found)
