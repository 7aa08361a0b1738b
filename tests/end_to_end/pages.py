"""Pages of the documentation run as they are written: `$` begins a command, `>` continues it, `…` stands for anything."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from goal_ledger_local.stack import Stack

ROOT = Path(__file__).parents[2]
MARK = "== end of step =="
Steps = list[tuple[str, list[str]]]


def steps(page: str) -> Steps:
    """(command, expected lines) in order, over all console blocks of a page."""
    found: Steps = []
    for block in re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.startswith("> "):
                command, expected = found[-1]
                found[-1] = (f"{command}\n{line[2:]}", expected)
            else:
                found[-1][1].append(line)
    return found


def prelude() -> Steps:
    """The README's first two steps, that every page goes on from: addresses and tokens, and `pick`."""
    return [(command, []) for command, _ in steps("README.md")[:2]]


def must_be_as_written(written: Steps, stack: Stack) -> None:
    """Run the steps in one shell; what each prints is what stands beneath it."""
    script = "".join(f"{command}\necho; echo {shlex.quote(MARK)}\n" for command, _ in written)
    script = script.replace("goal_ledger_local env", f"goal_ledger_local env --dir {stack.directory}")
    python = Path(sys.executable)
    script = script.replace(".venv/bin/python", str(python))
    script = f'export PATH="{python.parent}:$PATH" COLUMNS=160\n{script}'
    ran = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=120, check=False)
    told = ran.stdout.split(f"\n{MARK}\n")
    assert len(told) == len(written) + 1, ran.stderr
    for (command, expected), answer in zip(written, told, strict=False):
        assert _matches(expected, answer), f"$ {command}\n{answer}\n{ran.stderr}"


def _matches(expected: list[str], told: str) -> bool:
    pattern = "\n".join(re.escape(line).replace("…", ".*") for line in expected)
    return re.fullmatch(pattern, told.strip("\n")) is not None
