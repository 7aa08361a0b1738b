"""The four forms of an export: each takes record batches and writes bytes, the same for the same rows.

Rows come in pages whose size nobody promises, so what a file's inner borders depend on (row groups, batches) is counted
here, in rows and bytes of the rows themselves.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from goal_ledger_contracts.canonical import decimal_text

from goal_ledger_projection.exports.pyarrow_later import pa, pa_ipc, pc, pq

SLICE_ROWS = 1000
"""What is counted at a time."""
GROUP_ROWS, GROUP_BYTES = 100_000, 16_000_000
"""Of a row group of Parquet, whichever comes first: so much waits in memory."""
BATCH_ROWS, BATCH_BYTES = 10_000, 4_000_000
"""Of a batch of an Arrow stream."""
FIXED_BYTES = 8
DIGEST_KEY, ROWS_KEY = "goal-ledger.digest", "goal-ledger.rows"


class Outflow:
    """What was written and not yet sent, and the SHA-256 of all that was written. As a file: it cannot be read."""

    closed = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._digest = hashlib.sha256()
        self.waiting_bytes = 0
        self._written = 0

    def write(self, some: Any) -> int:
        raw = bytes(some)
        self._waiting.append(raw)
        self._digest.update(raw)
        self.waiting_bytes += len(raw)
        self._written += len(raw)
        return len(raw)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._waiting)
        self._waiting.clear()
        self.waiting_bytes = 0
        return taken

    @property
    def digest(self) -> bytes:
        """Of everything so far."""
        return self._digest.copy().digest()


def digest_text(digest: bytes) -> str:
    """As in a file's metadata."""
    return f"sha-256:{digest.hex()}"


def digest_header(digest: bytes) -> str:
    """As RFC 9530 writes it in `Repr-Digest`."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


class FileWriter(Protocol):
    def write(self, table: pa.Table) -> None: ...

    def finish(self) -> None: ...


class _Gathered:
    """Rows collected until there are enough of them; the borders depend on the rows alone."""

    def __init__(self, schema: pa.Schema, rows: int, size: int) -> None:
        self._schema, self._rows, self._size = schema, rows, size
        self._loose: list[pa.Table] = []
        self._whole: list[pa.Table] = []
        self._loose_rows = self._whole_rows = self._whole_bytes = 0
        self.seen = 0

    def add(self, table: pa.Table) -> Iterator[pa.Table]:
        """The groups that are full by these."""
        self.seen += table.num_rows
        self._loose.append(table)
        self._loose_rows += table.num_rows
        if self._loose_rows < SLICE_ROWS:
            return
        loose = pa.concat_tables(self._loose)
        at = 0
        while loose.num_rows - at >= SLICE_ROWS:
            yield from self._count(loose.slice(at, SLICE_ROWS))
            at += SLICE_ROWS
        rest = loose.slice(at)
        self._loose, self._loose_rows = [rest], rest.num_rows

    def _count(self, part: pa.Table) -> Iterator[pa.Table]:
        self._whole.append(part)
        self._whole_rows += part.num_rows
        self._whole_bytes += _bytes_of(part)
        if self._whole_rows >= self._rows or self._whole_bytes >= self._size:
            yield self._taken([])

    def rest(self) -> pa.Table | None:
        """What is left at the end."""
        loose = [one for one in self._loose if one.num_rows]
        return self._taken(loose) if self._whole or loose else None

    def _taken(self, more: list[pa.Table]) -> pa.Table:
        group: pa.Table = pa.concat_tables([*self._whole, *more]).combine_chunks()
        self._whole.clear()
        self._whole_rows = self._whole_bytes = 0
        return group


def _bytes_of(table: pa.Table) -> int:
    """The size of its rows, wherever they were cut from."""
    texts = [one for one in table.columns if pa.types.is_string(one.type)]
    held: int = sum(pc.sum(pc.binary_length(one)).as_py() or 0 for one in texts)
    return held + FIXED_BYTES * int(table.num_columns * table.num_rows)


class ParquetFile:
    """Zstandard, row groups of up to 100,000 rows. The digest in the footer is of all bytes before the footer."""

    def __init__(self, schema: pa.Schema, out: Outflow) -> None:
        self._out = out
        self._groups = _Gathered(schema, GROUP_ROWS, GROUP_BYTES)
        self._file = pq.ParquetWriter(out, schema, compression="zstd", version="2.6")

    def write(self, table: pa.Table) -> None:
        for group in self._groups.add(table):
            self._file.write_table(group, row_group_size=group.num_rows)

    def finish(self) -> None:
        rest = self._groups.rest()
        if rest is not None:
            self._file.write_table(rest, row_group_size=rest.num_rows)
        said = {ROWS_KEY: str(self._groups.seen), DIGEST_KEY: digest_text(self._out.digest)}
        self._file.add_key_value_metadata(said)
        self._file.close()


class ArrowStream:
    """Arrow's IPC stream. Rows and digest are metadata of a last batch without rows; the digest is of all bytes before it."""

    def __init__(self, schema: pa.Schema, out: Outflow) -> None:
        self._out, self._schema = out, schema
        self._groups = _Gathered(schema, BATCH_ROWS, BATCH_BYTES)
        self._stream = pa_ipc.new_stream(out, schema)

    def write(self, table: pa.Table) -> None:
        for group in self._groups.add(table):
            self._stream.write_table(group)

    def finish(self) -> None:
        rest = self._groups.rest()
        if rest is not None:
            self._stream.write_table(rest)
        said = {ROWS_KEY: str(self._groups.seen), DIGEST_KEY: digest_text(self._out.digest)}
        empty = pa.RecordBatch.from_pylist([], schema=self._schema)
        self._stream.write_batch(empty, custom_metadata=said)
        self._stream.close()


