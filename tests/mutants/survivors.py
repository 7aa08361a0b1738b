"""The survivors that are known, each with its reason: `survivors.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

LISTED = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test kills. ``equal``: nobody could tell it from the original, so no test can."""

    function: str
    was: str
    becomes: str
    equal: bool
    why: str


def listed() -> dict[tuple[str, str, str], Survivor]:
    """By function, what stood there, and what became of it. Raises TypeError for a malformed entry."""
    entries = [Survivor(**one) for one in tomllib.loads(LISTED.read_text()).get("survivor", [])]
    return {(one.function, one.was, one.becomes): one for one in entries}


def function_of(mutant: str) -> str:
    """``goal_ledger_x.module.function`` or ``….Class.method`` of mutmut's name for a mutant."""
    module, _, mangled = mutant.partition("__mutmut_")[0].rpartition(".")
    return f"{module}.{mangled.removeprefix('xǁ').removeprefix('x_').replace('ǁ', '.')}"
