"""Records whose header names are not UTF-8 can be read too.

Kafka's protocol says that header names are strings, but no broker looks, and clients in C take any bytes. aiokafka 0.14
decodes them strictly: one such record raises UnicodeDecodeError out of every ``getmany``, for ever, and with it stops
every partition of that consumer. In an inbox anybody may have written it, and it must not stop the ones behind it.

:func:`tolerate_any_header_name` puts another reader of fetched bytes into aiokafka's fetcher, for the whole process. It
reads as fast as before; only a batch that fails is read once more, in Python, and such a name comes out with its bytes
as ``\\xff`` escapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_FIRST_MAGIC_WITH_HEADERS = 2


def tolerate_any_header_name() -> None:
    """Every consumer of this process reads such records from now on. Does nothing twice."""
    fetcher.MemoryRecords = _Records


class _Records(_MemoryRecordsPy):  # type: ignore[misc]
    """The batches of a fetched chunk."""

    def next_batch(self) -> Any:
        raw = self._next_slice
        batch = super().next_batch()
        return batch if raw is None or raw[16] < _FIRST_MAGIC_WITH_HEADERS else _Batch(batch, raw)


class _Batch:
    """A batch as aiokafka reads it, and once more when it cannot."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                read += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(_TolerantBatch(self._raw), read, None)


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _maybe_uncompress(self) -> None:
        was_done = self._decompressed
        super()._maybe_uncompress()
        if not was_done:
            self._buffer: Any = _TolerantBytes(self._buffer)


class _TolerantBytes(bytearray):
    """Slices decode whatever they hold: the only thing that the reader decodes is header names."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _TolerantBytes(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
