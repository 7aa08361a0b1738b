"""The README's tour is run as it is written, against the demo organisation; `…` stands for anything."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from goal_ledger_demo import organisation, seeding
from goal_ledger_demo.__main__ import TOPIC
from goal_ledger_demo.emitter import emit
from goal_ledger_demo.proof import prove
from goal_ledger_local.stack import Stack

README = (Path(__file__).parents[2] / "README.md").read_text()
MARK = "== end of step =="


def steps() -> list[tuple[str, list[str]]]:
    """(command, expected lines) in order, over all console blocks."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.startswith("> "):
                command, expected = found[-1]
                found[-1] = (f"{command}\n{line[2:]}", expected)
            else:
                found[-1][1].append(line)
    return found


def matches(expected: list[str], told: str) -> bool:
    pattern = "\n".join(re.escape(line).replace("…", ".*") for line in expected)
    return re.fullmatch(pattern, told.strip("\n")) is not None


@pytest.fixture(scope="module")
async def demo(running_stack: Stack) -> Stack:
    start = seeding.start_day(running_stack.directory)
    seeding.create_workspace(running_stack)
    seeding.seed(running_stack, start, lambda done, of: None)
    running_stack.publish(
        workspace=organisation.WORKSPACE,
        emitter={"topic": TOPIC, "feeds": [organisation.VISITORS, organisation.SALES]},
        tokens=seeding.tokens(running_stack),
    )
    await emit(running_stack.describe()["kafka"], TOPIC, start, 0.0)
    return running_stack


def test_the_demo_is_proven_and_the_tour_of_the_readme_says_what_happens(demo: Stack) -> None:
    proved = prove(demo.describe(), seeding.start_day(demo.directory), print)
    assert proved.roots_agree

    written = steps()
    script = "".join(f"{command}\necho; echo {shlex.quote(MARK)}\n" for command, _ in written)
    script = script.replace("goal_ledger_local env", f"goal_ledger_local env --dir {demo.directory}")
    script = script.replace(".venv/bin/python", str(Path(sys.executable)))
    ran = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=120, check=False)
    told = ran.stdout.split(f"\n{MARK}\n")
    assert len(written) > 10
    for (command, expected), answer in zip(written, told, strict=False):
        assert matches(expected, answer), f"$ {command}\n{answer}\n{ran.stderr}"
