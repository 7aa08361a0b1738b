"""`make bench`: every benchmark on a stack of its own, each beside its comparison, and one table at the end.

make bench                                   all of them: about 15 minutes
make bench ARGS="check-ins latency"          these alone
make bench ARGS="--quick --json out.json"    small sizes: that it runs, not how fast
make bench ARGS="verify --large"             one log of 5 million facts (4 GB in the temporary directory)
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import machine
from benchmarks.ground import Ground
from benchmarks.results import Figure, table_of
from benchmarks.rows import ROWS


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(ROWS)}")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: that it runs, not how fast")] = False,
    large: Annotated[bool, typer.Option("--large", help="Of verify: 5 million facts, once")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too")] = None,
) -> None:
    """The benchmarks. Everything runs on 127.0.0.1, in bounded time, and nothing is left behind."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    unknown = set(names or ()) - set(ROWS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: known are {', '.join(ROWS)}")
    console = Console(width=None if sys.stdout.isatty() else 200)
    about = machine.describe()
    _show_machine(console, about)
    figures, failed = _measure(names or list(ROWS), quick, large, console)
    console.print(table_of(figures))
    _show_machine(console, about)
    if json_file is not None:
        document = {"machine": about, "quick": quick, "figures": [one.document() for one in figures]}
        json_file.write_text(json.dumps(document | {"failed": failed}, indent=2) + "\n")
    for one in failed:
        console.print(f"FAILED {one}", style="red", markup=False)
    sys.exit(1 if failed else 0)


def _measure(names: list[str], quick: bool, large: bool, console: Console) -> tuple[list[Figure], list[str]]:
    figures: list[Figure] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="goal-ledger-bench-") as directory:
        Path(directory).chmod(0o755)
        ground = Ground(Path(directory), quick, lambda said: console.print(said, markup=False), large)
        try:
            for name in names:
                began = time.monotonic()
                try:
                    found = ROWS[name](ground)
                except Exception as wrong:
                    failed.append(f"{name}: {wrong!r}")
                    console.print_exception(max_frames=4)
                    continue
                figures += found
                for one in found:
                    console.print(f"  {_line(one)}", markup=False)
                console.print(f"{name}: {time.monotonic() - began:.0f} s", markup=False)
        finally:
            ground.close()
    return figures, failed


def _line(one: Figure) -> str:
    beside = f" beside {one.beside:,.1f}, ratio {one.ratio:.2f}" if one.beside else ""
    return f"{one.what}: {one.ours:,.1f} {one.unit}{beside} {one.note}"


def _show_machine(console: Console, about: dict[str, str]) -> None:
    for name, value in about.items():
        console.print(f"{name:12} {value}", markup=False, highlight=False)
    noisy = machine.noise()
    if noisy:
        console.print(noisy, style="yellow")


if __name__ == "__main__":
    typer.run(main)
