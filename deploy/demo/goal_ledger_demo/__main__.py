"""`make demo`: the whole stack without containers, the demo organisation, and where to look.

python -m goal_ledger_demo            stays up until Ctrl-C
python -m goal_ledger_demo --once     proves the path end to end and ends
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from goal_ledger_client import GoalLedger, Problem
from goal_ledger_local.processes import PartFailed
from goal_ledger_local.stack import Stack
from goal_ledger_local.tools import ToolMissing
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from goal_ledger_demo import organisation as org
from goal_ledger_demo import proof, seeding
from goal_ledger_demo.table import goals_table

console = Console()
TOPIC = f"progress.readings.{org.WORKSPACE}.{org.SYSTEM}"
DAY_SECONDS = 1.5


def main(
    once: Annotated[
        bool, typer.Option("--once", help="Prove the path end to end, stop everything, exit 0")
    ] = False,
    commands: Annotated[int, typer.Option(help="How many command processes", min=1, max=4)] = 1,
    directory: Annotated[Path | None, typer.Option(help="Where the data lives (default: .demo)")] = None,
) -> None:
    """Bring up Goal Ledger on this machine with the demo organisation."""
    began = time.monotonic()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop(stopped))
    try:
        with Stack(directory, commands=commands, say=console.print) as stack:
            start = _load(stack)
            console.print(f"Up after {time.monotonic() - began:.1f} s.")
            if once:
                _prove(stack, start)
            else:
                _show(stack, start, stopped)
    except (PartFailed, ToolMissing, Problem, proof.Unproven) as failed:
        console.print(f"[bold red]Failed:[/] {failed}", soft_wrap=True, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Stopped; everything is down, the data stays in .demo (make clean removes it).")


def _stop(stopped: threading.Event) -> None:
    if not stopped.is_set():
        stopped.set()
        raise KeyboardInterrupt


def _load(stack: Stack) -> date:
    start = seeding.start_day(stack.directory)
    seeding.create_workspace(stack)
    columns = (TextColumn("Loading the organisation"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task("")
        seeding.seed(stack, start, lambda done, of: progress.update(task, completed=done, total=of))
    stack.credentials.write_sign_ins(seeding.sign_ins(stack))
    feeds = [org.VISITORS, org.SALES]
    stack.publish(
        workspace=org.WORKSPACE, emitter={"topic": TOPIC, "feeds": feeds}, tokens=seeding.tokens(stack)
    )
    return start


def _spawn_emitter(stack: Stack, start: date, day_seconds: float) -> Any:
    argv = [sys.executable, "-m", "goal_ledger_demo.emitter", "--bootstrap", stack.describe()["kafka"]]
    argv += ["--topic", TOPIC, "--start", start.isoformat(), "--day-seconds", str(day_seconds)]
    return stack.spawn("emitter", argv)


def _prove(stack: Stack, start: date) -> None:
    _spawn_emitter(stack, start, 0.0)
    report = proof.prove(stack.describe(), start, lambda done: console.print(f"[green]✓[/] {done}"))
    proof.write(report, stack.directory / "report.json")
    console.print(_goals(stack))
    console.print(
        f"Proved in {report.seconds} s; written to {stack.directory / 'report.json'}", soft_wrap=True
    )


def _goals_now(stack: Stack) -> Any:
    """The table, or why there is none now: somebody may have killed a part, and will restart it."""
    try:
        return _goals(stack)
    except Problem as problem:
        return f"The goals cannot be shown now; everything else goes on. ({problem})"


def _goals(stack: Stack) -> Any:
    described = stack.describe()
    with GoalLedger(
        described["command_url"], described["query_url"], described["tokens"]["analyst"]
    ) as analyst:
        return goals_table(analyst.query("/v1/alignment"), console.width)


def _show(stack: Stack, start: date, stopped: threading.Event) -> None:
    emitter = _spawn_emitter(stack, start, DAY_SECONDS)
    if console.is_terminal:
        with Live(_goals_now(stack), console=console, refresh_per_second=4) as live:
            while emitter.returncode is None and not stopped.is_set():
                live.update(_goals_now(stack))
                time.sleep(0.5)
    else:
        while emitter.returncode is None and not stopped.is_set():
            time.sleep(0.2)
        console.print(_goals_now(stack))
    _tell_where_to_look(stack)
    stopped.wait()


def _tell_where_to_look(stack: Stack) -> None:
    of = stack.describe()
    file = stack.file
    commands = [name for name in stack.services if name.startswith("command")]
    lines = [
        f"OPEN     {of['pages_url']}    (one click signs you in)",
        "",
        *(f"{name:<8} {stack.services[name].urls[0]}/openapi.json" for name in commands),
        f"query    {of['query_url']}/openapi.json",
        f"Kafka    {of['kafka']}",
        f"logs     {stack.logs}",
        f"all of it, with tokens by role: {file}",
        "",
        "Try:",
        f"  T=$(python3 -c \"import json; print(json.load(open('{file}'))['tokens']['analyst'])\")",
        f"  curl -s -H \"Authorization: Bearer $T\" '{of['query_url']}/v1/objectives/web-shop'",
        f"  curl -s -H \"Authorization: Bearer $T\" '{of['query_url']}/v1/alignment?root=recommended'",
        f"  curl -s -H \"Authorization: Bearer $T\" '{of['query_url']}/v1/key-results/first-month/progress'",
        f"  curl -s -H \"Authorization: Bearer $T\" '{of['query_url']}/v1/facts?stream=objective/web-shop'",
        "",
        "Ctrl-C stops everything; `make demo` goes on from the same data.",
    ]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


if __name__ == "__main__":
    typer.run(main)
