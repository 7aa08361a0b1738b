"""Judges that are Python packages, each fetched into an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FETCH_S = 600


def python_program(directory: Path, package: str, program: str) -> Path:
    """Where the program of a pinned package lies. Raises CalledProcessError if it cannot be fetched."""
    venv = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=FETCH_S)
    pip = [str(venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", package]
    subprocess.run(pip, check=True, timeout=FETCH_S)
    return venv / "bin" / program
