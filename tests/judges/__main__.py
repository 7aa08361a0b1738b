"""`make judges`: outside programs over what others build upon; each says what it found, none may find anything.

`ARGS=spectral` runs one of them. A judge is a function that takes a directory to work in and returns what was found;
programs are fetched there, in the versions named, and nowhere else. More judges are one file and one line each.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from judges import (
    asyncapi,
    go_programs,
    hadolint,
    openapi_spec_validator,
    pages,
    promtool,
    schemathesis,
    spectral,
    witness,
)

JUDGES: dict[str, Callable[[Path], list[str]]] = {
    "openapi-spec-validator": openapi_spec_validator.judge,
    "spectral": spectral.judge,
    "asyncapi": asyncapi.judge,
    "hadolint": hadolint.judge,
    "schemathesis": schemathesis.judge,
    "promtool": promtool.judge,
    "pages": pages.judge,
    "witness": witness.judge,
    "go": go_programs.judge,
}


def main(names: list[str]) -> int:
    """How many judges found something."""
    failed = 0
    for name in names or JUDGES:
        with tempfile.TemporaryDirectory(prefix=f"judge-{name}-") as directory:
            found = JUDGES[name](Path(directory))
        print(f"{name}: {'nothing found' if not found else f'{len(found)} findings'}", flush=True)
        for one in found:
            print(f"  {one}")
        failed += bool(found)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
