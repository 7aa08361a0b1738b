"""Libraries of transparency logs in Go that know nothing of ours, over our log and our tree. Needs Go."""

from __future__ import annotations

from pathlib import Path

from judges import fetching, go_reader, go_trees


def judge(directory: Path) -> list[str]:
    """What they found. Raises CalledProcessError if the programs cannot be built."""
    programs = fetching.go_programs(directory)
    return go_trees.judge(programs / "trees") + go_reader.judge(programs / "reader", directory)
