"""A stack with the demo organisation, for judges that need services that run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from goal_ledger_demo import organisation, seeding
from goal_ledger_local.stack import Stack


@contextmanager
def demo(settings: Mapping[str, str] | None = None) -> Iterator[tuple[Stack, str]]:
    """The stack, and a token of its admin. Raises PartFailed."""
    with tempfile.TemporaryDirectory(prefix="goal-ledger-judged-") as directory:
        Path(directory).chmod(0o755)
        with Stack(Path(directory), durable=False, say=lambda _: None, settings=settings) as stack:
            seeding.create_workspace(stack)
            seeding.seed(stack, seeding.start_day(stack.directory), lambda done, of: None)
            yield stack, stack.mint_token("kari", organisation.WORKSPACE)
