"""Time zones: one rule for every process, the pinned release of the package ``tzdata``.

The machine's own files and ``PYTHONTZPATH`` are never read: they are of another release on each machine, and a score
stored at a closing must be the one that any other process finds for that instant, years later too.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every IANA name of the release, links of earlier names included."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name, such as ``Europe/Oslo``. Raises ZoneInfoNotFoundError (a KeyError)."""
    if name not in names():
        raise ZoneInfoNotFoundError(f"not an IANA time zone: {name[:40]!r}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
