"""See to Java, Maven, the jars of Kafka and PostgreSQL; as root on Debian install the packages that are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import TypeVar

from goal_ledger_local.kafka_jars import kafka_jars
from goal_ledger_local.postgres_binaries import find_binaries
from goal_ledger_local.tools import ToolMissing, find_java, find_maven

T = TypeVar("T")


def see_to_tools(*, install: bool) -> Iterator[str]:
    """Find each tool, installing it when allowed and able; says what was installed.

    Raises:
        ToolMissing: one line for the first that is missing.
    """
    steps: list[tuple[Callable[[], object], list[str]]] = [
        (find_java, ["default-jdk-headless"]),
        (find_maven, ["maven"]),
        (kafka_jars, []),
        (lambda: find_binaries(install=install), ["postgresql"]),
    ]
    for find, packages in steps:
        try:
            find()
        except ToolMissing:
            if not (install and packages and _may_install()):
                raise
            yield f"installing {' '.join(packages)}"
            _install(packages)
            find()


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        ran = subprocess.run(
            ["apt-get", "-q", *words], env=environment, capture_output=True, text=True, check=False
        )
        if ran.returncode != 0:
            raise ToolMissing(f"apt-get {' '.join(words)} failed: {' '.join(ran.stderr.split())[-300:]}")
