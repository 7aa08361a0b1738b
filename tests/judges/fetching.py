"""Judges that are Python packages, each fetched into an environment of its own, and programs of ours in Go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FETCH_S = 600
GO_TOOLCHAIN, BUILD_S = "go1.27.3", 1200
GO_SOURCES = Path(__file__).with_name("go")


def python_program(directory: Path, package: str, program: str) -> Path:
    """Where the program of a pinned package lies. Raises CalledProcessError if it cannot be fetched."""
    venv = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=FETCH_S)
    pip = [str(venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", package]
    subprocess.run(pip, check=True, timeout=FETCH_S)
    return venv / "bin" / program


def go_programs(directory: Path) -> Path:
    """The folder of the programs of tests/judges/go, built with the modules its go.sum names. Raises CalledProcessError."""
    built = directory / "bin"
    built.mkdir()
    environment = {**os.environ, "GOTOOLCHAIN": GO_TOOLCHAIN, "GOFLAGS": "-modcacherw"}
    words = ["go", "build", "-o", f"{built}/", "./..."]
    subprocess.run(words, env=environment, cwd=GO_SOURCES, check=True, timeout=BUILD_S)
    return built