class CsvText:
    """RFC 4180 with a heading. Text stands in quotes, so that null (nothing) and an empty text are two things; decimals
    have all their places, instants are RFC 3339."""

    def __init__(self, schema: pa.Schema, out: Outflow) -> None:
        self._out = out
        out.write((",".join(schema.names) + "\r\n").encode())

    def write(self, table: pa.Table) -> None:
        if table.num_rows:
            cells = [pc.fill_null(_cells(one.combine_chunks()), "") for one in table.columns]
            lines = pc.binary_join_element_wise(*cells, ",").to_pylist()
            self._out.write("".join([f"{line}\r\n" for line in lines]).encode())

    def finish(self) -> None:
        """Nothing follows the last row."""


class JsonLines:
    """A row on each line, its members in the order of the schema. Decimals are text, as in answers; null is null."""

    def __init__(self, schema: pa.Schema, out: Outflow) -> None:
        self._names, self._out = schema.names, out

    def write(self, table: pa.Table) -> None:
        columns = [_members(one) for one in table.columns]
        names = self._names
        lines = [
            orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            for row in zip(*columns, strict=True)
        ]
        self._out.write(b"".join(lines))

    def finish(self) -> None:
        """Nothing follows the last row."""


def _all_places(number: Any) -> str:
    return f"{number:f}"


def _cells(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        return _texts(column, _all_places)
    return pc.binary_join_element_wise('"', pc.replace_substring(column, '"', '""'), '"', "")


def _texts(column: pa.Array, written: Callable[[Any], str]) -> pa.Array:
    """A column as text. Decimals are not left to Arrow, which writes 0.000000000001 as 1E-12."""
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_decimal(column.type):
        known: dict[Any, str] = {}
        texts = [
            None if one is None else known.get(one) or known.setdefault(one, written(one))
            for one in column.to_pylist()
        ]
        return pa.array(texts, pa.string())
    return column.cast(pa.string())


def _members(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_int64(column.type) or pa.types.is_boolean(column.type):
        members: list[Any] = column.to_pylist()
        return members
    return list(_texts(column, decimal_text).to_pylist())


@dataclass(frozen=True, slots=True)
class FileForm:
    """`word`: in `format=` and at the end of a file's name."""

    word: str
    media_type: str
    writer: Callable[[pa.Schema, Outflow], FileWriter]


FORMS = {
    "parquet": FileForm("parquet", "application/vnd.apache.parquet", ParquetFile),
    "arrow": FileForm("arrow", "application/vnd.apache.arrow.stream", ArrowStream),
    "csv": FileForm("csv", "text/csv; charset=utf-8; header=present", CsvText),
    "jsonl": FileForm("jsonl", "application/jsonl", JsonLines),
}
