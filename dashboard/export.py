"""Tables as files: CSV that a spreadsheet opens without running anything in it, and Parquet."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable
from typing import BinaryIO, cast

import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

# A cell that begins with one of these is a formula, or may become one, in a spreadsheet.
FORMULA = r"^[=+\-@\t\r]"


def to_csv(table: pyarrow.Table) -> bytes:
    """A table as UTF-8 CSV: formulas neutralised with a leading apostrophe, instants in ISO 8601 with Z."""
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(_as_cells(table), buffer)
    return buffer.getvalue()


def csv_of(batches: Iterable[pyarrow.RecordBatch], file: BinaryIO) -> None:
    """Write batches into `file` as one CSV as `to_csv` makes it; no more than a batch is held in memory."""
    writer = None
    for batch in batches:
        cells = _as_cells(pyarrow.Table.from_batches([batch]))
        if writer is None:
            writer = pyarrow.csv.CSVWriter(file, cells.schema)
        writer.write_table(cells)
    if writer is not None:
        writer.close()


def plain_csv_of(batches: Iterable[pyarrow.RecordBatch]) -> bytes:
    """Batches as one CSV; made in a file, not in memory."""
    with tempfile.TemporaryFile(buffering=0) as file:
        csv_of(batches, cast(BinaryIO, file))
        file.seek(0)
        return file.read()


def zipped_csv_of(batches: Iterable[pyarrow.RecordBatch], name: str) -> bytes:
    """Batches as one CSV of that name inside a ZIP file, an eighth of its size; made in a file, not in memory."""
    with tempfile.TemporaryFile(buffering=0) as file:
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
            packed.open(name, "w", force_zip64=True) as member,
        ):
            csv_of(batches, cast(BinaryIO, member))
        file.seek(0)
        return file.read()


def parquet_of(batches: Iterable[pyarrow.RecordBatch]) -> bytes:
    """Batches as one Parquet file, zstd compressed; made in a file, not in memory."""
    with tempfile.TemporaryFile(buffering=0) as file:
        writer = None
        for batch in batches:
            if writer is None:
                writer = pyarrow.parquet.ParquetWriter(file, batch.schema, compression="zstd")
            writer.write_batch(batch)
        if writer is not None:
            writer.close()
        file.seek(0)
        return file.read()


def to_parquet(table: pyarrow.Table) -> bytes:
    """A table as Parquet, zstd compressed, with its types."""
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _as_cells(table: pyarrow.Table) -> pyarrow.Table:
    return pyarrow.table(
        {name: _cell_text(column) for name, column in zip(table.column_names, table.columns, strict=True)}
    )


def _cell_text(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    if pyarrow.types.is_timestamp(column.type):
        text = pyarrow.compute.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
        return pyarrow.compute.replace_substring(text, ".000000Z", "Z")
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        column = column.cast(pyarrow.string())
        is_formula = pyarrow.compute.match_substring_regex(column, FORMULA)
        marked = pyarrow.compute.binary_join_element_wise("'", column, "")
        return pyarrow.compute.if_else(is_formula, marked, column)
    return column
