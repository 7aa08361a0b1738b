"""The log as an auditor has it: JSON Lines as ``/v1/log`` serves them, or a folder of C2SP ``tlog-tiles``; gzip or plain."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO

from goal_ledger_verifier.findings import Finding
from goal_ledger_verifier.tree import BLOCK, TILE

GZIP = b"\x1f\x8b\x08"
"""No entry bundle begins so: its third byte is the brace of the first fact."""
MAX_LINE_BYTES = 1 << 20
"""A longer line is no fact; it is read in pieces, each of which is found to be none."""


class CannotRead(Exception):
    """There is no log here, or it cannot be read; the message says why."""


class JsonLines:
    """One fact's bytes per line."""

    checkpoint: bytes | None = None

    def __init__(self, path: Path) -> None:
        self.place, self._path = str(path), path
        self.findings: list[Finding] = []

    def facts(self, read_bytes: Callable[[int], None]) -> Iterator[bytes]:
        """In order. ``read_bytes`` is told how many bytes of the file have been read. Raises :class:`CannotRead`."""
        try:
            with self._path.open("rb") as file:
                lines = _unzipped(file)
                for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE_BYTES), b"")):
                    if number % BLOCK == 0:
                        read_bytes(file.tell())
                    yield line.removesuffix(b"\n")
        except (OSError, EOFError) as wrong:
            raise CannotRead(f"{self._path}: {wrong}") from wrong

    @property
    def bytes(self) -> int:
        """For the progress."""
        return self._path.stat().st_size


def _unzipped(file: BinaryIO) -> BinaryIO:
    begins = file.read(3)
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if begins == GZIP else file  # type: ignore[return-value]


class TileFolder:
    """``checkpoint``, ``tile/entries/…`` and ``tile/<level>/…`` as they were downloaded; of a partial bundle the widest."""

    def __init__(self, path: Path) -> None:
        self.place, self._path = str(path), path
        self.findings: list[Finding] = []
        head = path / "checkpoint"
        self.checkpoint = head.read_bytes() if head.is_file() else None

    def facts(self, read_bytes: Callable[[int], None]) -> Iterator[bytes]:
        """In order, up to the first bundle that is missing, partial or broken. Raises :class:`CannotRead`."""
        done = 0
        for number in count():
            found = self._widest("entries", number)
            if found is None or (entries := self._entries(*found, number)) is None:
                break
            done += found[0].stat().st_size
            read_bytes(done)
            yield from entries
            if found[1] < TILE:
                number += 1
                break
        if self._widest("entries", number + 1) or self._widest("entries", number):
            detail = f"tile/entries/{number_path(number)} and what follows was not read"
            self.findings.append(Finding("bundle_missing", detail, self.place, seq=number * TILE + 1))

    def tile(self, level: int, number: int) -> tuple[str, bytes] | None:
        """The widest tile of hashes that is there, and its name."""
        found = self._widest(str(level), number)
        return None if found is None else (str(found[0].relative_to(self._path)), self._content(found[0]))

    def _entries(self, path: Path, width: int, number: int) -> Sequence[bytes] | None:
        content, found, at = self._content(path), [], 0
        while at < len(content):
            end = at + 2 + int.from_bytes(content[at : at + 2])
            found.append(content[at + 2 : end])
            at = end
        if at == len(content) and len(found) == width:
            return found
        detail = f"{len(found)} entries, of which the last ends {at - len(content)} bytes too late; {width} were due"
        self.findings.append(
            Finding("bundle_broken", detail, str(path.relative_to(self._path)), seq=number * TILE + 1)
        )
        return None

    def _content(self, path: Path) -> bytes:
        try:
            content = path.read_bytes()
            return gzip.decompress(content) if content.startswith(GZIP) else content
        except (OSError, EOFError) as wrong:
            raise CannotRead(f"{path}: {wrong}") from wrong

    def _widest(self, kind: str, number: int) -> tuple[Path, int] | None:
        whole = self._path / "tile" / kind / number_path(number)
        if whole.is_file():
            return whole, TILE
        widths = [int(one.name) for one in whole.with_name(f"{whole.name}.p").glob("*") if one.name.isdigit()]
        return (whole.with_name(f"{whole.name}.p") / str(max(widths)), max(widths)) if widths else None

    @property
    def bytes(self) -> int:
        """For the progress."""
        entries = self._path / "tile" / "entries"
        return sum(one.stat().st_size for one in entries.rglob("*") if one.is_file())


def number_path(number: int) -> str:
    """In elements of three digits, all but the last with an ``x``: 1234067 is ``x001/x234/067``."""
    written = f"{number % 1000:03d}"
    while number := number // 1000:
        written = f"x{number % 1000:03d}/{written}"
    return written


@dataclass(frozen=True, slots=True)
class FactLines:
    """Some facts of a log, in memory."""

    place: str
    lines: Sequence[bytes]

    def facts(self, read_bytes: Callable[[int], None]) -> Iterator[bytes]:
        """In order."""
        yield from self.lines


LogFiles = JsonLines | TileFolder


def log_at(path: Path) -> LogFiles:
    """Raises :class:`CannotRead`."""
    if (path / "tile" / "entries").is_dir():
        return TileFolder(path)
    if path.is_file():
        return JsonLines(path)
    if not path.exists():
        raise CannotRead(f"{path}: there is no such file or folder")
    raise CannotRead(f"{path}: neither JSON Lines nor a folder with tile/entries")


def blocks(facts: Iterator[bytes]) -> Iterator[list[bytes]]:
    """So many facts at once as one block of the tree has; the last may have fewer."""
    while block := list(islice(facts, BLOCK)):
        yield block
