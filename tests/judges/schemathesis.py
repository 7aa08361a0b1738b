"""schemathesis against both running services: what the documents describe is understood, and answers are as described.

Positive data may still be refused by the rules of the domain (409, 410, 412, 422) or name what is not there (404);
it is never malformed (400) to a service that described it, and no
answer is an error of ours (503 is for a position that the read side has not passed).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from judges.fetching import python_program
from judges.running import demo

PACKAGE = "schemathesis==4.32.5"
CHECKS = "not_a_server_error,positive_data_acceptance,content_type_conformance,response_schema_conformance"
EXAMPLES, SEED, TIMEOUT_S = "5", "20", 1800
SETTINGS = """\
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 304, 403, 404, 409, 410, 412, 422, 503]
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503]
"""


def judge(directory: Path) -> list[str]:
    """What it finds, by service. Raises CalledProcessError if it cannot be fetched."""
    program = python_program(directory, PACKAGE, "schemathesis")
    (directory / "schemathesis.toml").write_text(SETTINGS)
    with demo() as (stack, token):
        return [
            f"{service} {one}"
            for service in ("query", "command")
            for one in _found(program, directory, stack.services[service].urls[0], token)
        ]


def _found(program: Path, directory: Path, url: str, token: str) -> list[str]:
    asked = [str(program), "run", f"{url}/openapi.json", "--mode", "positive", "--checks", CHECKS]
    bounded = ["--max-examples", EXAMPLES, "--seed", SEED, "--phases", "coverage,fuzzing", "--no-color"]
    bounded += ["--continue-on-failure", "--request-timeout", "30", "-H", f"Authorization: Bearer {token}"]
    ran = subprocess.run(
        [*asked, *bounded], cwd=directory, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if ran.returncode == 0:
        return []
    told = ran.stdout.partition("FAILURES")[2] or ran.stdout + ran.stderr
    return [
        line for line in told.splitlines() if re.search(r"^(_+ |- |\[)|curl ", line)
    ] or told.splitlines()[-20:]
