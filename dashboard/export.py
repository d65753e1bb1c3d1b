"""Tables as files: CSV that a spreadsheet opens without running anything in it, and Parquet."""

from __future__ import annotations

import io

import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

# A cell that begins with one of these is a formula, or may become one, in a spreadsheet.
FORMULA = r"^[=+\-@\t\r]"


def to_csv(table: pyarrow.Table) -> bytes:
    """A table as UTF-8 CSV: formulas neutralised with a leading apostrophe, instants in ISO 8601 with Z."""
    safe = pyarrow.table(
        {name: _cell_text(column) for name, column in zip(table.column_names, table.columns, strict=True)}
    )
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(safe, buffer)
    return buffer.getvalue()


def to_parquet(table: pyarrow.Table) -> bytes:
    """A table as Parquet, zstd compressed, with its types."""
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


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
