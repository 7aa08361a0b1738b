"""Datasets as Arrow: what each kind of column is, and record batches made from rows or from PostgreSQL's CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from goal_ledger_projection.exports.pyarrow_later import pa, pa_csv
from goal_ledger_projection.exports.schemas import ColumnKind, Dataset


@cache
def _types() -> Mapping[ColumnKind, pa.DataType]:
    """These pass everywhere, statistics included: a UUID or a nanosecond would make a file unreadable in Spark, and a
    decimal of more than 38 digits a double in DuckDB."""
    return {
        ColumnKind.TEXT: pa.string(),
        ColumnKind.JSON: pa.string(),
        ColumnKind.VALUE: pa.decimal128(24, 6),
        ColumnKind.SCORE: pa.decimal128(18, 12),
        ColumnKind.RAW: pa.decimal128(38, 12),
        ColumnKind.INSTANT: pa.timestamp("us", "UTC"),
        ColumnKind.DATE: pa.date32(),
        ColumnKind.WHOLE: pa.int64(),
        ColumnKind.YES_NO: pa.bool_(),
    }


def arrow_schema(dataset: Dataset, metadata: Mapping[str, str] | None = None) -> pa.Schema:
    """The dataset's fields, in order; what a file says of itself beside them."""
    fields = [pa.field(one.name, _types()[one.kind], nullable=not one.needed) for one in dataset.columns]
    return pa.schema(fields, dict(metadata) if metadata else None)


def batch_of_rows(dataset: Dataset, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Rows whose members stand in the order of the dataset's columns."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in dataset.columns)
    arrays = [
        pa.array(list(column), _types()[one.kind])
        for one, column in zip(dataset.columns, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(dataset))


def table_of_csv(raw: bytes, dataset: Dataset) -> pa.Table:
    """What PostgreSQL's COPY wrote as CSV: the dataset's columns in order, instants as microseconds since 1970."""
    types = {one.name: _type_in_csv(one.kind) for one in dataset.columns}
    if not raw:
        return arrow_schema(dataset).empty_table()
    reading = pa_csv.ReadOptions(use_threads=False, column_names=list(types), block_size=1 << 27)
    taken = pa_csv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    parsed = pa_csv.ParseOptions(newlines_in_values=True)
    table = pa_csv.read_csv(pa.BufferReader(raw), reading, parsed, taken)
    return table.cast(arrow_schema(dataset))


def _type_in_csv(kind: ColumnKind) -> pa.DataType:
    return pa.int64() if kind is ColumnKind.INSTANT else _types()[kind]
