"""Whatever an emitter sends can be read on: header names that are no UTF-8, and batches that would not fit into memory.

Kafka's protocol says that header names are strings, but no broker looks, and clients in C take any bytes. aiokafka 0.14
decodes them strictly: one such record raises UnicodeDecodeError out of every ``getmany``, for ever, and with it stops
every partition of that consumer. And it decompresses a batch whole, whatever comes of it (``decompressed.py``). In an inbox
anybody may have written either, and it must not stop the ones behind it.

:func:`read_any_batch` puts another reader of fetched bytes into aiokafka's fetcher, for the whole process. It reads as
fast as before; only a batch that fails is read once more, in Python, and such a name comes out with its bytes as ``\\xff``
escapes. A batch that may become larger than :data:`MAX_BATCH_BYTES` comes out as one record in the place of its last: its
value are the compressed bytes, the header ``batch_too_large`` says what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from goal_ledger_messaging.decompressed import may_exceed

MAX_BATCH_BYTES = 32 * 1024 * 1024
"""Decompressed: thirty times what an inbox takes of compressed ones, and what clients batch uncompressed."""

_FIRST_MAGIC_WITH_HEADERS = 2
_ATTRIBUTES_AT, _RECORDS_AT = 22, 61
_CODEC = 0x07


def read_any_batch() -> None:
    """Every consumer of this process reads such records from now on. Does nothing twice."""
    fetcher.MemoryRecords = _Records


class _Records(_MemoryRecordsPy):  # type: ignore[misc]
    """The batches of a fetched chunk."""

    def next_batch(self) -> Any:
        raw = self._next_slice
        batch = super().next_batch()
        if raw is None or raw[16] < _FIRST_MAGIC_WITH_HEADERS:
            return batch
        codec = raw[_ATTRIBUTES_AT] & _CODEC
        if codec and may_exceed(codec, bytes(raw[_RECORDS_AT:]), MAX_BATCH_BYTES):
            return _TooLarge(batch, raw)
        return _Batch(batch, raw)


class _TooLarge:
    """A batch that is not decompressed."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        yield SimpleNamespace(
            offset=self._batch.next_offset - 1,
            timestamp=self._batch.max_timestamp,
            timestamp_type=self._batch.timestamp_type,
            key=None,
            value=bytes(self._raw),
            headers=[("batch_too_large", b"over %d bytes, not decompressed" % MAX_BATCH_BYTES)],
            checksum=None,
        )


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
