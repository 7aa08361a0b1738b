"""Spectral's own rules for OpenAPI (`spectral:oas`) as it recommends them, and two more; warnings and hints count."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from judges.documents import documents

PACKAGE = "@stoplight/spectral-cli@6.15.0"
TIMEOUT_S = 600
RULES = """
extends: ["spectral:oas"]
rules:
  oas3-parameter-description: warn
  openapi-tags-alphabetical: warn
"""


def judge(directory: Path) -> list[str]:
    """What it finds, by service. Raises CalledProcessError if npm cannot fetch it."""
    fetched = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(directory), PACKAGE]
    subprocess.run(fetched, check=True, timeout=TIMEOUT_S)
    rules = directory / "rules.yaml"
    rules.write_text(RULES)
    return [
        f"{service} {one}"
        for service, document in documents().items()
        for one in _found(directory, rules, service, document)
    ]


def _found(directory: Path, rules: Path, service: str, document: dict[str, Any]) -> list[str]:
    written = directory / f"{service}.json"
    written.write_text(json.dumps(document))
    program = [str(directory / "node_modules" / ".bin" / "spectral"), "lint", "--ruleset", str(rules)]
    asked = [*program, "--format", "json", "--quiet", "--fail-severity", "hint", str(written)]
    ran = subprocess.run(asked, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    found = json.loads(ran.stdout[ran.stdout.index("[") :])
    return [f"{'/'.join(map(str, one['path']))}: {one['code']}: {one['message']}" for one in found]
